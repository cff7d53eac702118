import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isProblem } from "#base/problem";
import { type DisplayAttributes, renderFrame, type Window } from "./index.ts";

/** A picture of one row of 16 bit values. */
function frameOf(values: number[], over: { bitsStored?: number; signed?: boolean; photometric?: string } = {}) {
  return {
    pixels: new Uint8Array(Uint16Array.from(values).buffer),
    rows: 1,
    columns: values.length,
    samplesPerPixel: 1,
    bitsAllocated: 16,
    bitsStored: over.bitsStored ?? 16,
    pixelRepresentation: over.signed ? 1 : 0,
    planarConfiguration: 0 as const,
    photometricInterpretation: over.photometric ?? "MONOCHROME2",
  };
}

const shown = (values: number[], attributes: DisplayAttributes, over?: Parameters<typeof frameOf>[1]) => [
  ...renderFrame(frameOf(values, over), attributes).pixels,
];

const windowCases: [Window, [x: number, y: number][]][] = [
  [
    { center: 2048, width: 4096 },
    [
      [0, 0],
      [1, 0],
      [2047, 127],
      [2048, 128],
      [4095, 255],
      [5000, 255],
    ],
  ],
  [
    { center: 2048, width: 1 },
    [
      [2047, 0],
      [2048, 255],
    ],
  ],
  [
    { center: 0, width: 100 },
    [
      [-51, 0],
      [-50, 0],
      [-49, 3],
      [0, 129],
      [48, 252],
      [49, 255],
      [50, 255],
    ],
  ],
  [
    { center: 0, width: 1 },
    [
      [-1, 0],
      [0, 255],
    ],
  ],
  [
    { center: 2048, width: 4096, function: "LINEAR_EXACT" },
    [
      [0, 0],
      [1024, 64],
      [2048, 128],
      [4096, 255],
    ],
  ],
  [
    { center: 0, width: 100, function: "LINEAR_EXACT" },
    [
      [-50, 0],
      [-25, 64],
      [0, 128],
      [25, 191],
      [50, 255],
    ],
  ],
  [
    { center: 0, width: 100, function: "SIGMOID" },
    [
      [-1000, 0],
      [-25, 69],
      [0, 128],
      [25, 186],
      [1000, 255],
    ],
  ],
];
describe("windows, by the examples of PS3.3 C.11.2.1.2.1 and C.11.2.1.3", () => {
  for (const [window, pairs] of windowCases) {
    test(`${window.function ?? "LINEAR"} c=${window.center} w=${window.width}`, () => {
      const got = shown(
        pairs.map(([x]) => x),
        { windows: [window] },
        { signed: true },
      );
      assert.deepEqual(
        got,
        pairs.map(([, y]) => y),
      );
    });
  }
});

describe("which window is taken", () => {
  test("a window asked for takes the place of the data set's, and one without width is refused", () => {
    const frame = frameOf([0, 100, 200]);
    const attributes = { windows: [{ center: 1000, width: 10 }] };
    assert.deepEqual(
      [...renderFrame(frame, attributes, { window: { center: 100.5, width: 201 } }).pixels],
      [0, 128, 255],
    );
    const none = () => renderFrame(frame, attributes, { window: { center: 0, width: 0 } });
    assert.throws(none, (error) => isProblem(error, "invalid"));
  });

  test("the data set's windows that make no sense are passed over", () => {
    const windows = [
      { center: 5, width: 0 },
      { center: Number.NaN, width: 9 },
      { center: 128, width: 256 },
    ];
    assert.deepEqual(shown([0, 128, 255], { windows }), [0, 128, 255]);
  });
});

