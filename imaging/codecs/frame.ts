import { Problem } from "#base/problem";

/** How one frame lies in Pixel Data: the attributes of the Image Pixel module (PS3.3 C.7.6.3) and its transfer syntax. */
export interface FrameDescription {
  transferSyntaxUid: string;
  rows: number;
  columns: number;
  samplesPerPixel: number;
  /** 1, 8, 16, 32 or 64. */
  bitsAllocated: number;
  bitsStored: number;
  /** 0 unsigned, 1 two's complement. */
  pixelRepresentation: number;
  /** 0 colour by pixel (default), 1 colour by plane. */
  planarConfiguration?: number | undefined;
  photometricInterpretation: string;
  /** VR of Pixel Data; only big endian needs it, where OW is swapped in words whatever the sample size. Default: OB for 8 bits or less. */
  pixelDataVr?: "OB" | "OW" | undefined;
  /** First bit of the frame in its first byte, for native 1 bit frames that do not begin on a byte border. */
  bitOffset?: number | undefined;
}

/** One frame as plain samples: little endian, tightly packed, no padding at the end. */
export interface DecodedFrame {
  pixels: Uint8Array;
  rows: number;
  columns: number;
  samplesPerPixel: number;
  /** 8, 16, 32 or 64: bits of one sample in `pixels`. A 1 bit frame comes out with one byte per pixel, 0 or 1. */
  bitsAllocated: number;
  bitsStored: number;
  pixelRepresentation: number;
  planarConfiguration: 0 | 1;
  /** What the samples mean now: a decoder that undoes its colour transform says RGB. */
  photometricInterpretation: string;
}

export interface DecodeLimits {
  /** Most bytes a decoded frame may take. */
  outputBytesMax: number;
}

export const defaultDecodeLimits: DecodeLimits = { outputBytesMax: 512 * 1024 * 1024 };

export function invalid(what: string, cause?: unknown): Problem {
  return new Problem("invalid", what, {
    remedy: "the frame is damaged or its header does not describe it; ask the sender for it again",
    ...(cause === undefined ? {} : { cause }),
  });
}

export function unsupported(what: string): Problem {
  return new Problem("unsupported", what, { remedy: "retrieve the image as stored and decode it elsewhere" });
}

const allocations = new Set([1, 8, 16, 32, 64]);

/** Bytes of one sample after decoding. */
export const sampleBytes = (image: { bitsAllocated: number }): number =>
  image.bitsAllocated <= 8 ? 1 : image.bitsAllocated / 8;

/** Samples of one frame. */
export const sampleCount = (image: { rows: number; columns: number; samplesPerPixel: number }): number =>
  image.rows * image.columns * image.samplesPerPixel;

/** Bytes of one frame after decoding. Throws before anything is allocated when the description is absurd or too large. */
export function checkDescription(image: FrameDescription, limits: DecodeLimits): number {
  const whole = (value: number, least: number, most: number) =>
    Number.isInteger(value) && value >= least && value <= most;
  if (!whole(image.rows, 1, 65535) || !whole(image.columns, 1, 65535)) {
    throw invalid(`a frame of ${image.columns} by ${image.rows} pixels`);
  }
  if (!whole(image.samplesPerPixel, 1, 4)) throw invalid(`${image.samplesPerPixel} samples per pixel`);
  if (!allocations.has(image.bitsAllocated)) throw invalid(`${image.bitsAllocated} bits allocated`);
  if (!whole(image.bitsStored, 1, image.bitsAllocated)) {
    throw invalid(`${image.bitsStored} bits stored in ${image.bitsAllocated} bits allocated`);
  }
  if (!whole(image.pixelRepresentation, 0, 1)) throw invalid(`pixel representation ${image.pixelRepresentation}`);
  if (!whole(image.bitOffset ?? 0, 0, 7)) throw invalid("a bit offset outside its byte");
  const bytes = sampleCount(image) * sampleBytes(image);
  if (bytes > limits.outputBytesMax) {
    throw new Problem("too-large", `a frame of ${bytes} bytes is over the limit of ${limits.outputBytesMax}`, {
      remedy: "raise the limit, or retrieve the image as stored",
    });
  }
  return bytes;
}

