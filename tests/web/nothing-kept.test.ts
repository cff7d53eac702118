import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { slicesOf, stow } from "../flows/modality.fixture.ts";
import { startHouse } from "../house/index.ts";
import {
  enter,
  listStudies,
  makeAdministrator,
  noBrowser,
  openBrowserOnDisk,
  openStudy,
  siteOf,
} from "./browser.fixture.ts";

const patient = { name: "Kanarienvogel^Zebulon", id: "CANARY-7731", birthDate: "19431224", sex: "O" } as const;

/** What the graphics card can do, how much the rendering library logs, and light or dark. */
const harmless = new Set(["cornerstone3D.renderingCapabilities", "loglevel", "mantine-color-scheme-value"]);

/** The files under a folder that hold a text, in any of the encodings that a browser writes. */
function filesWith(folder: string, text: string): string[] {
  const forms = [Buffer.from(text, "utf8"), Buffer.from(text, "utf16le"), Buffer.from(encodeURIComponent(text))];
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile())
    .filter((path) => {
      const bytes = readFileSync(path);
      return forms.some((form) => bytes.includes(form));
    });
}

test("a browser that searched for a patient and read his study keeps nothing of it on its disk", {
  skip: noBrowser,
}, async () => {
  const house = await startHouse();
  const browser = await openBrowserOnDisk();
  try {
    const administrator = await makeAdministrator(house);
    const slices = slicesOf({
      kind: "mr-brain",
      slices: 5,
      size: 64,
      seed: 21,
      patient,
      accessionNumber: "ACC-CANARY-9",
    });
    assert.equal((await stow(house, slices)).status, 200);
    await enter(browser, administrator, house);
    const { page } = browser;
    await page.goto(siteOf(house));
    await page.getByLabel(/^Search studies/).fill("Kanarienvogel");
    await page.getByRole("row", { name: /Kanarienvogel, Zebulon/ }).waitFor();
    const [study] = await listStudies(house);
    assert.ok(study);
    await openStudy(page, house, study.token);
    await page.getByText("CANARY-7731").first().waitFor();
    for (const _ of slices) await page.keyboard.press("ArrowDown");
    const stored = await page.evaluate(async () => ({
      local: Object.keys(localStorage),
      session: Object.keys(sessionStorage),
      databases: (await indexedDB.databases()).map((each) => each.name),
      caches: await caches.keys(),
      workers: (await navigator.serviceWorker.getRegistrations()).length,
    }));
    assert.deepEqual(
      { ...stored, local: stored.local.filter((key) => !harmless.has(key)) },
      { local: [], session: stored.session, databases: [], caches: [], workers: 0 },
    );
    assert.deepEqual(
      stored.session.filter((key) => !key.startsWith("tsr-scroll")),
      [],
    );
    await browser.close();
    assert.notDeepEqual(filesWith(browser.folder, "localhost"), [], "the search finds what a browser does keep");
    const uids = new Set(slices.flatMap((slice) => [slice.studyUid, slice.seriesUid, slice.sopInstanceUid]));
    for (const canary of ["Kanarienvogel", "Zebulon", "CANARY-7731", "ACC-CANARY-9", "19431224", ...uids]) {
      assert.deepEqual(filesWith(browser.folder, canary), [], `${canary} is on the disk`);
    }
  } finally {
    await browser.remove();
    await house.remove();
  }
});
