import assert from "node:assert/strict";
import { test } from "node:test";
import sharp from "sharp";
import { isProblem } from "#base/problem";
import { encodePicture } from "./index.ts";

const gray = { width: 3, height: 2, channels: 1 as const, pixels: Uint8Array.of(0, 50, 100, 150, 200, 255) };
const colour = { width: 2, height: 1, channels: 3 as const, pixels: Uint8Array.of(255, 0, 0, 0, 0, 255) };

test("a PNG holds every pixel and no more channels than the picture has", async () => {
  for (const picture of [gray, colour]) {
    const file = sharp(await encodePicture(picture, { type: "image/png" }));
    const { width, height, channels } = await file.metadata();
    assert.deepEqual([width, height, channels], [picture.width, picture.height, picture.channels]);
    const data = await file
      .toColourspace(picture.channels === 1 ? "b-w" : "srgb")
      .raw()
      .toBuffer();
    assert.deepEqual([...data], [...picture.pixels]);
  }
});

test("a JPEG has the picture's size and channels, and quality changes its length", async () => {
  for (const picture of [gray, colour]) {
    const meta = await sharp(await encodePicture(picture, { type: "image/jpeg", quality: 95 })).metadata();
    assert.deepEqual(
      [meta.format, meta.width, meta.height, meta.channels],
      ["jpeg", picture.width, picture.height, picture.channels],
    );
  }
  const noise = {
    width: 64,
    height: 64,
    channels: 1 as const,
    pixels: Uint8Array.from({ length: 4096 }, (_, i) => (i * i * 31) >> 3),
  };
  const length = async (quality: number) => (await encodePicture(noise, { type: "image/jpeg", quality })).length;
  assert.ok((await length(20)) < (await length(95)));
});

test("a quality or a picture that cannot be is refused", async () => {
  const bad = [
    encodePicture(gray, { type: "image/jpeg", quality: 0 }),
    encodePicture(gray, { type: "image/jpeg", quality: Number.NaN }),
    encodePicture({ ...gray, width: 4 }, { type: "image/png" }),
  ];
  for (const each of bad) await assert.rejects(each, (error) => isProblem(error, "invalid"));
});
