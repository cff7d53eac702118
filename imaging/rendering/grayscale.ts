import { Problem } from "#base/problem";
import type { DisplayAttributes, LookupTable, Window } from "./attributes.ts";
import { isUsableWindow, lookUp, voiLutFunction, windowFunction } from "./voi.ts";

/** The parts of a decoded frame that are read here. */
export interface SampledFrame {
  pixels: Uint8Array;
  bitsAllocated: number;
  bitsStored: number;
  pixelRepresentation: number;
  photometricInterpretation: string;
}

/** Share of pixels left out at each end when a window is made up: a hot pixel or a metal clip then does not darken the rest. */
const outlierShare = 0.001;

/** The samples as an array of their width; copied only where the bytes are not aligned to it. */
export function wideSamples(
  frame: SampledFrame,
  float: boolean,
): Uint8Array | Uint16Array | Int32Array | Uint32Array | Float32Array | Float64Array {
  const { pixels, bitsAllocated, pixelRepresentation } = frame;
  const width = bitsAllocated / 8;
  const count = Math.floor(pixels.byteLength / width);
  const aligned = pixels.byteOffset % width === 0 ? pixels : Uint8Array.from(pixels);
  const { buffer, byteOffset } = aligned;
  if (width === 1) return aligned;
  if (width === 2) return new Uint16Array(buffer, byteOffset, count);
  if (width === 4 && float) return new Float32Array(buffer, byteOffset, count);
  if (width === 4)
    return pixelRepresentation === 1
      ? new Int32Array(buffer, byteOffset, count)
      : new Uint32Array(buffer, byteOffset, count);
  if (float) return new Float64Array(buffer, byteOffset, count);
  throw new Problem("unsupported", `showing samples of ${bitsAllocated} bits`);
}

function modalityFunction(attributes: DisplayAttributes): (stored: number) => number {
  const table = attributes.modalityLut;
  if (table !== undefined) return (stored) => lookUp(table, stored);
  const slope = attributes.rescaleSlope ?? 1;
  const intercept = attributes.rescaleIntercept ?? 0;
  if (!Number.isFinite(slope) || !Number.isFinite(intercept) || slope === 0) return (stored) => stored;
  return (stored) => stored * slope + intercept;
}

function paddingTest(attributes: DisplayAttributes): ((stored: number) => boolean) | undefined {
  const value = attributes.pixelPaddingValue;
  if (value === undefined) return undefined;
  const limit = attributes.pixelPaddingRangeLimit ?? value;
  const [least, most] = value < limit ? [value, limit] : [limit, value];
  return (stored) => stored >= least && stored <= most;
}

export interface Gray {
  /** Modality units of a stored value. */
  modality: (stored: number) => number;
  isPadding: ((stored: number) => boolean) | undefined;
  inverted: boolean;
}

/** Brightness by modality units: what was asked for, else the data set's first usable window, else its VOI LUT. */
function chosenVoi(attributes: DisplayAttributes, asked: Window | undefined): ((x: number) => number) | undefined {
  if (asked !== undefined) {
    if (isUsableWindow(asked)) return windowFunction(asked);
    throw new Problem("invalid", `a window of width ${asked.width}`, { remedy: "ask for a width of 1 or more" });
  }
  const own = attributes.windows?.find(isUsableWindow);
  if (own !== undefined) return windowFunction(own);
  return attributes.voiLut === undefined ? undefined : voiLutFunction(attributes.voiLut);
}

/** Brightness after the presentation table, which takes the whole range of what the VOI transform gives (PS3.3 C.11.6.1). */
function presented(voi: (x: number) => number, table: LookupTable | undefined): (x: number) => number {
  if (table === undefined) return voi;
  const last = table.data.length - 1;
  const most = 2 ** table.bits - 1;
  return (x) => Math.min(1, (table.data[Math.round(voi(x) * last)] ?? 0) / most);
}

/** A straight ramp from `least` to `most`, both shown. */
const ramp = (least: number, most: number) => (x: number) =>
  most > least ? Math.min(1, Math.max(0, (x - least) / (most - least))) : x >= most ? 1 : 0;

/** The range of modality units that most pixels lie in, from how often each stored value comes. */
function usualRange(histogram: Uint32Array, storedValue: (raw: number) => number, gray: Gray): [number, number] {
  const seen: { value: number; count: number }[] = [];
  let total = 0;
  for (let raw = 0; raw < histogram.length; raw++) {
    const count = histogram[raw] as number;
    if (count === 0) continue;
    const stored = storedValue(raw);
    if (gray.isPadding?.(stored)) continue;
    seen.push({ value: gray.modality(stored), count });
    total += count;
  }
  if (seen.length === 0) return [0, 0];
  seen.sort((a, b) => a.value - b.value);
  const edge = (from: typeof seen) => {
    let left = total * outlierShare;
    for (const { value, count } of from) {
      left -= count;
      if (left < 0) return value;
    }
    return from[from.length - 1]?.value ?? 0;
  };
  return [edge(seen), edge(seen.toReversed())];
}

