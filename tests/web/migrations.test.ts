import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, type Server } from "node:net";
import { after, before, test } from "node:test";
import type { Page } from "playwright-core";
import type { FindService } from "#doors/dimse";
import { elementsOf } from "#formats/dicom";
import { doorWith } from "../../doors/dimse/scp.fixture.ts";
import { studyFind } from "../../doors/dimse/services.fixture.ts";
import { type RunningHouse, startHouse } from "../house/index.ts";
import { type AtBrowsers, administratorAt, type Browser, noBrowser, siteOf } from "./browser.fixture.ts";
import { assertReachable, windows } from "./reach.fixture.ts";

/* An archive that names its studies and sends none is taken over on its page: the tests follow on each other. */
let house: RunningHouse;
let administrator: AtBrowsers;
let browser: Browser;
let archive: Server;
const options = { skip: noBrowser };

const studies = [
  { StudyInstanceUID: "2.25.1", StudyDate: "20240131", ModalitiesInStudy: "CT", PatientName: "Quill^Quentin" },
  { StudyInstanceUID: "2.25.2", StudyDate: "20240130", ModalitiesInStudy: "MR", PatientName: "Roe^Rita" },
];

const naming: FindService = {
  async *find({ identifier }) {
    const text = (keyword: "QueryRetrieveLevel" | "StudyDate" | "StudyInstanceUID") =>
      identifier.texts(tags[keyword])?.[0] ?? "";
    for (const study of studies) {
      const isMeant = text("StudyDate") === study.StudyDate || text("StudyInstanceUID") === study.StudyInstanceUID;
      if (text("QueryRetrieveLevel") !== "STUDY" || !isMeant) continue;
      const NumberOfStudyRelatedInstances = "12";
      yield { identifier: elementsOf({ ...study, NumberOfStudyRelatedInstances }), keysIgnored: false };
    }
  },
};
const tags = { QueryRetrieveLevel: 0x00080052, StudyDate: 0x00080020, StudyInstanceUID: 0x0020000d };

before(async () => {
  if (noBrowser !== false) return;
  const { door } = doorWith({
    aeTitle: "OLDPACS",
    services: { ...doorWith(), echo: async () => {}, finds: new Map([[studyFind, naming]]) },
  });
  archive = createServer((socket) => door.accept(socket)).listen(0, "127.0.0.1");
  await once(archive, "listening");
  house = await startHouse();
  administrator = await administratorAt(house);
  browser = await administrator.open();
});
after(async () => {
  await browser?.remove();
  archive?.close();
  await house?.remove();
});

const dialogIn = (page: Page) => page.getByRole("dialog");

test(
  "where no archive is taken over, it is said how; one is begun and goes on by itself to its end",
  options,
  async () => {
    const { page } = browser;
    await page.goto(`${siteOf(house)}/migrations`);
    await page.getByText("No archive is taken over yet.").waitFor();
    await assertReachable(page, "migrations-none");
    const { port } = archive.address() as AddressInfo;
    house.command(["device", "add", "OLDPACS", "--address", "127.0.0.1", "--port", String(port)]);
    await page.getByRole("button", { name: "Take an archive over" }).click();
    const dialog = dialogIn(page);
    await dialog.getByLabel("Studies from").fill("2024-01-29");
    await dialog.getByLabel("Until", { exact: true }).fill("2024-01-31");
    await dialog.getByLabel("Studies without a date").uncheck();
    await assertReachable(page, "migrations-form");
    await dialog.getByRole("button", { name: "Begin" }).click();
    const one = page.getByRole("region", { name: "OLDPACS, 2024-01-29 to 2024-01-31" });
    await one.getByText("done", { exact: true }).waitFor();
    await one.getByText("3 of 3 days listed, 2 studies found").waitFor();
    assert.deepEqual(browser.complaints, []);
  },
);

test("the report says what is not whole, and whose that is only where it is asked for", options, async () => {
  const { page } = browser;
  await page.getByRole("button", { name: "Report on OLDPACS" }).click();
  const dialog = dialogIn(page);
  await dialog.getByRole("table", { name: "By month" }).getByText("2024-01").waitFor();
  const wrong = dialog.getByRole("table", { name: "Studies that are not whole" });
  await wrong.getByText("12 of 12 images are missing").first().waitFor();
  assert.equal(await wrong.getByText(/Quill|Roe/).count(), 0);
  await assertReachable(page, "migrations-report");
  // The first administrator holds what a technologist may do, too.
  await dialog.getByRole("button", { name: "Show whose they are" }).click();
  await wrong.getByText("Quill, Quentin").waitFor();
  await page.keyboard.press("Escape");
});

for (const [window, size] of windows) {
  test(`the list fits ${window}`, options, async () => {
    const other = await administrator.open(size);
    try {
      await other.page.goto(`${siteOf(house)}/migrations`);
      await other.page.getByRole("region", { name: /^OLDPACS/ }).waitFor();
      await assertReachable(other.page, `migrations on ${window}`);
    } finally {
      await other.remove();
    }
  });
}

test("one that is over is forgotten with one question", options, async () => {
  const { page } = browser;
  await page.getByRole("button", { name: "Forget OLDPACS" }).click();
  await dialogIn(page).getByRole("button", { name: "Forget" }).click();
  await page.getByText("No archive is taken over yet.").waitFor();
  assert.deepEqual(browser.complaints, []);
});
