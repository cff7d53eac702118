import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { readFile, Tag, tagOf } from "#formats/dicom";
import {
  compressedPhantomFiles,
  ingestSlices,
  type PhantomKind,
  phantomFiles,
  phantomStudy,
  phantomStudyUid,
} from "./index.ts";

const small = {
  "ct-head": { slices: 3, size: 128 },
  "mr-brain": { slices: 3, size: 64 },
  "us-colour": { frames: 2 },
  "xa-cine": { frames: 2, size: 128 },
  "dx-chest": { size: 128 },
} satisfies Record<PhantomKind, object>;
const kinds = Object.keys(small) as PhantomKind[];

const scratch = mkdtempSync(join(tmpdir(), "leadglass-phantoms-"));
after(() => rmSync(scratch, { recursive: true, force: true }));

const hash = (files: Iterable<Uint8Array>) => [...files].map((file) => createHash("sha256").update(file).digest("hex"));

test("the same seed gives the same bytes, another seed another patient, picture and UIDs", () => {
  for (const kind of kinds) {
    const options = { kind, ...small[kind] };
    const first = hash(phantomFiles({ ...options, seed: 4 }));
    assert.deepEqual(hash(phantomFiles({ ...options, seed: 4 })), first, kind);
    assert.notDeepEqual(hash(phantomFiles({ ...options, seed: 5 })), first, kind);
    assert.equal(new Set(first).size, first.length, kind);
  }
});

test("all instances of a study are of one patient, study and series, each with a UID of its own", () => {
  const files = [...phantomFiles({ kind: "ct-head", ...small["ct-head"], seed: 9 })].map(
    (file) => readFile(file).dataSet,
  );
  const distinct = (tag: number) => new Set(files.map((dataSet) => dataSet.text(tag)));
  for (const tag of [Tag.PatientID, Tag.StudyInstanceUID, Tag.SeriesInstanceUID, tagOf("FrameOfReferenceUID")]) {
    assert.equal(distinct(tag).size, 1);
  }
  assert.deepEqual([...distinct(Tag.StudyInstanceUID)], [phantomStudyUid({ kind: "ct-head", seed: 9 })]);
  assert.equal(distinct(Tag.SOPInstanceUID).size, 3);
  const heights = files.map((dataSet) => dataSet.numbers(tagOf("ImagePositionPatient"))?.[2] as number);
  assert.deepEqual(
    heights.map((z, i) => z - (heights[0] as number) - i * 1.25),
    [0, 0, 0],
  );
});

test("a CT head measures as a head does: air round it, bone, brain and liquor within", () => {
  const [instance] = phantomStudy({ kind: "ct-head", slices: 1, size: 256, seed: 2 });
  const bytes = instance?.frames[0] as Uint8Array;
  const units = Int16Array.from(new Uint16Array(bytes.buffer), (stored) => stored - 1024);
  const share = (from: number, to: number) => units.filter((hu) => hu >= from && hu <= to).length / units.length;
  assert.ok(share(-1024, -900) > 0.35, "air");
  assert.ok(share(15, 55) > 0.2, "brain");
  assert.ok(share(500, 2000) > 0.04, "bone");
  assert.ok(share(-10, 14) > 0.01, "liquor");
  const corner = units.subarray(0, 40);
  assert.ok(new Set(corner).size > 5, "noise in the air");
});

test("the objects satisfy their definitions by dciodvfy", (t) => {
  if (spawnSync("which", ["dciodvfy"]).status !== 0) {
    t.skip("needs dciodvfy: apt install dicom3tools");
    return;
  }
  for (const kind of kinds) {
    const path = join(scratch, `${kind}.dcm`);
    for (const file of phantomFiles({ kind, ...small[kind], seed: 6 })) writeFileSync(path, file);
    const { status, stderr, stdout } = spawnSync("dciodvfy", [path], { encoding: "utf8" });
    assert.deepEqual(
      [status, `${stdout}${stderr}`.split("\n").filter((line) => line.startsWith("Error"))],
      [0, []],
      kind,
    );
  }
});

test("compressed files hold what the compressor gave, one even fragment a frame, and say how colour was mixed", async () => {
  const told: { samplesPerPixel: number; length: number }[] = [];
  const compress = async (pixels: Uint8Array, shape: { samplesPerPixel: number }) => {
    told.push({ samplesPerPixel: shape.samplesPerPixel, length: pixels.length });
    return Uint8Array.of(1, 2, 3);
  };
  const options = { kind: "us-colour" as const, frames: 2, transferSyntaxUid: "1.2.840.10008.1.2.4.90", compress };
  for await (const bytes of compressedPhantomFiles(options)) {
    const file = readFile(bytes);
    assert.equal(file.transferSyntaxUid, options.transferSyntaxUid);
    assert.equal(file.dataSet.text(tagOf("PhotometricInterpretation")), "YBR_RCT");
    const lengths = file.dataSet.get(Tag.PixelData)?.fragments?.map((fragment) => fragment.length);
    assert.deepEqual(lengths, [0, 4, 4]);
  }
  assert.deepEqual(told, Array(2).fill({ samplesPerPixel: 3, length: 640 * 480 * 3 }));
});

test("slices for measuring intake are CT files of 526 kB, no two with the same pixels, one series in order", () => {
  const pixels = new Set<string>();
  const numbers: number[] = [];
  for (const bytes of ingestSlices({ count: 30, seed: 1 })) {
    assert.ok(bytes.length > 525_000 && bytes.length < 528_000);
    const { dataSet } = readFile(bytes);
    pixels.add(
      createHash("sha256")
        .update(dataSet.bytes(Tag.PixelData) as Uint8Array)
        .digest("hex"),
    );
    numbers.push(dataSet.number(Tag.InstanceNumber) as number);
  }
  assert.equal(pixels.size, 30);
  assert.deepEqual(
    numbers,
    Array.from({ length: 30 }, (_, i) => i + 1),
  );
});
