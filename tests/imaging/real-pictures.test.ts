import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { readFile } from "#formats/dicom";
import { createFrameCodecs } from "#imaging/codecs";
import { type Picture, type RenderOptions, renderFrame } from "#imaging/rendering";
import { displayOf } from "#radiology/images";
import { describeImage, storedFrames } from "../../imaging/codecs/described-image.fixture.ts";

const folder = join(
  process.env.LEADGLASS_DATA ?? fileURLToPath(new URL("../../../shared/data", import.meta.url)),
  "dicom/photometric",
);
const skip = existsSync(folder) ? false : "needs the sample data: set LEADGLASS_DATA (31 files)";
const names = skip === false ? readdirSync(folder).filter((name) => name !== "README.md") : [];
const scratch = mkdtempSync(join(tmpdir(), "leadglass-pictures-"));
after(() => rmSync(scratch, { recursive: true, force: true }));

const codecs = createFrameCodecs();

async function render(name: string, options: RenderOptions = {}): Promise<Picture> {
  const { dataSet, transferSyntaxUid } = readFile(readFileSync(join(folder, name)));
  const image = describeImage(dataSet, transferSyntaxUid);
  assert.ok(image, name);
  const [first] = storedFrames(dataSet);
  assert.ok(first, name);
  const frame = await codecs.decodeFrame(first.bytes, image);
  return renderFrame(frame, displayOf(dataSet, 0, false), options);
}

/** Pixels of a binary PGM or PPM file. */
function readPnm(bytes: Buffer): { channels: number; pixels: Buffer } {
  const head = /^P([56])\s+(?:#[^\n]*\n)?\d+\s+\d+\s+\d+\s/.exec(bytes.subarray(0, 200).toString("latin1"));
  assert.ok(head, "a PNM header");
  return { channels: head[1] === "6" ? 3 : 1, pixels: bytes.subarray(head[0].length) };
}

/** DCMTK has its picture writers in three programs, by codec. */
function peerPicture(
  name: string,
  window: { center: number; width: number } | undefined,
): ReturnType<typeof readPnm> | undefined {
  const out = join(scratch, "peer.pnm");
  const gray = window === undefined ? [] : ["+Ww", String(window.center), String(window.width)];
  for (const program of ["dcm2pnm", "dcmj2pnm", "dcml2pnm"]) {
    rmSync(out, { force: true });
    const { status } = spawnSync(program, ["-O", ...gray, join(folder, name), out], { timeout: 20_000 });
    if (status === 0) return readPnm(readFileSync(out));
  }
  return undefined;
}

/** DCMTK decodes neither. */
const withoutPeer = ["SC_rgb_gdcm_KY.dcm", "gdcm-US-ALOKA-16.dcm"];
/** Windows that reach over the values of the grayscale files, so that both sides map the same range. */
const windows: Record<string, { center: number; width: number }> = {
  "CR-MONO1-10-chest": { center: 512, width: 1024 },
  "mlut_18.dcm": { center: 2048, width: 4096 },
  "overlay.dcm": { center: 1000, width: 2200 },
  "test16signed.dcm": { center: 0, width: 4000 },
};

describe("pictures of real files", { skip }, () => {
  test(`every photometric interpretation is shown as DCMTK shows it, within 2 of 255 (${names.length} files)`, async (t) => {
    if (spawnSync("which", ["dcmj2pnm"]).status !== 0) return t.skip("needs dcmj2pnm: apt install dcmtk");
    let compared = 0;
    for (const name of names.filter((each) => !withoutPeer.includes(each))) {
      const window = windows[name];
      const ours = await render(name, { window });
      const theirs = peerPicture(name, window);
      assert.ok(theirs, `${name}: no picture by DCMTK`);
      assert.deepEqual([ours.channels, ours.pixels.length], [theirs.channels, theirs.pixels.length], name);
      const off = ours.pixels.reduce(
        (most, pixel, i) => Math.max(most, Math.abs(pixel - (theirs.pixels[i] as number))),
        0,
      );
      assert.ok(off <= 2, `${name}: off by ${off}`);
      compared++;
    }
    assert.equal(compared, names.length - withoutPeer.length);
  });

  test("the test card is the same picture in every form it comes in, within the loss of the form", async () => {
    const { pixels } = await render("TestPattern_RGB.dcm");
    const most: Record<string, number> = {
      "TestPattern_JPEG-LS-Lossless.dcm": 0,
      "TestPattern_JPEG-Lossless_RGB.dcm": 0,
      "TestPattern_JPEG-LS-NearLossless.dcm": 1.5,
      "TestPattern_JPEG-Baseline_YBRFull.dcm": 2,
      "TestPattern_JPEG-Baseline_YBR422.dcm": 2.5,
      "TestPattern_Palette.dcm": 2.5,
      "TestPattern_Palette_16.dcm": 2.5,
    };
    for (const [name, bound] of Object.entries(most)) {
      const other = await render(name);
      let sum = 0;
      other.pixels.forEach((pixel, i) => {
        sum += Math.abs(pixel - (pixels[i] as number));
      });
      assert.ok(sum / pixels.length <= bound, `${name}: off by ${sum / pixels.length} on average`);
    }
  });

  test("a segmented palette colours an ultrasound: gray tissue, green marks", async () => {
    const { pixels } = await render("gdcm-US-ALOKA-16.dcm");
    let [gray, green] = [0, 0];
    for (let i = 0; i < pixels.length; i += 3) {
      const [r, g, b] = [pixels[i], pixels[i + 1], pixels[i + 2]] as [number, number, number];
      if (r === g && g === b && g > 20) gray++;
      if (g > 200 && r < 60 && b < 60) green++;
    }
    assert.ok(gray > 60_000, `${gray} gray`);
    assert.ok(green > 300 && green < 5000, `${green} green`);
  });
});