/** A decoded frame that takes all but the given fields from its description. */
export function frameOf(
  image: FrameDescription,
  pixels: Uint8Array,
  changes: Partial<Pick<DecodedFrame, "photometricInterpretation" | "planarConfiguration">> = {},
): DecodedFrame {
  return {
    pixels,
    rows: image.rows,
    columns: image.columns,
    samplesPerPixel: image.samplesPerPixel,
    bitsAllocated: sampleBytes(image) * 8,
    bitsStored: image.bitsStored,
    pixelRepresentation: image.pixelRepresentation,
    planarConfiguration: image.samplesPerPixel > 1 && image.planarConfiguration === 1 ? 1 : 0,
    photometricInterpretation: image.photometricInterpretation,
    ...changes,
  };
}

/**
 * Puts what a codec made (`bits` precise, in 1 or 2 bytes, colour by pixel) into the sample size that the header states,
 * and repeats the sign bit of signed samples, since a codec gives bare bits.
 */
export function fitSamples(
  image: FrameDescription,
  samples: Uint8Array | Uint16Array,
  made: { bits: number; signed: boolean },
): Uint8Array {
  if (made.bits > image.bitsAllocated && image.bitsAllocated !== 1) {
    throw invalid(`the frame holds ${made.bits} bits a sample and its header allocates ${image.bitsAllocated}`);
  }
  const width = sampleBytes(image);
  const count = sampleCount(image);
  if (samples.length !== count) throw invalid(`the frame decoded to ${samples.length} samples instead of ${count}`);
  const extend = image.pixelRepresentation === 1 && made.bits < width * 8;
  if (!extend && samples.BYTES_PER_ELEMENT === width) {
    return new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);
  }
  const out = width === 1 ? new Uint8Array(count) : width === 2 ? new Uint16Array(count) : new Uint32Array(count);
  const shift = 32 - made.bits;
  const sign = image.pixelRepresentation === 1 || made.signed;
  for (let i = 0; i < count; i++) {
    const value = samples[i] as number;
    out[i] = sign ? (value << shift) >> shift : value;
  }
  return new Uint8Array(out.buffer);
}

/** Colour by pixel from colour by plane, sample by sample. */
export function samplesByPixel<T extends Uint8Array | Uint16Array>(planes: T, count: number): T {
  // Not `slice`, which of a Node Buffer is a view of the same bytes.
  const out = (planes instanceof Uint8Array ? new Uint8Array(planes.length) : new Uint16Array(planes.length)) as T;
  const pixels = planes.length / count;
  for (let c = 0, from = 0; c < count; c++) {
    for (let i = 0, to = c; i < pixels; i++, to += count) out[to] = planes[from++] as number;
  }
  return out;
}

/** The same for the bytes of samples of `width` bytes each. */
export function byPixel(planes: Uint8Array, count: number, width: number): Uint8Array {
  if (width === 1) return samplesByPixel(planes, count);
  const out = new Uint8Array(planes.length);
  const pixels = planes.length / count / width;
  for (let c = 0, from = 0; c < count; c++) {
    for (let i = 0; i < pixels; i++, from += width) {
      for (let k = 0, to = (i * count + c) * width; k < width; k++) out[to + k] = planes[from + k] as number;
    }
  }
  return out;
}

/** The other way: the samples of each plane one after the other. */
export function byPlane(pixels: Uint8Array, count: number, width: number): Uint8Array {
  const out = new Uint8Array(pixels.length);
  const planeBytes = pixels.length / count;
  for (let c = 0; c < count; c++) {
    for (let from = c * width, to = c * planeBytes; from < pixels.length; from += (count - 1) * width) {
      for (let k = 0; k < width; k++) out[to++] = pixels[from++] as number;
    }
  }
  return out;
}
