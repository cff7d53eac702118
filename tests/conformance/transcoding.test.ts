import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { readFile, Tag, TransferSyntaxUid, transferSyntaxOf } from "#formats/dicom";
import { createFrameCodecs } from "#imaging/codecs";
import { phantomFiles } from "#imaging/phantoms";
import { describeImage, storedFrames } from "../../imaging/codecs/described-image.fixture.ts";
import { dataFolder, has } from "../house/index.ts";
import { type OpenDoor, openDoor, storeIn } from "./dicomweb-door.fixture.ts";
import { imageFile } from "./dicomweb-files.fixture.ts";

const explicit = TransferSyntaxUid.explicitLittleEndian;
const plain = [
  explicit,
  TransferSyntaxUid.implicitLittleEndian,
  TransferSyntaxUid.explicitBigEndian,
  TransferSyntaxUid.deflatedExplicitLittleEndian,
];
const compressed = [
  TransferSyntaxUid.rleLossless,
  TransferSyntaxUid.jpegLossless,
  TransferSyntaxUid.jpegLosslessSv1,
  TransferSyntaxUid.jpegLsLossless,
  TransferSyntaxUid.jpeg2000Lossless,
  TransferSyntaxUid.htj2kLossless,
  TransferSyntaxUid.htj2kLosslessRpcl,
];

/** Debian's dciodvfy reads no deflated data set, DCMTK's no more than ours, and knows no HTJ2K. */
const unreadable: readonly string[] = [
  TransferSyntaxUid.deflatedExplicitLittleEndian,
  TransferSyntaxUid.htj2kLossless,
  TransferSyntaxUid.htj2kLosslessRpcl,
];

/** Programs of others that decode a transfer syntax, by their own codecs. */
const decoders: Readonly<Record<string, readonly (readonly string[])[]>> = {
  [TransferSyntaxUid.rleLossless]: [["dcmdrle"], ["gdcmconv", "--raw"]],
  [TransferSyntaxUid.jpegLossless]: [
    ["dcmdjpeg", "--conv-never"],
    ["gdcmconv", "--raw"],
  ],
  [TransferSyntaxUid.jpegLosslessSv1]: [
    ["dcmdjpeg", "--conv-never"],
    ["gdcmconv", "--raw"],
  ],
  [TransferSyntaxUid.jpegLsLossless]: [["dcmdjpls"], ["gdcmconv", "--raw"]],
  [TransferSyntaxUid.jpeg2000Lossless]: [["gdcmconv", "--raw"]],
  [TransferSyntaxUid.implicitLittleEndian]: [["dcmconv", "+te"]],
  [TransferSyntaxUid.explicitBigEndian]: [["dcmconv", "+te"]],
  [TransferSyntaxUid.deflatedExplicitLittleEndian]: [["dcmconv", "+te"]],
};

const scratch = mkdtempSync(join(tmpdir(), "leadglass-transcoding-"));
const codecs = createFrameCodecs();
let door: OpenDoor;
before(async () => {
  door = await openDoor();
});
after(async () => {
  await door.close();
  rmSync(scratch, { recursive: true, force: true });
});

async function store(bytes: Uint8Array): Promise<string> {
  const path = await storeIn(door, bytes);
  assert.ok(path);
  return path;
}

const inSyntax = (path: string, uid: string) =>
  door.server.inject({ url: path, headers: { accept: `application/dicom; transfer-syntax=${uid}` } });

/** All samples, colour by pixel, and what they mean. */
async function samplesOf(bytes: Uint8Array): Promise<{ samples: Buffer; photometric: string }> {
  const { dataSet, transferSyntaxUid } = readFile(bytes);
  const image = describeImage(dataSet, transferSyntaxUid);
  assert.ok(image);
  const frames: Uint8Array[] = [];
  let photometric = "";
  for (const { bytes: frame, bitOffset } of storedFrames(dataSet)) {
    const decoded = await codecs.decodeFrame(frame, { ...image, bitOffset });
    assert.equal(decoded.planarConfiguration, 0, "the samples compared here are colour by pixel");
    frames.push(decoded.pixels);
    photometric = decoded.photometricInterpretation;
  }
  return { samples: Buffer.concat(frames), photometric };
}

/** Errors of dciodvfy, without the places that they stand at. */
function errorsOf(bytes: Uint8Array): string[] {
  const path = join(scratch, "checked.dcm");
  writeFileSync(path, bytes);
  const { stderr, stdout } = spawnSync("dciodvfy", [path], { encoding: "utf8" });
  return `${stderr}${stdout}`.split("\n").filter((line) => line.startsWith("Error"));
}

