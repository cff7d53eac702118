import assert from "node:assert/strict";
import { test } from "node:test";
import sharp from "sharp";
import { isProblem } from "#base/problem";
import { encodeAnimation } from "./index.ts";

const plain = (light: number, channels: 1 | 3 = 1) => ({
  ...{ width: 4, height: 2, channels },
  pixels: new Uint8Array(8 * channels).fill(light),
});

test("pictures follow each other in a GIF, gray or in colour, each for its time", async () => {
  for (const channels of [1, 3] as const) {
    const bytes = await encodeAnimation([plain(0, channels), plain(120, channels), plain(240, channels)], 40);
    const { pages, pageHeight, delay, loop } = await sharp(bytes, { animated: true }).metadata();
    assert.deepEqual([pages, pageHeight, delay, loop], [3, 2, [40, 40, 40], 0]);
    const second = await sharp(bytes, { page: 1 }).removeAlpha().raw().toBuffer();
    assert.ok(
      second.every((value) => Math.abs(value - 120) <= 2),
      `${second}`,
    );
  }
});

test("no pictures, or pictures of different sizes, are refused", async () => {
  for (const bad of [[], [plain(1), { ...plain(1), width: 5 }], [plain(1), plain(1, 3)]]) {
    await assert.rejects(encodeAnimation(bad, 100), (error) => isProblem(error, "invalid"));
  }
});
