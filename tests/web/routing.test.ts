import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Page } from "playwright-core";
import type { RoutingView } from "#formats/api";
import { type RunningHouse, startHouse } from "../house/index.ts";
import { type AtBrowsers, administratorAt, type Browser, noBrowser, siteOf } from "./browser.fixture.ts";
import { assertReachable, windows } from "./reach.fixture.ts";

/* Rules are made, ordered and tried on the page: the tests follow on each other. */
let house: RunningHouse;
let administrator: AtBrowsers;
let browser: Browser;
const options = { skip: noBrowser };

before(async () => {
  if (noBrowser !== false) return;
  house = await startHouse();
  house.command(["device", "add", "OLDPACS", "--address", "192.0.2.7", "--port", "11112"]);
  administrator = await administratorAt(house);
  browser = await administrator.open();
});
after(async () => {
  await browser?.remove();
  await house?.remove();
});

const dialogIn = (page: Page) => page.getByRole("dialog");
const ruleIn = (page: Page, name: string) => page.getByRole("row").filter({ hasText: name });
const rules = () => (JSON.parse(house.command(["route", "list", "--json"])) as RoutingView).rules;

test("a rule is made: which images, where to, what is changed on the way", options, async () => {
  const { page } = browser;
  await page.goto(`${siteOf(house)}/routing`);
  await page.getByText("No rule yet:").waitFor();
  await assertReachable(page, "routing-none");
  await page.getByRole("button", { name: "Add a rule" }).click();
  const dialog = dialogIn(page);
  await dialog.getByLabel("Name", { exact: true }).fill("Night CT to the old archive");
  await dialog.getByLabel("Modality", { exact: true }).fill("CT, PT");
  await dialog.getByLabel("From", { exact: true }).fill("18:00");
  await dialog.getByLabel("To", { exact: true }).fill("07:00");
  await dialog.getByLabel("OLDPACS at 192.0.2.7").check();
  await dialog.getByLabel("De-identify").check();
  await dialog.getByLabel("Keep dates, moved by whole weeks").check();
  await dialog.getByRole("button", { name: "Change an attribute" }).click();
  await dialog.getByLabel("Attribute, change 1").fill("InstitutionName");
  await dialog.getByLabel("to, change 1").fill("North");
  await assertReachable(page, "routing-rule");
  await dialog.getByRole("button", { name: "Save" }).click();
  await ruleIn(page, "Night CT to the old archive").waitFor();
  const [made] = rules();
  assert.deepEqual(made?.when, { modality: { is: ["CT", "PT"] }, hours: { from: 1080, to: 420, weekdays: [] } });
  assert.deepEqual(made?.changes, {
    coercions: [{ does: "set", attribute: "InstitutionName", value: "North" }],
    deidentify: { options: ["retain-modified-dates"] },
  });
});

test("what would happen is tried; the order, a pause and a removal change it", options, async () => {
  const { page } = browser;
  house.command(["route", "add", "All to the old archive", "--to", "keep,OLDPACS"]);
  await page.getByRole("button", { name: "Move All to the old archive up" }).click();
  await page.getByRole("button", { name: "Move Night CT to the old archive up" }).waitFor();
  await page.getByRole("button", { name: "Where would it go?" }).click();
  await page.getByText("By “All to the old archive”: kept here, OLDPACS.").waitFor();
  await page.getByRole("button", { name: "Pause All to the old archive" }).click();
  await page.getByRole("button", { name: "Resume All to the old archive" }).waitFor();
  await page.getByLabel("Modality", { exact: true }).fill("CR");
  await page.getByRole("button", { name: "Where would it go?" }).click();
  await page.getByText("No rule fits: kept here.").waitFor();
  await page.getByRole("button", { name: "Remove All to the old archive" }).click();
  await dialogIn(page).getByRole("button", { name: "Remove" }).click();
  await ruleIn(page, "All to the old archive").waitFor({ state: "detached" });
  assert.deepEqual(
    rules().map(({ name }) => name),
    ["Night CT to the old archive"],
  );
  assert.deepEqual(browser.complaints, []);
});

for (const [window, size] of windows) {
  test(`the rules fit ${window}`, options, async () => {
    const other = await administrator.open(size);
    try {
      await other.page.goto(`${siteOf(house)}/routing`);
      await ruleIn(other.page, "Night CT to the old archive").waitFor();
      await assertReachable(other.page, `routing on ${window}`);
    } finally {
      await other.remove();
    }
  });
}
