import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { storescp, type Taker } from "../conformance/dimse-query.fixture.ts";
import { type Caller, type OverseenHouse, openOverseenHouse } from "../flows/overseen-house.fixture.ts";
import { has } from "../house/index.ts";
import { type Browser, noBrowser, openBrowser, siteOf } from "./browser.fixture.ts";
import { assertReachableEverywhere, enterAs } from "./oversight.fixture.ts";
import { assertReachable } from "./reach.fixture.ts";

/* A study on its way to another machine, as one sends it from the list. */
let overseen: OverseenHouse;
let radiologist: Caller;
let browser: Browser;
let taker: Taker;
const skip = noBrowser || (has("storescp") ? false : "needs dcmtk: apt install dcmtk");

before(async () => {
  if (skip !== false) return;
  overseen = await openOverseenHouse();
  radiologist = await overseen.join("rita", { role: "radiologist" });
  browser = await openBrowser();
  await enterAs(browser, overseen, radiologist);
});
after(async () => {
  await browser?.remove();
  await taker?.stop();
  await overseen?.house.remove();
});

const openDialog = async (page: Browser["page"]) => {
  await page.goto(`${siteOf(overseen.house)}/`);
  await page.getByText("Quill, Quentin").click({ button: "right" });
  await page.getByRole("menuitem", { name: "Send to…" }).click();
  const dialog = page.getByRole("dialog", { name: "Send a study" });
  await dialog.waitFor();
  return dialog;
};

test("where no machine takes images it is said how one comes to be there", { skip }, async () => {
  const dialog = await openDialog(browser.page);
  await dialog.getByText("No machine takes images yet").waitFor();
});

test("a study is sent from its menu, and the same dialog says what became of it", { skip }, async () => {
  taker = await storescp("PACS");
  overseen.house.command(["device", "add", "PACS", "--address", "127.0.0.1", "--port", String(taker.port)]);
  const dialog = await openDialog(browser.page);
  await dialog.getByRole("button", { name: "Send", exact: true }).click();
  await dialog.getByText(/^To PACS: done, \d+ of \d+ images/).waitFor();
  assert.deepEqual(browser.complaints, []);
  await assertReachable(browser.page, "send-done");
});

test("what a machine does not take is shown with the reason, is tried again, and can be called off", {
  skip,
}, async () => {
  await taker.stop();
  await assertReachableEverywhere(overseen, radiologist, "send-waits", async (page) => {
    const dialog = await openDialog(page);
    await dialog.getByRole("button", { name: "Send", exact: true }).click();
    await dialog.getByText(/is tried again/).waitFor();
  });
  const dialog = await openDialog(browser.page);
  await dialog.getByRole("button", { name: "Call off" }).click();
  await dialog.getByText("called off").waitFor();
});