describe("the way from stored value to brightness", () => {
  const window = { center: 0, width: 100, function: "LINEAR_EXACT" } as const;

  test("rescale comes before the window", () => {
    const attributes = { rescaleSlope: 2, rescaleIntercept: -1024, windows: [window] };
    assert.deepEqual(shown([487, 512, 537], attributes), [0, 128, 255]);
  });

  test("a modality table takes the place of rescale, and holds its ends", () => {
    const modalityLut = { first: 10, bits: 16, data: Uint16Array.of(0, 25, 50) };
    assert.deepEqual(
      shown([0, 10, 11, 12, 99], { modalityLut, rescaleSlope: 9, windows: [window] }),
      [128, 128, 191, 255, 255],
    );
  });

  test("a VOI table is used where there is no window, by the bits of its entries", () => {
    const voiLut = { first: -1, bits: 12, data: Uint16Array.of(0, 2048, 4095) };
    assert.deepEqual(shown([-5, -1, 0, 1, 7], { voiLut }, { signed: true }), [0, 0, 128, 255, 255]);
  });

  test("bits above the stored ones are ignored, the highest stored one is the sign, and HighBit says where they lie", () => {
    const windows = [{ center: 0, width: 4096, function: "LINEAR_EXACT" as const }];
    assert.deepEqual(
      shown([0xf800, 0x0800, 0x0000, 0xf7ff], { windows }, { bitsStored: 12, signed: true }),
      [0, 0, 128, 255],
    );
    const high = { windows: [{ center: 2048, width: 4096 }], highBit: 15 };
    assert.deepEqual(shown([0x0000, 0x7ff0, 0xffff], high, { bitsStored: 12 }), [0, 127, 255]);
  });

  test("MONOCHROME1 and an inverse presentation turn it round, once; so does who looks", () => {
    const windows = [{ center: 128, width: 256 }];
    assert.deepEqual(shown([0, 64, 255], { windows }, { photometric: "MONOCHROME1" }), [255, 191, 0]);
    assert.deepEqual(shown([0, 255], { windows, presentationLutShape: "INVERSE" }), [255, 0]);
    const both = { windows, presentationLutShape: "INVERSE" };
    assert.deepEqual(shown([0, 255], both, { photometric: "MONOCHROME1" }), [255, 0]);
    const frame = frameOf([0, 255], { photometric: "MONOCHROME1" });
    assert.deepEqual([...renderFrame(frame, { windows }, { invert: true }).pixels], [0, 255]);
  });
});

describe("odd pictures", () => {
  test("padding is black either way and does not widen the window that is made up", () => {
    const attributes = { pixelPaddingValue: -2000, pixelPaddingRangeLimit: -1990 };
    assert.deepEqual(shown([-2000, -1995, 0, 50, 100], attributes, { signed: true }), [0, 0, 0, 128, 255]);
    const turned = shown([-2000, 0, 100], attributes, { signed: true, photometric: "MONOCHROME1" });
    assert.deepEqual(turned, [0, 255, 0]);
  });

  test("without a window a few outliers do not darken the rest", () => {
    const values = Array.from({ length: 4000 }, (_, i) => i % 101);
    values[7] = 60000;
    const got = shown(values, {});
    assert.equal(got[100], 255);
    assert.equal(got[50], 128);
    assert.equal(got[7], 255);
  });

  test("a picture of one value, or of padding only, is shown without fault", () => {
    assert.deepEqual(shown([9, 9], {}), [255, 255]);
    assert.deepEqual(shown([9, 9], { pixelPaddingValue: 9 }), [0, 0]);
  });

  test("32 bit and floating samples are shown over their range", () => {
    const wide = (samples: Uint32Array | Float32Array, float: boolean) => {
      const frame = { ...frameOf([0]), columns: samples.length, bitsAllocated: 32, bitsStored: 32 };
      return [...renderFrame({ ...frame, pixels: new Uint8Array(samples.buffer) }, { float }).pixels];
    };
    assert.deepEqual(wide(Uint32Array.of(0, 2 ** 31, 2 ** 32 - 1), false), [0, 128, 255]);
    assert.deepEqual(wide(Float32Array.of(-1, 0, Number.NaN, 1), true), [0, 128, 0, 255]);
  });

  test("samples that lie at an odd address are read all the same", () => {
    const frame = frameOf([0, 300, 65535]);
    const moved = new Uint8Array(7);
    moved.set(frame.pixels, 1);
    const attributes = { windows: [{ center: 300, width: 601 }] };
    assert.deepEqual(
      [...renderFrame({ ...frame, pixels: moved.subarray(1) }, attributes).pixels],
      [...renderFrame(frame, attributes).pixels],
    );
  });
});