/** Brightness bytes for samples of up to 16 bits, through one table over all stored values. */
function mapNarrow(
  samples: Uint8Array | Uint16Array,
  frame: SampledFrame,
  attributes: DisplayAttributes,
  gray: Gray,
  asked: Window | undefined,
): Uint8Array {
  const { bitsStored } = frame;
  const highBit = attributes.highBit ?? bitsStored - 1;
  if (!(highBit >= 0 && highBit < frame.bitsAllocated)) {
    throw new Problem("invalid", `a high bit of ${highBit} in samples of ${frame.bitsAllocated} bits`);
  }
  const shift = Math.max(0, highBit + 1 - bitsStored);
  const size = 1 << bitsStored;
  const mask = size - 1;
  const unused = 32 - bitsStored;
  const signed = frame.pixelRepresentation === 1;
  const storedValue = (raw: number) => (signed ? (raw << unused) >> unused : raw);
  let voi = chosenVoi(attributes, asked);
  if (voi === undefined && bitsStored <= 8 && !signed && attributes.pixelPaddingValue === undefined) {
    voi = ramp(gray.modality(0), gray.modality(mask));
  } else if (voi === undefined) {
    const histogram = new Uint32Array(size);
    for (let i = 0; i < samples.length; i++) {
      const raw = ((samples[i] as number) >> shift) & mask;
      histogram[raw] = (histogram[raw] as number) + 1;
    }
    voi = ramp(...usualRange(histogram, storedValue, gray));
  }
  const shown = presented(voi, attributes.presentationLut);
  const table = new Uint8Array(size);
  for (let raw = 0; raw < size; raw++) {
    const stored = storedValue(raw);
    if (gray.isPadding?.(stored)) continue;
    const light = Math.round(shown(gray.modality(stored)) * 255);
    table[raw] = gray.inverted ? 255 - light : light;
  }
  const out = new Uint8Array(samples.length);
  if (shift === 0) for (let i = 0; i < out.length; i++) out[i] = table[(samples[i] as number) & mask] as number;
  else for (let i = 0; i < out.length; i++) out[i] = table[((samples[i] as number) >> shift) & mask] as number;
  return out;
}

/** The same for samples too wide for a table; the made-up window is the plain range. */
function mapWide(
  samples: Int32Array | Uint32Array | Float32Array | Float64Array,
  attributes: DisplayAttributes,
  gray: Gray,
  asked: Window | undefined,
): Uint8Array {
  let voi = chosenVoi(attributes, asked);
  if (voi === undefined) {
    let least = Number.POSITIVE_INFINITY;
    let most = Number.NEGATIVE_INFINITY;
    for (const stored of samples) {
      if (!Number.isFinite(stored) || gray.isPadding?.(stored)) continue;
      const x = gray.modality(stored);
      if (x < least) least = x;
      if (x > most) most = x;
    }
    voi = ramp(least, most);
  }
  const shown = presented(voi, attributes.presentationLut);
  const out = new Uint8Array(samples.length);
  for (let i = 0; i < out.length; i++) {
    const stored = samples[i] as number;
    if (Number.isNaN(stored) || gray.isPadding?.(stored)) continue;
    const light = Math.round(shown(gray.modality(stored)) * 255);
    out[i] = gray.inverted ? 255 - light : light;
  }
  return out;
}

/**
 * Brightness, one byte a pixel: stored value, modality transform, VOI transform, presentation (PS3.3 C.11, PS3.4 N.2).
 * Padding is black whatever the rest says (PS3.3 C.7.5.1.1.2).
 */
export function renderGrayscale(
  frame: SampledFrame,
  attributes: DisplayAttributes,
  options: { window?: Window | undefined; invert?: boolean | undefined },
): Uint8Array {
  const turned = frame.photometricInterpretation === "MONOCHROME1" || attributes.presentationLutShape === "INVERSE";
  const gray: Gray = {
    modality: modalityFunction(attributes),
    isPadding: paddingTest(attributes),
    inverted: turned !== (options.invert ?? false),
  };
  const samples = wideSamples(frame, attributes.float ?? false);
  if (samples instanceof Uint8Array || samples instanceof Uint16Array) {
    return mapNarrow(samples, frame, attributes, gray, options.window);
  }
  return mapWide(samples, attributes, gray, options.window);
}
