import assert from "node:assert/strict";
import { test } from "node:test";
import { elementsOf, TransferSyntaxUid, writeDataSet } from "#formats/dicom";
import type { HeldImage } from "#radiology/archive";
import { createImageCache } from "./index.ts";

/** An image of single pixels in very many frames: a few bytes each, and each is to be found. */
function manyFrames(id: string, frames: number): { image: HeldImage; opened: () => number } {
  const transferSyntaxUid = TransferSyntaxUid.explicitLittleEndian;
  const attributes = { SamplesPerPixel: 1, NumberOfFrames: frames, Rows: 1, Columns: 1, BitsAllocated: 8 };
  const before = Buffer.from(writeDataSet(elementsOf(attributes), { transferSyntaxUid }));
  const pixels = elementsOf({ PixelData: new Uint8Array(frames) });
  const whole = Buffer.concat([before, writeDataSet(pixels, { transferSyntaxUid })]);
  let opened = 0;
  const image = {
    ...{ id, transferSyntaxUid, sees: "whole", sopClassUid: "1.2.840.10008.5.1.4.1.1.7" },
    ...{ dataSetOffset: 0, pixelOffset: before.length + 12, pixelLength: frames },
    async open() {
      opened++;
      return { sizeBytes: whole.length, read: async (from: number, to: number) => whole.subarray(from, to) };
    },
  };
  return { image: image as unknown as HeldImage, opened: () => opened };
}

test("what is kept of an image weighs what its frames weigh: many frames put others out, too many are not kept", async () => {
  const cache = createImageCache(1024 * 1024);
  const [first, second, third, vast] = [
    ["a", 2_500],
    ["b", 2_500],
    ["c", 2_500],
    ["d", 10_000],
  ].map(([id, frames]) => manyFrames(id as string, frames as number));
  assert.ok(first && second && third && vast);
  for (const each of [first, second, second, first, third]) {
    assert.equal((await cache.image(each.image)).frames.length, 2_500);
  }
  await cache.image(first.image);
  assert.deepEqual([first.opened(), second.opened(), third.opened()], [1, 1, 1]);
  await cache.image(second.image);
  assert.equal(second.opened(), 2, "it was used longest ago");
  await cache.image(vast.image);
  await cache.image(vast.image);
  assert.equal(vast.opened(), 2);
  await cache.image(second.image);
  assert.equal(second.opened(), 2);
});