/** Decodes with another program and reads what it made of it. */
function decodedBy(program: readonly string[], bytes: Uint8Array): Buffer {
  const [from, to] = [join(scratch, "given.dcm"), join(scratch, "made.dcm")];
  rmSync(to, { force: true });
  writeFileSync(from, bytes);
  const [name = "", ...flags] = program;
  const { status, stderr, stdout } = spawnSync(name, [...flags, from, to], { encoding: "utf8" });
  assert.ok(status === 0 && existsSync(to), `${program.join(" ")}: ${stderr}${stdout}`);
  return readFileSync(to);
}

const phantoms = [
  ...phantomFiles({ kind: "ct-head", slices: 1, size: 96 }),
  ...phantomFiles({ kind: "us-colour", frames: 2 }),
  ...phantomFiles({ kind: "xa-cine", frames: 3, size: 64 }),
];
const samples = [
  "transfer-syntaxes/MR_small.dcm",
  "transfer-syntaxes/SC_rgb_rle.dcm",
  "transfer-syntaxes/JPEG-LL.dcm",
  "transfer-syntaxes/emri_small_jpeg_2k_lossless.dcm",
  "photometric/test16signed.dcm",
  "photometric/TestPattern_Palette_16.dcm",
  "photometric/SC_ybr_full_422_uncompressed.dcm",
].map((name) => join(dataFolder, "dicom", name));

test("whole instances go into every lossless transfer syntax and lose nothing, by our decoders and by others'", async (t) => {
  const real = samples.filter((path) => existsSync(path)).map((path) => readFileSync(path));
  if (real.length === 0) t.diagnostic("without the sample data: set LEADGLASS_DATA");
  const missing = ["dcmdrle", "dcmdjpeg", "dcmdjpls", "dcmconv", "gdcmconv", "dciodvfy"].filter((name) => !has(name));
  if (missing.length > 0) t.diagnostic(`without ${missing.join(", ")}: apt install dcmtk libgdcm-tools dicom3tools`);
  let compared = 0;
  for (const file of [...phantoms, ...real]) {
    const stored = readFile(file);
    const path = await store(file);
    const expected = await samplesOf(file);
    const complaints = has("dciodvfy") ? errorsOf(file) : [];
    for (const to of [...plain, ...compressed].filter((uid) => uid !== stored.transferSyntaxUid)) {
      const what = `${stored.dataSet.text(Tag.SOPClassUID)} to ${transferSyntaxOf(to)?.name}`;
      const answer = await inSyntax(path, to);
      assert.equal(answer.statusCode, 200, `${what}: ${answer.body.slice(0, 200)}`);
      assert.equal(readFile(answer.rawPayload).transferSyntaxUid, to);
      const made = await samplesOf(answer.rawPayload);
      assert.ok(made.samples.equals(expected.samples), `${what}: samples`);
      assert.equal(made.photometric, expected.photometric, what);
      if (has("dciodvfy") && !unreadable.includes(to)) {
        const fresh = errorsOf(answer.rawPayload).filter((line) => !complaints.includes(line));
        assert.deepEqual(fresh, [], what);
      }
      for (const program of (decoders[to] ?? []).filter(([name = ""]) => has(name))) {
        const theirs = await samplesOf(decodedBy(program, answer.rawPayload));
        assert.ok(theirs.samples.equals(expected.samples), `${what}: samples by ${program.join(" ")}`);
        compared++;
      }
    }
  }
  t.diagnostic(`${compared} comparisons with decoders of others`);
});

test("what is compressed says where its frames begin, as far as that is known when the first is sent", async (t) => {
  for (const file of phantoms) {
    const path = await store(file);
    for (const to of compressed) {
      const answer = await inSyntax(path, to);
      const [table, ...frames] = fragmentsIn(answer.rawPayload);
      const begins = frames.map(({ offset }) => offset - (frames[0]?.offset ?? 0));
      assert.deepEqual(offsetsIn(answer.rawPayload, table), begins, transferSyntaxOf(to)?.name);
      if (!has("dcmdump") || unreadable.includes(to)) continue;
      const dumped = join(scratch, "dumped.dcm");
      writeFileSync(dumped, answer.rawPayload);
      const { status, stderr } = spawnSync("dcmdump", [dumped], { encoding: "utf8" });
      assert.deepEqual([status, stderr], [0, ""]);
    }
  }
  if (!has("dcmdump")) t.diagnostic("without dcmdump: apt install dcmtk");
  const side = 1_024;
  const noise = createHash("shake256", { outputLength: 5 * side * side * 2 })
    .update("noise")
    .digest();
  const values = { Rows: side, Columns: side, BitsAllocated: 16, BitsStored: 16, HighBit: 15, PixelData: noise };
  const large = await store(imageFile({ study: 42, values: { ...values, NumberOfFrames: 5 } }));
  const answer = await inSyntax(large, TransferSyntaxUid.rleLossless);
  const [table, ...frames] = fragmentsIn(answer.rawPayload);
  assert.deepEqual([table?.length, frames.length], [0, 5]);
  assert.ok((await samplesOf(answer.rawPayload)).samples.equals(noise));
});

