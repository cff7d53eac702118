import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { StudyView } from "#formats/api";
import { slicesOf, stow } from "../flows/modality.fixture.ts";
import { dataFolder, type RunningHouse, startHouse } from "../house/index.ts";
import {
  type Browser,
  drawn,
  enter,
  listStudies,
  makeAdministrator,
  noBrowser,
  openBrowser,
  openStudy,
} from "./browser.fixture.ts";
import { colourfulness, likeness, pictureInPane, pictureOfServer } from "./pictures.fixture.ts";

const noData = existsSync(join(dataFolder, "dicom")) ? false : "needs the sample data: LEADGLASS_DATA";
const likeEnough = 0.97;

interface Sample {
  readonly what: string;
  readonly file: string;
  readonly colour?: boolean;
  readonly frames?: number;
}

const samples: readonly Sample[] = [
  { what: "a CT", file: "transfer-syntaxes/CTImage.dcm_LittleEndianExplicitTransferSyntax_1.2.840.10008.1.2.1.dcm" },
  { what: "an MR in JPEG-LS", file: "transfer-syntaxes/MR_small_jpeg_ls_lossless.dcm" },
  { what: "a whole body in JPEG 2000", file: "transfer-syntaxes/JPEG2000.dcm" },
  { what: "a colour ultrasound in JPEG 2000", file: "transfer-syntaxes/US1_J2KI.dcm", colour: true },
  {
    what: "a colour ultrasound loop with a palette, in RLE",
    file: "objects/us-cine/US-PAL-8-10x-echo",
    colour: true,
    frames: 10,
  },
  { what: "an angiography of many frames in JPEG", file: "objects/xa-cine/HasFragmentSequence.dcm", frames: 96 },
];

let house: RunningHouse;
let browser: Browser;
const head = slicesOf({ kind: "ct-head", slices: 24, size: 128, seed: 5 });
const brain = slicesOf({ kind: "mr-brain", slices: 6, size: 128, seed: 6 });

before(async () => {
  if (noBrowser !== false) return;
  house = await startHouse();
  const administrator = await makeAdministrator(house);
  assert.equal((await stow(house, [...head, ...brain])).status, 200);
  browser = await openBrowser({ width: 1280, height: 860 });
  await enter(browser, administrator, house);
});
after(async () => {
  await browser?.remove();
  await house?.remove();
});

async function studyWith(studyUid: string): Promise<StudyView> {
  const study = (await listStudies(house)).find((each) => each.studyUid === studyUid);
  assert.ok(study, "the study is in the list");
  return study;
}

interface Frames {
  readonly rows: number;
  readonly columns: number;
  readonly path: string;
}

/** Where the first instance of a study's first series lies, and its size. */
async function firstFrames(studyUid: string): Promise<Frames> {
  const json = (path: string) =>
    house.fetch(path, { headers: { accept: "application/dicom+json" } }).then((answer) => answer.json());
  const value = (from: Record<string, { Value?: unknown[] }>, tag: string) => String(from[tag]?.Value?.[0] ?? "");
  const [series] = (await json(`/dicom-web/studies/${studyUid}/series`)) as Record<string, { Value?: unknown[] }>[];
  const root = `/dicom-web/studies/${studyUid}/series/${value(series ?? {}, "0020000E")}`;
  const [instance] = (await json(`${root}/metadata`)) as Record<string, { Value?: unknown[] }>[];
  assert.ok(instance);
  return {
    rows: Number(value(instance, "00280010")),
    columns: Number(value(instance, "00280011")),
    path: `${root}/instances/${value(instance, "00080018")}/frames`,
  };
}

for (const sample of samples) {
  test(`${sample.what} looks in the browser as the server draws it`, { skip: noBrowser || noData }, async () => {
    const known = new Set((await listStudies(house)).map((study) => study.studyUid));
    house.command(["import", join(dataFolder, "dicom", sample.file)]);
    const study = (await listStudies(house)).find((each) => !known.has(each.studyUid));
    assert.ok(study, "the file makes a study of its own");
    const frames = await firstFrames(study.studyUid);
    await openStudy(browser.page, house, study.token);
    const seen = await pictureInPane(browser.page, 0, frames);
    const alike = likeness(seen, await pictureOfServer(house, `${frames.path}/1`));
    assert.ok(alike > likeEnough, `likeness ${alike.toFixed(4)}`);
    assert.equal(colourfulness(seen) > 2, sample.colour === true);
    if (sample.frames === undefined) return;
    await browser.page.keyboard.press("End");
    await browser.page.getByText(`Image ${sample.frames} / ${sample.frames}`).waitFor();
    await drawn(browser.page);
    const last = await pictureInPane(browser.page, 0, frames);
    const lastAlike = likeness(last, await pictureOfServer(house, `${frames.path}/${sample.frames}`));
    assert.ok(lastAlike > likeEnough, `likeness of the last frame ${lastAlike.toFixed(4)}`);
  });
}

