// Node only, as encode-picture.ts.
import sharp from "sharp";
import { Problem } from "#base/problem";
import type { RawPicture } from "./encode-picture.ts";

/** GIF counts hundredths of a second in 16 bits; players show less than two of them as ten. */
const delayMsLeast = 20;
const delayMsMost = 655_350;

/** Pictures of one size as an animated GIF that goes on for ever, each shown for `delayMs`. The work runs off the main thread. */
export async function encodeAnimation(pictures: readonly RawPicture[], delayMs: number): Promise<Uint8Array> {
  const [first] = pictures;
  if (first === undefined) throw new Problem("invalid", "an animation of no pictures");
  const { width, height, channels } = first;
  const isAlike = (each: RawPicture) =>
    each.width === width &&
    each.height === height &&
    each.channels === channels &&
    each.pixels.length === width * height * channels;
  if (!pictures.every(isAlike)) throw new Problem("invalid", "an animation of pictures of different sizes");
  const raw = { width, height: height * pictures.length, channels, pageHeight: height };
  const stack = new Uint8Array(width * height * channels * pictures.length);
  for (const [at, { pixels }] of pictures.entries()) stack.set(pixels, at * pixels.length);
  const delay = Math.round(Math.min(delayMsMost, Math.max(delayMsLeast, delayMs)));
  return sharp(stack, { raw, limitInputPixels: false })
    .toColourspace("srgb")
    .gif({ loop: 0, delay: pictures.map(() => delay), effort: 3 })
    .toBuffer();
}
