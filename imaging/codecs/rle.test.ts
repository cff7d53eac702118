import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isProblem } from "#base/problem";
import type { FrameDescription } from "./frame.ts";
import { decodeRle, encodeRle } from "./rle.ts";

const shape = (over: Partial<FrameDescription> = {}): FrameDescription => ({
  transferSyntaxUid: "1.2.840.10008.1.2.5",
  rows: 2,
  columns: 4,
  samplesPerPixel: 1,
  bitsAllocated: 8,
  bitsStored: 8,
  pixelRepresentation: 0,
  photometricInterpretation: "MONOCHROME2",
  ...over,
});

/** A frame whose header names the given segments. */
function frameOf(...segments: number[][]): Uint8Array {
  const out = new Uint8Array(64 + segments.flat().length);
  const view = new DataView(out.buffer);
  view.setUint32(0, segments.length, true);
  let at = 64;
  segments.forEach((segment, i) => {
    view.setUint32(4 + i * 4, at, true);
    out.set(segment, at);
    at += segment.length;
  });
  return out;
}

test("runs, literals and the no-operation byte are read as PS3.5 G.3.1 says", () => {
  const pixels = decodeRle(frameOf([0xfd, 7, 0x80, 3, 1, 2, 3, 4]), shape());
  assert.deepEqual([...pixels], [7, 7, 7, 7, 1, 2, 3, 4]);
});

test("16 bit samples come as two planes, the more significant byte first, and leave little endian", () => {
  const pixels = decodeRle(
    frameOf([1, 0x12, 0x34], [1, 0x56, 0x78]),
    shape({ rows: 1, columns: 2, bitsAllocated: 16 }),
  );
  assert.deepEqual([...pixels], [0x56, 0x12, 0x78, 0x34]);
});

test("a frame of the wrong segments, offsets or length is refused", () => {
  const bad: [string, Uint8Array][] = [
    ["no header", new Uint8Array(63)],
    ["two segments for one plane", frameOf([7, 1, 2, 3, 4, 5, 6, 7, 8], [0, 0])],
    ["a run cut short", frameOf([0xf9])],
    ["a literal cut short", frameOf([7, 1, 2, 3])],
    ["too few pixels", frameOf([0xfe, 1])],
  ];
  const outside = frameOf([0xf9, 1]);
  new DataView(outside.buffer).setUint32(4, 0xffffff00, true);
  for (const [what, bytes] of [...bad, ["an offset outside", outside] as const]) {
    assert.throws(
      () => decodeRle(bytes, shape()),
      (error) => isProblem(error, "invalid"),
      what,
    );
  }
});

test("what is compressed comes back, whatever the samples and their size", () => {
  const frame = fc.record({
    rows: fc.integer({ min: 1, max: 5 }),
    columns: fc.integer({ min: 1, max: 300 }),
    samplesPerPixel: fc.constantFrom(1, 3),
    bitsAllocated: fc.constantFrom(8, 16, 32),
    choices: fc.integer({ min: 1, max: 4 }),
    seed: fc.integer(),
  });
  fc.assert(
    fc.property(frame, ({ choices, seed, ...over }) => {
      const image = shape({ ...over, bitsStored: over.bitsAllocated });
      let state = seed | 1;
      const pixels = new Uint8Array((over.rows * over.columns * over.samplesPerPixel * over.bitsAllocated) / 8).map(
        () => {
          state = Math.imul(state, 1664525) + 1013904223;
          return (state >>> 24) % (choices * 2);
        },
      );
      const bytes = encodeRle(pixels, image);
      assert.equal(bytes.length % 2, 0);
      assert.deepEqual(decodeRle(bytes, image), pixels);
    }),
    { numRuns: 80, seed: 3 },
  );
});
