import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { isProblem } from "#base/problem";
import { frameLayoutOf, frameLocations, pixelDataOf } from "./frames.ts";
import { readFile } from "./read-data-set.ts";

const layout = { frames: 1, rows: 2, columns: 3, samplesPerPixel: 1, bitsAllocated: 16 };
const rangesOf = (...args: Parameters<typeof frameLocations>) =>
  frameLocations(...args).map(({ ranges }) => ranges.map(({ offset, length }) => [offset, length]));
const u32 = (...values: number[]) => new Uint8Array(Uint32Array.from(values).buffer);
const u64 = (...values: number[]) => new Uint8Array(BigUint64Array.from(values.map(BigInt)).buffer);
/** Fragments of these lengths, each with its item head in front. */
const fragments = (...lengths: number[]) => {
  let at = 100;
  return lengths.map((length) => {
    const range = { offset: at + 8, length };
    at += 8 + length;
    return range;
  });
};

test("Native frames follow each other, also bit by bit and with subsampled colour", () => {
  const native = { native: { offset: 50, length: 24 } };
  assert.deepEqual(rangesOf(native, { ...layout, frames: 2 }), [[[50, 12]], [[62, 12]]]);
  const bits = frameLocations(native, { ...layout, rows: 3, bitsAllocated: 1, frames: 2 });
  assert.deepEqual(bits, [
    { ranges: [{ offset: 50, length: 2 }], firstBit: 0 },
    { ranges: [{ offset: 51, length: 2 }], firstBit: 1 },
  ]);
  const colour = { ...layout, samplesPerPixel: 3, bitsAllocated: 8, photometricInterpretation: "YBR_FULL_422" };
  assert.deepEqual(rangesOf(native, { ...colour, frames: 2 }), [[[50, 12]], [[62, 12]]]);
});

test("Encapsulated frames are found by one frame, tables, one fragment each, or their beginnings", () => {
  const one = fragments(10, 20, 30);
  const all = one.map(({ offset, length }) => [offset, length]);
  assert.deepEqual(rangesOf({ fragments: one }, layout), [all]);
  assert.deepEqual(
    rangesOf({ fragments: one }, { ...layout, frames: 3 }),
    all.map((range) => [range]),
  );
  const two = { ...layout, frames: 2 };
  assert.deepEqual(rangesOf({ fragments: one, basicOffsetTable: u32(0, 46) }, two), [all.slice(0, 2), all.slice(2)]);
  assert.deepEqual(rangesOf({ fragments: one, startsFrame: (i) => i !== 1 }, two), [all.slice(0, 2), all.slice(2)]);
  const extended = {
    fragments: fragments(10, 20),
    extendedOffsetTable: u64(0, 18),
    extendedOffsetTableLengths: u64(9, 20),
  };
  assert.deepEqual(rangesOf(extended, two), [[[108, 9]], [[126, 20]]]);
  assert.deepEqual(rangesOf({ fragments: fragments(4, 4), basicOffsetTable: u32(0, 13) }, two), [
    [[108, 4]],
    [[120, 4]],
  ]);
});

test("Sizes that overflow, lie or miss are refused", () => {
  const native = { native: { offset: 0, length: 1000 } };
  const huge = {
    ...layout,
    rows: 65535,
    columns: 65535,
    samplesPerPixel: 65535,
    bitsAllocated: 64,
    frames: 2 ** 31 - 1,
  };
  for (const bad of [
    huge,
    { ...layout, frames: 84 },
    { ...layout, frames: 0 },
    { ...layout, frames: -1 },
    { ...layout, frames: 1.5 },
    { ...layout, rows: 0 },
    { ...layout, columns: Number.NaN },
    { ...layout, bitsAllocated: 0 },
  ]) {
    assert.throws(
      () => frameLocations(native, bad),
      (error) => isProblem(error, "invalid"),
    );
  }
  assert.equal(frameLocations(native, { ...layout, frames: 83 }).length, 83);
  assert.throws(
    () => frameLocations({ fragments: [] }, layout),
    (error) => isProblem(error, "invalid"),
  );
  assert.throws(
    () => frameLocations({ fragments: fragments(1, 2, 3) }, { ...layout, frames: 2 }),
    (error) => isProblem(error, "invalid"),
  );
  assert.throws(
    () => frameLocations({ fragments: fragments(1) }, { ...layout, frames: 2 ** 31 - 1 }),
    (error) => isProblem(error, "unsupported"),
  );
});

test("Frames of real files are found: multi-frame RLE, JPEG in many fragments, native cine", (t) => {
  const root = join(process.env.LEADGLASS_DATA ?? join(import.meta.dirname, "../../../shared/data"), "dicom");
  if (!existsSync(root)) return t.skip("needs the shared test data: set LEADGLASS_DATA");
  for (const [file, frames] of [
    ["transfer-syntaxes/SC_rgb_rle_16bit_2frame.dcm", 2],
    ["transfer-syntaxes/emri_small_jpeg_2k_lossless.dcm", 10],
    ["transfer-syntaxes/rtdose_rle.dcm", 15],
    ["objects/us-cine/US-PAL-8-10x-echo", 10],
    ["objects/xa-cine/HasFragmentSequence.dcm", undefined],
  ] as const) {
    const { dataSet } = readFile(readFileSync(join(root, file)));
    const layout = frameLayoutOf(dataSet);
    const found = frameLocations(pixelDataOf(dataSet)!, layout);
    assert.equal(found.length, frames ?? layout.frames, file);
    assert.ok(found.every(({ ranges }) => ranges.length > 0 && ranges.every(({ length }) => length > 0)));
  }
});
