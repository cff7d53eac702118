import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { after, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { type DataSet, readFile, Tag } from "#formats/dicom";
import { describeImage, storedFrames } from "./described-image.fixture.ts";
import { codecFamily, createFrameCodecs, type DecodedFrame, type FrameDescription } from "./index.ts";

const data = join(
  process.env.LEADGLASS_DATA ?? fileURLToPath(new URL("../../../shared/data", import.meta.url)),
  "dicom",
);
const skip = existsSync(data) ? false : "needs the sample data: set LEADGLASS_DATA (some 170 files)";
const scratch = mkdtempSync(join(tmpdir(), "leadglass-frames-"));
after(() => rmSync(scratch, { recursive: true, force: true }));

const codecs = createFrameCodecs();
const framesMax = 2;

interface Loaded {
  dataSet: DataSet;
  image: FrameDescription;
}

function load(path: string): Loaded | undefined {
  const { dataSet, transferSyntaxUid } = readFile(readFileSync(path));
  const image = describeImage(dataSet, transferSyntaxUid);
  return image && { dataSet, image };
}

async function decodeFirst({ dataSet, image }: Loaded): Promise<DecodedFrame[]> {
  const frames: DecodedFrame[] = [];
  for (const { bytes, bitOffset } of storedFrames(dataSet).slice(0, framesMax)) {
    frames.push(await codecs.decodeFrame(bytes, { ...image, bitOffset }));
  }
  return frames;
}

function run(program: string, args: string[]): void {
  const { status, stderr } = spawnSync(program, args, { encoding: "utf8", timeout: 20_000 });
  assert.equal(status, 0, `${program} ${args.join(" ")}: ${stderr}`);
}

function filesIn(folder: string, every = 1): string[] {
  if (!existsSync(data)) return [];
  const all = readdirSync(join(data, folder), { recursive: true, encoding: "utf8" }).map((name) =>
    join(data, folder, name),
  );
  return all.filter((path) => statSync(path).isFile() && !path.endsWith("README.md")).filter((_, i) => i % every === 0);
}

const files = [
  ...["transfer-syntaxes", "photometric", "objects"].flatMap((folder) => filesIn(folder)),
  ...filesIn("series", 40),
];

/** Who else decodes a family, and how it is called. */
const peers: Partial<Record<string, { program: string; args: (from: string, to: string) => string[] }>> = {
  jpeg: { program: "dcmdjpeg", args: (from, to) => [from, to] },
  "jpeg-ls": { program: "dcmdjpls", args: (from, to) => [from, to] },
  rle: { program: "dcmdrle", args: (from, to) => [from, to] },
  "jpeg-2000": { program: "gdcmconv", args: (from, to) => ["--raw", from, to] },
  "native-big-endian": { program: "dcmconv", args: (from, to) => ["+te", from, to] },
};

/**
 * Where another answer than the peer's is right. `most` is how far a sample may be off; `bits` says to compare only the stored
 * ones; `none` that the peer is not to be compared with at all.
 */
const explained: Record<string, { most?: number; bits?: number; none?: true; why: string }> = {
  "JLSL_16_15_1_1F.dcm": { bits: 15, why: "15 bits signed: the unused bit repeats the sign here and is 0 in DCMTK" },
  "rtdose_expb.dcm": {
    none: true,
    why: "32 bit big endian: DCMTK turns OW in words of 16 bits, the maker turned whole samples",
  },
  "liver_rle.dcm": { none: true, why: "DCMTK does not take RLE of 1 bit" },
};

/** 12 bit cosine transforms: ours sums in floating point, libjpeg in integers. */
const isRounded = (image: FrameDescription) =>
  codecFamily(image.transferSyntaxUid) === "jpeg" && image.bitsStored === 12;

function samples(frame: DecodedFrame): Uint8Array | Uint16Array | Uint32Array {
  const { pixels, samplesPerPixel, planarConfiguration } = frame;
  const { buffer } = Uint8Array.from(pixels);
  const kinds = { 8: Uint8Array, 16: Uint16Array, 32: Uint32Array } as const;
  const plain = new kinds[frame.bitsAllocated as 8 | 16 | 32](buffer);
  if (planarConfiguration === 0) return plain;
  const count = plain.length / samplesPerPixel;
  return plain.map((_, i) => plain[(i % samplesPerPixel) * count + Math.floor(i / samplesPerPixel)] as number);
}

function compare(name: string, image: FrameDescription, ours: DecodedFrame, theirs: DecodedFrame): void {
  const known = explained[name.split("/").at(-1) as string];
  const mask = known?.bits === undefined ? -1 : 2 ** known.bits - 1;
  const most = known?.most ?? (isRounded(image) && image.transferSyntaxUid < "1.2.840.10008.1.2.4.57" ? 1 : 0);
  const [a, b] = [samples(ours), samples(theirs)];
  assert.equal(a.length, b.length, `${name}: samples`);
  for (let i = 0; i < a.length; i++) {
    const off = Math.abs(((a[i] as number) & mask) - ((b[i] as number) & mask));
    if (off > most) assert.fail(`${name}: sample ${i} is ${a[i]}, and ${b[i]} by the other decoder`);
  }
}

describe("frames of real files", { skip }, () => {
  test(`every file with pixels decodes to frames of its size (${files.length} files)`, async () => {
    let pictures = 0;
    for (const path of files) {
      const loaded = load(path);
      if (loaded === undefined) continue;
      const name = relative(data, path);
      const frames = await decodeFirst(loaded).catch((error) => assert.fail(`${name}: ${error}`));
      assert.ok(frames.length > 0, name);
      for (const frame of frames) {
        const { rows, columns, samplesPerPixel, bitsAllocated } = frame;
        assert.equal(frame.pixels.length, (rows * columns * samplesPerPixel * bitsAllocated) / 8, name);
      }
      pictures++;
    }
    assert.ok(pictures > 120, `${pictures} files with pixels`);
  });

  for (const [family, peer] of Object.entries(peers)) {
    test(`${family} frames have the samples that ${peer?.program} finds`, async (t) => {
      if (peer === undefined || spawnSync("which", [peer.program]).status !== 0) {
        t.skip(`needs ${peer?.program}: apt install dcmtk libgdcm-tools`);
        return;
      }
      let compared = 0;
      for (const path of files) {
        const name = relative(data, path);
        if (explained[name.split("/").at(-1) as string]?.none) continue;
        const loaded = load(path);
        if (loaded === undefined || codecFamily(loaded.image.transferSyntaxUid) !== family) continue;
        const plain = join(scratch, "plain.dcm");
        rmSync(plain, { force: true });
        run(peer.program, peer.args(path, plain));
        const theirs = load(plain);
        assert.ok(theirs, name);
        const [ours, others] = [await decodeFirst(loaded), await decodeFirst(theirs)];
        ours.forEach((frame, i) => {
          compare(name, loaded.image, frame, others[i] as DecodedFrame);
        });
        compared++;
      }
      assert.ok(compared > 0);
    });
  }

  test("one CT slice in every transfer syntax without loss has the same samples", async () => {
    const lossless = files.filter(
      (path) => path.includes("/CTImage.dcm_") && !/4\.(50|51|53|55|81|91)\.dcm$/.test(path),
    );
    const all = await Promise.all(lossless.map(async (path) => (await decodeFirst(load(path) as Loaded))[0]?.pixels));
    assert.equal(all.length, 9);
    for (const pixels of all) assert.deepEqual(pixels, all[0]);
  });

  test("one bit frames are the same as RLE, deflated, JPEG 2000 and native", async () => {
    const of = async (name: string) => {
      const frames = await decodeFirst(load(join(data, name)) as Loaded);
      return frames.map((frame) => Buffer.from(frame.pixels).toString("base64"));
    };
    const native = await of("objects/seg-ct-liver/liver.dcm");
    assert.equal(native.length, framesMax);
    for (const name of ["liver_rle", "liver_deflate", "liver_j2k"]) {
      assert.deepEqual(await of(`transfer-syntaxes/${name}.dcm`), native, name);
    }
  });

  test("a 32 bit dose is the same big endian, little endian and RLE", async () => {
    const of = async (name: string) => (await decodeFirst(load(join(data, name)) as Loaded))[0]?.pixels;
    const native = await of("objects/rt/rtdose.dcm");
    for (const name of ["rtdose_expb", "rtdose_rle"]) {
      assert.deepEqual(Buffer.from((await of(`transfer-syntaxes/${name}.dcm`)) ?? []), Buffer.from(native ?? []), name);
    }
  });

  test("frames are found where fragments outnumber them or tables are missing", () => {
    const cine = load(join(data, "objects/xa-cine/HasFragmentSequence.dcm")) as Loaded;
    const frames = storedFrames(cine.dataSet);
    assert.equal(frames.length, 96);
    for (const { bytes } of frames) assert.equal(bytes[1], 0xd8);
    const slice = load(join(data, "transfer-syntaxes/mr-jpeg-lossless-fragmented/5001001.dcm")) as Loaded;
    assert.ok((slice.dataSet.get(Tag.PixelData)?.fragments?.length ?? 0) >= 2);
    assert.equal(storedFrames(slice.dataSet).length, 1);
  });
});
