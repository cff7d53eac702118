import { Problem } from "#base/problem";

/** A picture to look at: 8 bits a channel, rows from the top, no padding. */
export interface Picture {
  width: number;
  height: number;
  /** 1 gray, 3 RGB by pixel. */
  channels: 1 | 3;
  pixels: Uint8Array;
}

/**
 * The viewport of PS3.18 §8.3.5.1.3: a picture no larger than `width` by `height`, its proportions kept, of the part of the
 * image that begins at (`sx`, `sy`) and is `sw` by `sh` pixels. A negative `sw` or `sh` mirrors it.
 */
export interface Viewport {
  width: number;
  height: number;
  sx?: number | undefined;
  sy?: number | undefined;
  sw?: number | undefined;
  sh?: number | undefined;
}

const sideMax = 16384;

interface Taps {
  /** First source index of each target. */
  from: Int32Array;
  /** Where the weights of each target begin, one more at the end. */
  start: Int32Array;
  weights: Float32Array;
}

/** Which source pixels make up each of `to` target pixels: shares of area when shrinking, two neighbours when growing. */
function makeTaps(length: number, to: number): Taps {
  const scale = length / to;
  const from = new Int32Array(to);
  const start = new Int32Array(to + 1);
  const weights: number[] = [];
  for (let i = 0; i < to; i++) {
    start[i] = weights.length;
    if (scale > 1) {
      const [left, right] = [i * scale, Math.min(length, (i + 1) * scale)];
      const first = Math.floor(left);
      const last = Math.min(length, Math.ceil(right - 1e-9));
      from[i] = first;
      for (let k = first; k < last; k++) weights.push((Math.min(right, k + 1) - Math.max(left, k)) / (right - left));
    } else {
      const centre = Math.min(length - 1, Math.max(0, (i + 0.5) * scale - 0.5));
      const first = Math.min(Math.floor(centre), Math.max(0, length - 2));
      from[i] = first;
      weights.push(1 - (centre - first));
      if (length > 1) weights.push(centre - first);
    }
  }
  start[to] = weights.length;
  return { from, start, weights: Float32Array.from(weights) };
}

function resizeRows(picture: Picture, width: number): Float32Array {
  const { channels, height, pixels } = picture;
  const taps = makeTaps(picture.width, width);
  const out = new Float32Array(width * height * channels);
  for (let y = 0, to = 0; y < height; y++) {
    const line = y * picture.width * channels;
    for (let x = 0; x < width; x++) {
      const [start, end] = [taps.start[x] as number, taps.start[x + 1] as number];
      for (let c = 0; c < channels; c++, to++) {
        let at = line + (taps.from[x] as number) * channels + c;
        let sum = 0;
        for (let k = start; k < end; k++, at += channels) sum += (pixels[at] as number) * (taps.weights[k] as number);
        out[to] = sum;
      }
    }
  }
  return out;
}

/** The picture at another size. */
export function resizePicture(picture: Picture, width: number, height: number): Picture {
  if (width === picture.width && height === picture.height) return picture;
  const { channels } = picture;
  const rows = resizeRows(picture, width);
  const taps = makeTaps(picture.height, height);
  const line = width * channels;
  const sums = new Float32Array(line);
  const pixels = new Uint8ClampedArray(line * height);
  for (let y = 0; y < height; y++) {
    sums.fill(0);
    for (let k = taps.start[y] as number; k < (taps.start[y + 1] as number); k++) {
      const weight = taps.weights[k] as number;
      const from = ((taps.from[y] as number) + k - (taps.start[y] as number)) * line;
      for (let i = 0; i < line; i++) sums[i] = (sums[i] as number) + (rows[from + i] as number) * weight;
    }
    pixels.set(sums, y * line);
  }
  return { width, height, channels, pixels: new Uint8Array(pixels.buffer) };
}

/** A part of the picture, mirrored across or down where asked for. */
export function cutOut(
  picture: Picture,
  x: number,
  y: number,
  width: number,
  height: number,
  mirror: [boolean, boolean],
): Picture {
  const { channels } = picture;
  const pixels = new Uint8Array(width * height * channels);
  for (let row = 0; row < height; row++) {
    const from = ((y + (mirror[1] ? height - 1 - row : row)) * picture.width + x) * channels;
    const to = row * width * channels;
    if (!mirror[0]) {
      pixels.set(picture.pixels.subarray(from, from + width * channels), to);
      continue;
    }
    for (let i = 0; i < width; i++) {
      const source = from + (width - 1 - i) * channels;
      for (let c = 0; c < channels; c++) pixels[to + i * channels + c] = picture.pixels[source + c] as number;
    }
  }
  return { width, height, channels, pixels };
}

/** The part of the picture that a viewport asks for, fitted into it. */
export function fitViewport(picture: Picture, viewport: Viewport): Picture {
  const whole = (value: number, least: number) => Number.isInteger(value) && value >= least && value <= sideMax;
  const { width, height, sx = 0, sy = 0 } = viewport;
  const sw = viewport.sw ?? picture.width - sx;
  const sh = viewport.sh ?? picture.height - sy;
  const fits = whole(sx, 0) && whole(sy, 0) && whole(Math.abs(sw), 1) && whole(Math.abs(sh), 1);
  if (
    !fits ||
    sx + Math.abs(sw) > picture.width ||
    sy + Math.abs(sh) > picture.height ||
    !whole(width, 1) ||
    !whole(height, 1)
  ) {
    throw new Problem("invalid", "a viewport that is not within the image, or a size that is not from 1 to 16384", {
      remedy: "ask for a part of the image and a size of whole pixels",
    });
  }
  const all = sx === 0 && sy === 0 && sw === picture.width && sh === picture.height;
  const part = all ? picture : cutOut(picture, sx, sy, Math.abs(sw), Math.abs(sh), [sw < 0, sh < 0]);
  const scale = Math.min(width / part.width, height / part.height);
  const side = (length: number) => Math.max(1, Math.round(length * scale));
  return resizePicture(part, Math.min(width, side(part.width)), Math.min(height, side(part.height)));
}
