import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isProblem } from "#base/problem";
import { readLookupTable, readSegmentedTable, renderFrame } from "./index.ts";

function colourFrame(
  pixels: number[],
  photometricInterpretation: string,
  over: { planar?: 0 | 1; bits?: 8 | 16 } = {},
) {
  const bits = over.bits ?? 8;
  return {
    pixels: bits === 8 ? Uint8Array.from(pixels) : new Uint8Array(Uint16Array.from(pixels).buffer),
    rows: 1,
    columns: pixels.length / 3,
    samplesPerPixel: 3,
    bitsAllocated: bits,
    bitsStored: bits,
    pixelRepresentation: 0,
    planarConfiguration: over.planar ?? (0 as const),
    photometricInterpretation,
  };
}

const shown = (...given: Parameters<typeof colourFrame>) => [...renderFrame(colourFrame(...given), {}).pixels];

describe("colour", () => {
  test("YBR_FULL by the equations of PS3.3 C.7.6.3.1.2: gray, red, green, blue, and what lies outside is clamped", () => {
    assert.deepEqual(shown([100, 128, 128], "YBR_FULL"), [100, 100, 100]);
    assert.deepEqual(shown([76, 85, 255, 150, 44, 21, 29, 255, 107], "YBR_FULL"), [254, 0, 0, 0, 255, 1, 0, 0, 254]);
    assert.deepEqual(shown([255, 0, 255, 0, 255, 0], "YBR_FULL"), [255, 208, 28, 0, 48, 225]);
  });

  test("YBR_PARTIAL reaches from 16 to 235", () => {
    assert.deepEqual(shown([16, 128, 128, 235, 128, 128], "YBR_PARTIAL"), [0, 0, 0, 255, 255, 255]);
    assert.deepEqual(shown([81, 90, 240], "YBR_PARTIAL"), [254, 0, 0]);
  });

  test("colour by plane and 16 bit colour come out as bytes by pixel", () => {
    assert.deepEqual(shown([1, 2, 3, 4, 5, 6], "RGB", { planar: 1 }), [1, 3, 5, 2, 4, 6]);
    assert.deepEqual(shown([0, 0x8080, 0xffff], "RGB", { bits: 16 }), [0, 128, 255]);
  });

  test("inverting colour turns each channel", () => {
    const picture = renderFrame(colourFrame([0, 100, 255], "RGB"), {}, { invert: true });
    assert.deepEqual([...picture.pixels], [255, 155, 0]);
  });

  test("what cannot be shown is said to be so", () => {
    assert.throws(
      () => shown([1, 2, 3], "CMYK"),
      (error) => isProblem(error, "unsupported"),
    );
    assert.throws(
      () => shown([1, 2, 3], "PALETTE COLOR"),
      (error) => isProblem(error, "invalid"),
    );
  });
});

describe("look-up tables", () => {
  const words = (...values: number[]) => new Uint8Array(Uint16Array.from(values).buffer);

  test("0 entries stand for 65536, and a signed first value is read as one", () => {
    const table = readLookupTable([0, 0xfff6, 16], new Uint8Array(131072), true);
    assert.equal(table.data.length, 65536);
    assert.equal(table.first, -10);
    assert.equal(readLookupTable([0, 0xfff6, 16], new Uint8Array(131072), false).first, 65526);
  });

  test("8 bit entries are read packed in words or one in a word", () => {
    assert.deepEqual([...readLookupTable([4, 0, 8], Uint8Array.of(1, 2, 3, 4), false).data], [1, 2, 3, 4]);
    assert.deepEqual([...readLookupTable([2, 0, 8], words(7, 9), false).data], [7, 9]);
  });

  test("segments: discrete, linear, and indirect ones that repeat them (PS3.3 C.7.9.2)", () => {
    const segments = words(0, 1, 10, 1, 4, 50, 0, 2, 7, 8, 2, 2, 0, 0);
    const table = readSegmentedTable([12, 0, 16], segments, false);
    assert.deepEqual([...table.data], [10, 20, 30, 40, 50, 7, 8, 10, 20, 30, 40, 50]);
  });

  test("damaged tables and segments are refused, whatever they promise", () => {
    const bad = [
      () => readLookupTable([4, 0, 16], words(1, 2, 3), false),
      () => readLookupTable([4, 0], words(1, 2, 3, 4), false),
      () => readLookupTable([4, 0, 64], words(1, 2, 3, 4), false),
      () => readSegmentedTable([4, 0, 16], words(0, 9, 1), false),
      () => readSegmentedTable([4, 0, 16], words(1, 4, 9), false),
      () => readSegmentedTable([4, 0, 16], words(9, 4, 9), false),
      () => readSegmentedTable([400, 0, 16], words(2, 65535, 0, 0), false),
      () => readSegmentedTable([0, 0, 16], words(2, 65535, 65535, 65535), false),
      () => readSegmentedTable([0, 0, 16], words(0, 0, 2, 65535, 0, 0), false),
      () => readSegmentedTable([4, 0, 16], words(0, 1, 5), false),
    ];
    for (const [i, read] of bad.entries()) assert.throws(read, (error) => isProblem(error, "invalid"), `table ${i}`);
  });
});
