import assert from "node:assert/strict";
import { test } from "node:test";
import sharp from "sharp";
import { isProblem } from "#base/problem";
import { createPictureEncoder } from "./index.ts";

const encodePicture = createPictureEncoder();

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

test("pictures that are made at once, small and large, do not run into one another, and each holds its own bytes alone", async () => {
  const plain = (side: number, light: number) => ({
    ...{ width: side, height: side, channels: 1 as const },
    pixels: new Uint8Array(side * side).fill(light),
  });
  for (let round = 0; round < 3; round++) {
    const made = Array.from({ length: 12 }, (_, at) => ({ side: 8 + at * 40, light: 20 * at }));
    const files = await Promise.all(
      made.map(({ side, light }) => encodePicture(plain(side, light), { type: "image/jpeg" })),
    );
    for (const [at, file] of files.entries()) {
      assert.equal(file.buffer.byteLength, file.length);
      const { data, info } = await sharp(file).toColourspace("b-w").raw().toBuffer({ resolveWithObject: true });
      assert.equal(info.width, made[at]?.side);
      assert.ok(data.every((pixel) => Math.abs(pixel - (made[at]?.light ?? 0)) <= 1));
    }
  }
});

test("a quality or a picture that cannot be is refused", async () => {
  const bad = [
    encodePicture(gray, { type: "image/jpeg", quality: 0 }),
    encodePicture(gray, { type: "image/jpeg", quality: Number.NaN }),
    encodePicture({ ...gray, width: 4 }, { type: "image/png" }),
  ];
  for (const each of bad) await assert.rejects(each, (error) => isProblem(error, "invalid"));
});