test("keys scroll, window, invert, turn and reset the picture", { skip: noBrowser }, async () => {
  const { page } = browser;
  const study = await studyWith(head[0]?.studyUid ?? "");
  await openStudy(page, house, study.token);
  const size = { rows: 128, columns: 128 };
  for (let presses = 0; presses < 11; presses += 1) await page.keyboard.press("ArrowDown");
  await page.getByText("Image 12 / 24").waitFor();
  await drawn(page);
  const usual = await pictureInPane(page, 0, size);
  await page.keyboard.press("6");
  await page.getByText("W 2500 L 480").waitFor();
  await drawn(page);
  assert.ok(likeness(usual, await pictureInPane(page, 0, size)) < 0.97, "a bone window shows another picture");
  await page.keyboard.press("1");
  await drawn(page);
  assert.ok(likeness(usual, await pictureInPane(page, 0, size)) > 0.99, "the default window is back");
  await page.keyboard.press("i");
  await drawn(page);
  assert.ok(likeness(usual, await pictureInPane(page, 0, size)) < -0.9, "inverted");
  await page.keyboard.press("i");
  await page.keyboard.press("v");
  await drawn(page);
  const flipped = await pictureInPane(page, 0, size);
  assert.ok(likeness(usual, flipped) < 0.97, "flipped");
  await page.keyboard.press("r");
  await page.getByText(/· 90°|· 270°/).waitFor();
  await page.keyboard.press("0");
  await drawn(page);
  assert.ok(likeness(usual, await pictureInPane(page, 0, size)) > 0.99, "reset");
});

test("a length and an angle are measured in millimetres and degrees, and go with Delete", {
  skip: noBrowser,
}, async () => {
  const { page } = browser;
  await openStudy(page, house, (await studyWith(head[0]?.studyUid ?? "")).token);
  const box = await page.getByTestId("viewport-0").boundingBox();
  assert.ok(box);
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  const drag = async (fromX: number, fromY: number, toX: number, toY: number) => {
    await page.mouse.move(fromX, fromY);
    await page.mouse.down();
    await page.mouse.move(toX, toY, { steps: 6 });
    await page.mouse.up();
  };
  await page.keyboard.press("l");
  await drag(x - 100, y - 60, x + 60, y - 60);
  await page.locator('[data-testid="viewport-0"] svg text').first().waitFor();
  const zoom = Number(/Zoom ([\d.]+)/.exec((await page.getByTestId("overlay").textContent()) ?? "")?.[1]);
  const millimetres = (160 / zoom) * (await pixelSpacing());
  // The value follows the pointer: it is the drawn length once the last move has been drawn.
  await untilValue("mm", millimetres, 0.03 * millimetres);
  await page.keyboard.press("a");
  await drag(x - 80, y + 150, x - 80, y + 60);
  await page.mouse.move(x + 10, y + 60, { steps: 6 });
  await page.mouse.click(x + 10, y + 60);
  await untilValue("°", 90, 2);
  await page.mouse.move(box.x + 20, box.y + 20);
  await page.keyboard.press("Delete");
  await page.keyboard.press("Delete");
  await page.locator('[data-testid="viewport-0"] svg text').first().waitFor({ state: "detached" });
});

/** Waits for a measurement with that unit within `most` of `expected`. */
function untilValue(unit: string, expected: number, most: number): Promise<unknown> {
  return browser.page.waitForFunction(
    (wanted) =>
      [...document.querySelectorAll('[data-testid="viewport-0"] svg text')].some((text) => {
        const shown = text.textContent ?? "";
        return shown.includes(wanted.unit) && Math.abs(Number.parseFloat(shown) - wanted.expected) < wanted.most;
      }),
    { unit, expected, most },
  );
}

async function pixelSpacing(): Promise<number> {
  const [slice] = head;
  const answer = await house.fetch(`/dicom-web/studies/${slice?.studyUid}/series/${slice?.seriesUid}/metadata`, {
    headers: { accept: "application/dicom+json" },
  });
  const [instance] = (await answer.json()) as Record<string, { Value?: unknown[] }>[];
  return Number(instance?.["00280030"]?.Value?.[0]);
}

test("the loop plays and stops", { skip: noBrowser }, async () => {
  const { page } = browser;
  await openStudy(page, house, (await studyWith(brain[0]?.studyUid ?? "")).token);
  const number = page.getByTestId("image-number");
  await page.keyboard.press("Space");
  await page.waitForFunction(
    () => !document.querySelector('[data-testid="image-number"]')?.textContent?.startsWith("Image 1 /"),
  );
  await page.keyboard.press("Space");
  // An image that was on its way may still arrive; then it stays.
  const stays = async () => {
    const shown = await number.textContent();
    await page.waitForTimeout(400);
    return (await number.textContent()) === shown;
  };
  let isStill = await stays();
  for (let tries = 0; tries < 20 && !isStill; tries++) isStill = await stays();
  assert.ok(isStill, "the loop has stopped");
});

test("in every layout each pane shows its picture whole and undistorted", { skip: noBrowser }, async () => {
  const { page } = browser;
  const { studyUid, token } = await studyWith(brain[0]?.studyUid ?? "");
  await openStudy(page, house, token);
  const frames = await firstFrames(studyUid);
  const whole = await pictureOfServer(house, `${frames.path}/1`);
  for (const count of [2, 2, 4]) {
    await page.keyboard.press("g");
    await page.waitForFunction(
      (panes) => document.querySelectorAll('[data-testid^="viewport-"]').length === panes,
      count,
    );
    const last = count - 1;
    await page
      .locator("nav[aria-label=Series] button")
      .first()
      .dragTo(page.getByTestId(`viewport-${last}`));
    await page.waitForSelector(`[data-testid="viewport-${last}"][data-status="ready"]`);
    for (const pane of [0, last]) {
      let alike = 0;
      for (let tries = 0; tries < 40 && alike <= likeEnough; tries++) {
        await drawn(page);
        alike = likeness(await pictureInPane(page, pane, frames), whole);
      }
      assert.ok(alike > likeEnough, `pane ${pane} of ${count}: likeness ${alike.toFixed(4)}`);
    }
  }
});

test("the page never broke its content security policy and threw nothing", { skip: noBrowser }, () => {
  assert.deepEqual(browser.complaints, []);
});
