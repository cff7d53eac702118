import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { slicesOf, stow } from "../flows/modality.fixture.ts";
import { type RunningHouse, startHouse } from "../house/index.ts";
import {
  type Administrator,
  type Browser,
  enter,
  listStudies,
  makeAdministrator,
  noBrowser,
  openBrowser,
  openStudy,
  siteOf,
} from "./browser.fixture.ts";
import { assertReachable, tabStops, windows } from "./reach.fixture.ts";

let house: RunningHouse;
let administrator: Administrator;
let browser: Browser;
const people = ["Abel^Anna", "Baker^Bruno", "Cole^Clara", "Dunn^Dora"];
const sliceOfPerson = (name: string, index: number) =>
  slicesOf({
    kind: "mr-brain",
    slices: 2,
    size: 64,
    seed: 40 + index,
    patient: { name, id: `P-${index}`, birthDate: "19700102", sex: "F" },
    accessionNumber: `A-${index}`,
  });

before(async () => {
  if (noBrowser !== false) return;
  house = await startHouse();
  administrator = await makeAdministrator(house);
  for (const [index, name] of people.entries())
    assert.equal((await stow(house, sliceOfPerson(name, index))).status, 200);
  browser = await openBrowser();
  await enter(browser, administrator, house);
});
after(async () => {
  await browser?.remove();
  await house?.remove();
});

const names = async () =>
  (await browser.page.locator('[role="row"][id^="study-row"] > :first-child').allTextContents()).map((text) =>
    text.trim(),
  );

test("the study list finds by name and by accession number, and says when nothing matches", {
  skip: noBrowser,
}, async () => {
  const { page } = browser;
  await page.goto(siteOf(house));
  await page.getByText("4 studies").waitFor();
  await page.keyboard.press("/");
  await page.keyboard.type("bak");
  await page.getByText("1 study", { exact: true }).waitFor();
  assert.deepEqual(await names(), ["Baker, Bruno"]);
  assert.equal(new URL(page.url()).search, "", "what was searched for is not in the address");
  await page.getByLabel(/^Search studies/).fill("A-3");
  await page.getByRole("row", { name: /Dunn, Dora/ }).waitFor();
  await page.getByLabel(/^Search studies/).fill("nobody");
  await page.getByRole("heading", { name: "No study matches" }).waitFor();
  await page.getByRole("button", { name: "Show all studies" }).click();
  await page.getByText("4 studies").waitFor();
});

test("a click on a column sorts by it, and a reload keeps the order", { skip: noBrowser }, async () => {
  const { page } = browser;
  await page.getByRole("button", { name: "Patient" }).click();
  await page.waitForFunction(() =>
    document.querySelector('[role="row"][id="study-row-0"]')?.textContent?.startsWith("Abel"),
  );
  assert.deepEqual(await names(), ["Abel, Anna", "Baker, Bruno", "Cole, Clara", "Dunn, Dora"]);
  await page.getByRole("button", { name: "Patient" }).click();
  await page.waitForFunction(() =>
    document.querySelector('[role="row"][id="study-row-0"]')?.textContent?.startsWith("Dunn"),
  );
  await page.reload();
  await page.waitForFunction(() =>
    document.querySelector('[role="row"][id="study-row-0"]')?.textContent?.startsWith("Dunn"),
  );
});

test("a study that arrives is in the list without a reload", { skip: noBrowser }, async () => {
  const { page } = browser;
  assert.equal((await stow(house, sliceOfPerson("Evans^Emil", 9))).status, 200);
  await page.getByRole("row", { name: /Evans, Emil/ }).waitFor();
  await page.getByText("5 studies").waitFor();
});

test("arrow keys and Enter open a study, and the arrow at its top leads back", { skip: noBrowser }, async () => {
  const { page } = browser;
  await page.goto(siteOf(house));
  await page.getByText("5 studies").waitFor();
  await page.getByRole("grid", { name: "Studies" }).focus();
  await page.keyboard.press("End");
  await page.keyboard.press("Enter");
  await page.waitForSelector('[data-testid="viewport-0"][data-status="ready"]');
  assert.match(new URL(page.url()).pathname, /^\/studies\/[0-9a-f]{32}$/, "the address holds a token and nothing else");
  await page.getByRole("link", { name: "Back to the study list" }).click();
  await page.getByRole("grid", { name: "Studies" }).waitFor();
});

