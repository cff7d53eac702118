import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Locator, Page } from "playwright-core";
import sharp from "sharp";
import { firstValue, search, slicesOf, stow } from "../flows/modality.fixture.ts";
import { type RunningHouse, startHouse } from "../house/index.ts";
import { type Browser, enter, makeAdministrator, noBrowser, openBrowser, siteOf } from "./browser.fixture.ts";
import { type OhifSite, ohifFolder, serveOhif } from "./ohif.fixture.ts";

/*
 * The viewer that most people know, as it is published, on an origin of its own: it signs people in here, lists, shows, and stores what
 * was measured.
 */
const folder = noBrowser === false ? ohifFolder() : undefined;
const skip = noBrowser !== false ? noBrowser : folder === undefined ? "needs @ohif/app from the npm registry" : false;
const head = slicesOf({ kind: "ct-head", slices: 24, size: 128, seed: 5 });
const studyUid = head[0]?.studyUid ?? "";

let house: RunningHouse;
let browser: Browser;
let ohif: OhifSite;

before(async () => {
  if (skip !== false) return;
  house = await startHouse();
  const administrator = await makeAdministrator(house);
  assert.equal((await stow(house, head)).status, 200);
  ohif = await serveOhif(folder ?? "");
  const words = ["client", "add", "ohif", "--public", "--redirect", `${ohif.origin}/callback`, "--json"];
  ohif.configure(siteOf(house), (JSON.parse(house.command(words)) as { id: string }).id);
  browser = await openBrowser({ width: 1400, height: 900 });
  browser.context.setDefaultTimeout(60_000);
  await enter(browser, administrator, house);
  // What OHIF tells newcomers comes at some time, over everything else.
  for (const text of ["Skip all", "Confirm and hide"]) {
    await browser.page.addLocatorHandler(browser.page.getByText(text), (told) => told.click());
  }
});
after(async () => {
  await browser?.remove();
  await ohif?.close();
  await house?.remove();
});

const named = (page: Page, name: string) => page.locator(`[data-cy="${name}"]`);

async function openViewer(page: Page): Promise<void> {
  await page.goto(`${ohif.origin}/viewer?StudyInstanceUIDs=${studyUid}`);
  await named(page, "viewport-overlay-top-left").first().waitFor();
  await untilDrawn(named(page, "viewport-pane").first());
}

/** How much of a pane is bright, and how much black, from 0 to 1. */
async function brightness(pane: Locator): Promise<{ bright: number; black: number }> {
  const { data } = await sharp(await pane.screenshot())
    .greyscale()
    .raw()
    .toBuffer({ resolveWithObject: true });
  const share = (is: (value: number) => boolean) => data.filter(is).length / data.length;
  return { bright: share((value) => value > 200), black: share((value) => value < 8) };
}

/** A head stands on black, with bone around it. */
async function untilDrawn(pane: Locator): Promise<void> {
  for (let tries = 0; tries < 120; tries++) {
    const { bright, black } = await brightness(pane);
    if (bright > 0.004 && black > 0.2) return;
    await pane.page().waitForTimeout(250);
  }
  assert.fail(`nothing is drawn: ${JSON.stringify(await brightness(pane))}`);
}

test("OHIF signs a person in here, is let in once, and lists their studies", { skip }, async () => {
  const { page } = browser;
  await page.goto(`${ohif.origin}/`);
  await page.getByRole("button", { name: "Allow", exact: true }).click();
  await page.getByText("PHANTOM, HEAD").waitFor();
  const shown = (await page.locator("body").textContent()) ?? "";
  for (const word of ["CT head", "A000005", "14-Mar-2025", "24"])
    assert.ok(shown.includes(word), `${word} in the list`);
  const searched = page.waitForResponse((answer) => /PatientName=.*nobody/.test(answer.url()));
  await page.getByRole("textbox").first().fill("nobody");
  assert.deepEqual(await (await searched).json(), []);
  await page.getByText("PHANTOM, HEAD").waitFor({ state: "hidden" });
});

test("OHIF shows a CT, and the same in three planes", { skip }, async () => {
  const { page } = browser;
  await openViewer(page);
  await named(page, "Layout").click();
  await page.getByText("MPR", { exact: true }).click();
  const panes = named(page, "viewport-pane");
  await page.waitForFunction(() => document.querySelectorAll('[data-cy="viewport-pane"]').length === 3);
  for (const at of [0, 1, 2]) await untilDrawn(panes.nth(at));
  await page.waitForFunction(() => {
    const marks = [...document.querySelectorAll('[data-cy="viewport-pane"]')].map((pane) =>
      [...pane.querySelectorAll(".orientation-marker-value")].map(({ textContent }) => textContent).sort(),
    );
    const directions = marks.map((each) => each.join("")).sort();
    // Sagittal, axial, coronal.
    return directions.join() === "AH,AR,HR";
  });
});

test("what was measured in OHIF is stored as a structured report and read back", { skip }, async () => {
  const { page } = browser;
  await openViewer(page);
  await named(page, "MeasurementTools-split-button-primary").click();
  const box = (await named(page, "viewport-pane").first().boundingBox()) ?? assert.fail("no pane");
  const click = (x: number, y: number) => page.mouse.click(box.x + box.width * x, box.y + box.height * y);
  await click(0.4, 0.4);
  await page.mouse.move(box.x + box.width * 0.5, box.y + box.height * 0.5);
  await click(0.6, 0.6);
  await named(page, "prompt-begin-tracking-yes-btn").click();
  await named(page, "trackedMeasurements-btn").click();
  await page.getByText("Create SR").waitFor();
  await named(page, "trackedMeasurements-panel")
    .first()
    .getByText(/[\d.]+ mm/)
    .first()
    .waitFor();
  const length =
    /[\d.]+ mm/.exec((await named(page, "trackedMeasurements-panel").first().textContent()) ?? "")?.[0] ??
    assert.fail("no length");
  await page.getByText("Create SR").click();
  const stored = page.waitForResponse(
    (answer) => answer.request().method() === "POST" && /\/studies$/.test(answer.url()),
  );
  await named(page, "input-dialog-save-button").click();
  assert.equal((await stored).status(), 200);
  const [report, ...more] = await search(house, `/studies/${studyUid}/instances?Modality=SR`);
  assert.ok(report !== undefined && more.length === 0);
  assert.equal(firstValue(report, "00080016"), "1.2.840.10008.5.1.4.1.1.88.22");

  await openViewer(page);
  await page.getByText("Create Report").dblclick();
  const drawn = named(page, "viewport-pane").locator("svg text").filter({ hasText: /\d mm/ }).first();
  await drawn.waitFor({ state: "attached" });
  const readBack = /([\d.]+) mm/.exec((await drawn.textContent()) ?? "")?.[1];
  assert.equal(Number(readBack), Number.parseFloat(length));
});
