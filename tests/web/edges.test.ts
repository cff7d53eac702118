import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Page } from "playwright-core";
import { newHome, type RunningHouse, startHouse } from "../house/index.ts";
import { type AtBrowsers, administratorAt, type Browser, noBrowser, siteOf } from "./browser.fixture.ts";
import { assertReachable, windows } from "./reach.fixture.ts";

/* A box is enrolled with what the page shows, and shut out on it: the tests follow on each other. */
let house: RunningHouse;
let box: RunningHouse;
let administrator: AtBrowsers;
let browser: Browser;
const options = { skip: noBrowser };

before(async () => {
  if (noBrowser !== false) return;
  [house, box] = await Promise.all([startHouse(), startHouse({ home: newHome() })]);
  administrator = await administratorAt(house);
  browser = await administrator.open();
});
after(async () => {
  await browser?.remove();
  await Promise.all([house?.remove(), box?.remove()]);
});

const dialogIn = (page: Page) => page.getByRole("dialog");
const rowOf = (page: Page, name: string) => page.getByRole("row").filter({ hasText: name });

test("where there is no edge, it is said what one is; a code is made, and the page sees it used", options, async () => {
  const { page } = browser;
  await page.goto(siteOf(house));
  await page
    .getByRole("link", { name: "Administration" })
    .or(page.getByRole("link", { name: "Edges" }))
    .first()
    .waitFor();
  await page.goto(`${siteOf(house)}/edges`);
  await page.getByText("No edge yet.").waitFor();
  await assertReachable(page, "edges-none");
  await page.getByRole("button", { name: "Add an edge" }).click();
  await dialogIn(page).getByLabel("Name").fill("North Wing, server room");
  await dialogIn(page).getByRole("button", { name: "Make a code" }).click();
  const command = (await dialogIn(page).getByTestId("enrol-command").textContent()) ?? "";
  await dialogIn(page)
    .getByText(/It works once, until \d\d:\d\d:\d\d/)
    .waitFor();
  await assertReachable(page, "edges-code");
  const [leadglass, ...words] = command.split(" ");
  assert.equal(leadglass, "leadglass");
  const { status, stderr } = await box.begin(words);
  assert.equal(status, 0, stderr);
  await dialogIn(page)
    .getByText(/is enrolled: its certificate holds until/)
    .waitFor();
  await dialogIn(page).getByRole("button", { name: "Done" }).click();
  await rowOf(page, "North Wing").getByText("enrolled", { exact: true }).waitFor();
  await rowOf(page, "North Wing").getByText("just now").waitFor();
});

test("an edge is revoked with one question, and a new code is offered", options, async () => {
  const { page } = browser;
  house.command(["edge", "add", "South Wing"]);
  await rowOf(page, "South Wing")
    .getByText(/waits, code until/)
    .waitFor();
  await page.getByRole("button", { name: "Revoke North Wing" }).click();
  await dialogIn(page)
    .getByText(/cut off at once/)
    .waitFor();
  await assertReachable(page, "edges-revoke");
  await dialogIn(page).getByRole("button", { name: "Revoke" }).click();
  await rowOf(page, "North Wing").getByText("revoked").waitFor();
  assert.match(box.command(["edge", "status"]), /this edge was revoked/);
  await page.getByRole("button", { name: "New code for North Wing" }).click();
  await dialogIn(page).getByRole("button", { name: "Make a code" }).click();
  await dialogIn(page).getByTestId("enrol-command").waitFor();
  await dialogIn(page).getByRole("button", { name: "Done" }).click();
  assert.deepEqual(browser.complaints, []);
});

for (const [window, size] of windows) {
  test(`the list fits ${window}`, options, async () => {
    const other = await administrator.open(size);
    try {
      await other.page.goto(`${siteOf(house)}/edges`);
      await rowOf(other.page, "South Wing").waitFor();
      await assertReachable(other.page, `edges on ${window}`);
    } finally {
      await other.remove();
    }
  });
}
