import type { FrameDescription } from "./frame.ts";
import { invalid, sampleBytes, sampleCount } from "./frame.ts";

/** Samples of YBR_FULL_422 and its kin in native form: two pixels share their colour, four bytes hold both (PS3.3 C.7.6.3.1.2). */
export const isNative422 = (photometricInterpretation: string): boolean =>
  photometricInterpretation === "YBR_FULL_422" || photometricInterpretation === "YBR_PARTIAL_422";

/** Bytes that one native frame takes in Pixel Data, without the padding byte; of 1 bit frames, from `bitOffset` on. */
export function nativeFrameBytes(image: FrameDescription): number {
  if (image.bitsAllocated === 1) return Math.ceil(((image.bitOffset ?? 0) + sampleCount(image)) / 8);
  const samples =
    isNative422(image.photometricInterpretation) && image.samplesPerPixel === 3
      ? image.rows * Math.ceil(image.columns / 2) * 4
      : sampleCount(image);
  return samples * sampleBytes(image);
}

/** One byte per pixel from packed bits, the first pixel in the lowest bit (PS3.5 §8.1.1). */
export function unpackBits(bytes: Uint8Array, count: number, bitOffset = 0): Uint8Array {
  const out = new Uint8Array(count);
  for (let i = 0, bit = bitOffset; i < count; i++, bit++) out[i] = ((bytes[bit >> 3] as number) >> (bit & 7)) & 1;
  return out;
}

/** The other way: bits packed from one byte per pixel. */
export function packBits(pixels: Uint8Array): Uint8Array {
  const out = new Uint8Array(Math.ceil(pixels.length / 8));
  for (let i = 0; i < pixels.length; i++) {
    if (pixels[i] !== 0) out[i >> 3] = (out[i >> 3] as number) | (1 << (i & 7));
  }
  return out;
}

/** A copy with the bytes of each `width` byte word turned round. */
export function swapBytes(bytes: Uint8Array, width: 2 | 4 | 8): Uint8Array {
  const out = new Uint8Array(bytes.length);
  const whole = bytes.length - (bytes.length % width);
  if (width === 2) {
    for (let at = 0; at < whole; at += 2) {
      out[at] = bytes[at + 1] as number;
      out[at + 1] = bytes[at] as number;
    }
    return out;
  }
  for (let at = 0; at < whole; at += width) {
    for (let i = 0; i < width; i++) out[at + i] = bytes[at + width - 1 - i] as number;
  }
  return out;
}

/** Chroma of 4:2:2 repeated for both pixels of a pair: three samples for every pixel. */
function widen422(bytes: Uint8Array, image: FrameDescription): Uint8Array {
  const pairs = Math.ceil(image.columns / 2);
  const out = new Uint8Array(sampleCount(image));
  for (let row = 0, to = 0; row < image.rows; row++) {
    for (let column = 0; column < image.columns; column++) {
      const from = (row * pairs + (column >> 1)) * 4;
      out[to++] = bytes[from + (column & 1)] as number;
      out[to++] = bytes[from + 2] as number;
      out[to++] = bytes[from + 3] as number;
    }
  }
  return out;
}

const swapWidth = (image: FrameDescription): 2 | 4 | 8 | undefined => {
  if (image.bitsAllocated === 32) return 4;
  if (image.bitsAllocated === 64) return 8;
  return image.bitsAllocated === 16 || image.pixelDataVr === "OW" ? 2 : undefined;
};

/**
 * Plain samples from a native frame. A little endian frame of 8 bits or more is returned as a view, not a copy.
 * An 8 bit frame sent as OW in big endian has its bytes swapped in pairs (PS3.5 §8.2, §7.3); when its length is odd the
 * caller passes the padding byte too. Samples of 32 and 64 bits are turned whole, as writers in the field do.
 */
export function decodeNative(bytes: Uint8Array, image: FrameDescription, bigEndian: boolean): Uint8Array {
  const need = nativeFrameBytes(image);
  const width = bigEndian ? swapWidth(image) : undefined;
  if (bytes.length < need) throw invalid(`the frame has ${bytes.length} bytes of ${need}`);
  const straight = width === undefined ? bytes : swapBytes(bytes, width);
  if (image.bitsAllocated === 1) return unpackBits(straight, sampleCount(image), image.bitOffset);
  if (isNative422(image.photometricInterpretation) && image.samplesPerPixel === 3) {
    if (image.bitsAllocated !== 8) throw invalid("subsampled colour of more than 8 bits");
    return widen422(straight, image);
  }
  return straight.subarray(0, need);
}