function fragmentsIn(bytes: Uint8Array) {
  const found = readFile(bytes).dataSet.get(Tag.PixelData)?.fragments;
  assert.ok(found);
  return found;
}

function offsetsIn(bytes: Uint8Array, table: { offset: number; length: number } | undefined): number[] {
  const inTable = readFile(bytes).dataSet.range(table ?? { offset: 0, length: 0 });
  return Array.from({ length: inTable.length / 4 }, (_, at) => Buffer.from(inTable).readUInt32LE(at * 4));
}

test("what was stored with loss is decoded and says that it lost; compressed again it is not", async (t) => {
  const file = join(dataFolder, "dicom/transfer-syntaxes/JPGExtended.dcm");
  if (!existsSync(file)) return t.skip("needs the sample data: set LEADGLASS_DATA");
  const bytes = readFileSync(file);
  const path = await store(bytes);
  const answer = await inSyntax(path, explicit);
  assert.equal(readFile(answer.rawPayload).dataSet.text(Tag.LossyImageCompression), "01");
  assert.ok((await samplesOf(answer.rawPayload)).samples.equals((await samplesOf(bytes)).samples));
  assert.equal((await inSyntax(path, TransferSyntaxUid.rleLossless)).statusCode, 406);
});

test("compressed pictures inside sequences do not go along into another syntax", async (t) => {
  const file = join(dataFolder, "dicom/objects/mg-cr-dx/GH133.dcm");
  if (!existsSync(file)) return t.skip("needs the sample data: set LEADGLASS_DATA");
  const icon = 0x00880200;
  const bytes = readFileSync(file);
  assert.ok(readFile(bytes).dataSet.has(icon));
  const answer = await inSyntax(await store(bytes), TransferSyntaxUid.implicitLittleEndian);
  assert.equal(answer.statusCode, 200);
  assert.ok(!readFile(answer.rawPayload).dataSet.has(icon));
});

test("what fits no codec, and pixels that are none, are refused with 406 before a byte is sent", async (t) => {
  const [ct] = phantomFiles({ kind: "ct-head", slices: 1, size: 32 });
  const path = await store(ct as Uint8Array);
  assert.equal((await inSyntax(path, TransferSyntaxUid.jpegBaseline8Bit)).statusCode, 406);
  const names = ["transfer-syntaxes/liver_rle.dcm", "objects/sr/sr.dcm", "transfer-syntaxes/rtdose_rle.dcm"];
  const files = names.map((name) => join(dataFolder, "dicom", name)).filter((name) => existsSync(name));
  if (files.length === 0) return t.skip("the rest needs the sample data: set LEADGLASS_DATA");
  for (const file of files) {
    const answer = await inSyntax(await store(readFileSync(file)), TransferSyntaxUid.jpeg2000Lossless);
    assert.equal(answer.statusCode, 406, file);
  }
});

test("frames of single bits are packed without a gap, whatever they were", async (t) => {
  const file = join(dataFolder, "dicom/transfer-syntaxes/liver_rle.dcm");
  if (!existsSync(file)) return t.skip("needs the sample data: set LEADGLASS_DATA");
  const bytes = readFileSync(file);
  const answer = await inSyntax(await store(bytes), explicit);
  assert.ok((await samplesOf(answer.rawPayload)).samples.equals((await samplesOf(bytes)).samples));
});

test("single frames are compressed for the media type asked for, and refused where no codec takes them", async () => {
  const cine = phantoms.at(-1);
  assert.ok(cine);
  const path = await store(cine);
  const { samples: expected } = await samplesOf(cine);
  const image = describeImage(readFile(cine).dataSet, explicit);
  assert.ok(image);
  for (const [type, uid] of [
    ["image/jls", TransferSyntaxUid.jpegLsLossless],
    ["image/jpeg", TransferSyntaxUid.jpegLosslessSv1],
    ["image/jphc", TransferSyntaxUid.htj2kLossless],
    ["image/dicom-rle", TransferSyntaxUid.rleLossless],
  ] as const) {
    const answer = await door.server.inject({ url: `${path}/frames/3`, headers: { accept: type } });
    assert.equal(answer.headers["content-type"], `${type}; transfer-syntax=${uid}`);
    const { pixels } = await codecs.decodeFrame(answer.rawPayload, { ...image, transferSyntaxUid: uid });
    assert.ok(expected.subarray((expected.length / 3) * 2).equals(pixels), type);
  }
  const wide = { BitsAllocated: 32, BitsStored: 32, HighBit: 31, PixelData: new Uint8Array(256) };
  const answer = await door.server.inject({
    url: `${await store(imageFile({ study: 41, values: wide }))}/frames/1`,
    headers: { accept: "image/jls" },
  });
  assert.equal(answer.statusCode, 406);
});