test("the command palette finds a patient, and ? shows the shortcuts", { skip: noBrowser }, async () => {
  const { page } = browser;
  await page.keyboard.press("Control+k");
  await page.getByPlaceholder(/Patient, ID/).fill("Cole");
  await page
    .getByRole("button", { name: /Cole, Clara/ })
    .or(page.locator("[data-action]", { hasText: "Cole, Clara" }))
    .first()
    .waitFor();
  await page.keyboard.press("Escape");
  await page.getByPlaceholder(/Patient, ID/).waitFor({ state: "hidden" });
  await page.keyboard.press("?");
  await page.getByRole("dialog", { name: "Keyboard shortcuts" }).waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "hidden" });
});

test("a device is added by hand, changed, and removed after a question", { skip: noBrowser }, async () => {
  const { page } = browser;
  await page.goto(`${siteOf(house)}/devices`);
  await page.getByLabel("AE title").fill("MR7");
  await page.getByLabel("Address").fill("192.0.2.7");
  await page.getByRole("button", { name: "Add device" }).click();
  await page.getByRole("row", { name: /MR7 192.0.2.7 Sends images/ }).waitFor();
  await page.getByRole("button", { name: "Change MR7 at 192.0.2.7" }).click();
  const dialog = page.getByRole("dialog", { name: "MR7 at 192.0.2.7" });
  assert.ok(await dialog.getByRole("button", { name: "Test connection" }).isDisabled(), "it takes no images anywhere");
  await dialog.getByLabel("What it does").selectOption({ label: "Finds and fetches images" });
  await dialog.getByLabel("Takes images or messages at port").fill("11112");
  await dialog.getByRole("button", { name: "Save" }).click();
  await page.getByRole("row", { name: /MR7 192.0.2.7 Finds and fetches images 11112/ }).waitFor();
  await page.getByRole("button", { name: "Remove MR7 at 192.0.2.7" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
  await page.getByText("No device is admitted yet").waitFor();
});

test("the log shows what was done and holds no name", { skip: noBrowser }, async () => {
  const { page } = browser;
  await page.goto(`${siteOf(house)}/log`);
  await page.getByRole("cell", { name: "Admit and remove devices" }).first().waitFor();
  const text = (await page.locator("main").textContent()) ?? "";
  for (const name of people.flatMap((each) => each.split("^"))) assert.ok(!text.includes(name), name);
});

for (const [window, options] of windows) {
  test(`every page is in contrast, and its controls named and large enough, on ${window}`, {
    skip: noBrowser,
  }, async () => {
    const other = await openBrowser(options);
    try {
      await other.page.goto(siteOf(house));
      await other.page.getByRole("heading", { name: "Sign in to Leadglass" }).waitFor();
      await assertReachable(other.page, `sign-in on ${window}`);
      await enter(other, administrator, house);
      for (const path of ["/", "/devices", "/log", "/status"]) {
        await other.page.goto(siteOf(house) + path);
        await other.page.getByRole("heading", { level: 1 }).waitFor();
        await assertReachable(other.page, `${path} on ${window}`);
      }
      const [study] = await listStudies(house);
      await openStudy(other.page, house, study?.token ?? "");
      await assertReachable(other.page, `viewer on ${window}`);
    } finally {
      await other.remove();
    }
  });
}

test("everything in the study list and the viewer is reached by Tab, with the focus in sight", {
  skip: noBrowser,
}, async () => {
  const { page } = browser;
  await page.goto(siteOf(house));
  await page.getByText("5 studies").waitFor();
  const inList = await tabStops(page);
  assert.equal(inList[0]?.name, "Skip to content");
  for (const wanted of ["Studies", "Devices", "Status", "Administration", "Modality", "Patient", "Study date"]) {
    assert.ok(
      inList.some((stop) => stop.name.startsWith(wanted)),
      `${wanted} is reached: ${inList.map((stop) => stop.name).join(", ")}`,
    );
  }
  assert.deepEqual(
    inList.filter((stop) => !stop.isSeen),
    [],
  );
  const [study] = await listStudies(house);
  await openStudy(page, house, study?.token ?? "");
  const inViewer = await tabStops(page);
  for (const wanted of [
    "Back to the study list",
    "Window",
    "Length",
    "Angle",
    "Invert",
    "Play",
    "Layout",
    "MR ",
    "Image",
  ]) {
    assert.ok(
      inViewer.some((stop) => stop.name.startsWith(wanted)),
      `${wanted} is reached: ${inViewer.map((stop) => stop.name).join(", ")}`,
    );
  }
  assert.deepEqual(
    inViewer.filter((stop) => !stop.isSeen),
    [],
  );
});

test("no page broke its content security policy or threw", { skip: noBrowser }, () => {
  assert.deepEqual(browser.complaints, []);
});
