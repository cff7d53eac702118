import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isProblem } from "#base/problem";
import { type Picture, renderFrame, resizePicture, type Viewport } from "./index.ts";

const gray = (width: number, pixels: number[]): Picture => ({
  width,
  height: pixels.length / width,
  channels: 1,
  pixels: Uint8Array.from(pixels),
});

/** The picture through `renderFrame`, whose window leaves bytes as they are. */
function through(picture: Picture, viewport: Viewport): Picture {
  const frame = {
    pixels: picture.pixels,
    rows: picture.height,
    columns: picture.width,
    samplesPerPixel: 1,
    bitsAllocated: 8,
    bitsStored: 8,
    pixelRepresentation: 0,
    planarConfiguration: 0 as const,
    photometricInterpretation: "MONOCHROME2",
  };
  return renderFrame(frame, {}, { viewport });
}

test("shrinking averages the area each pixel takes", () => {
  const small = resizePicture(gray(4, [0, 100, 200, 40, 100, 200, 0, 0]), 2, 1);
  assert.deepEqual([...small.pixels], [100, 60]);
  assert.deepEqual([...resizePicture(gray(3, [0, 90, 180]), 2, 1).pixels], [30, 150]);
});

test("growing draws straight lines between pixel centres and holds the border", () => {
  assert.deepEqual([...resizePicture(gray(2, [0, 100]), 4, 1).pixels], [0, 25, 75, 100]);
  assert.deepEqual([...resizePicture(gray(1, [7]), 3, 2).pixels], [7, 7, 7, 7, 7, 7]);
});

test("channels do not run into one another", () => {
  const picture: Picture = { width: 2, height: 1, channels: 3, pixels: Uint8Array.of(0, 100, 200, 100, 200, 0) };
  assert.deepEqual([...resizePicture(picture, 1, 1).pixels], [50, 150, 100]);
});

test("a viewport keeps proportions, cuts, and mirrors where the size is negative (PS3.18 8.3.5.1.3)", () => {
  const wide = gray(4, [1, 2, 3, 4, 5, 6, 7, 8]);
  const fitted = through(wide, { width: 2, height: 50 });
  assert.deepEqual([fitted.width, fitted.height], [2, 1]);
  const part = { width: 2, height: 2, sx: 1, sy: 0 };
  assert.deepEqual([...through(wide, { ...part, sw: 2, sh: 2 }).pixels], [2, 3, 6, 7]);
  assert.deepEqual([...through(wide, { ...part, sw: -2, sh: 2 }).pixels], [3, 2, 7, 6]);
  assert.deepEqual([...through(wide, { ...part, sw: 2, sh: -2 }).pixels], [6, 7, 2, 3]);
});

test("a viewport outside the image, or of no size, is refused", () => {
  const picture = gray(4, [1, 2, 3, 4]);
  const bad: Viewport[] = [
    { width: 0, height: 5 },
    { width: 5, height: 1e9 },
    { width: Number.NaN, height: 5 },
    { width: 5, height: 5, sx: 4 },
    { width: 5, height: 5, sx: 2, sw: 3 },
    { width: 5, height: 5, sy: -1 },
    { width: 5, height: 5, sw: 0 },
  ];
  for (const viewport of bad)
    assert.throws(
      () => through(picture, viewport),
      (error) => isProblem(error, "invalid"),
    );
});

test("a picture of one brightness keeps it at any size", () => {
  const sides = fc.integer({ min: 1, max: 40 });
  fc.assert(
    fc.property(sides, sides, sides, sides, fc.nat(255), (width, height, toWidth, toHeight, light) => {
      const flat = gray(width, new Array(width * height).fill(light));
      const out = resizePicture(flat, toWidth, toHeight);
      assert.ok(out.pixels.length === toWidth * toHeight && out.pixels.every((pixel) => pixel === light));
    }),
    { numRuns: 100, seed: 5 },
  );
});
