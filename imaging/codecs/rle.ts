import type { FrameDescription } from "./frame.ts";
import { invalid, sampleBytes, sampleCount } from "./frame.ts";
import { unpackBits } from "./native.ts";

const headerBytes = 64;

/** One PackBits segment (PS3.5 G.3) into every `stride`-th byte of `out`, `count` of them. */
function unpackSegment(segment: Uint8Array, out: Uint8Array, start: number, stride: number, count: number): void {
  let to = start;
  const end = start + count * stride;
  let at = 0;
  while (to < end && at < segment.length) {
    const control = segment[at++] as number;
    if (control === 128) continue;
    const run = control > 128 ? 257 - control : control + 1;
    const fits = Math.min(run, (end - to) / stride);
    if (control > 128) {
      if (at >= segment.length) break;
      const value = segment[at++] as number;
      for (let i = 0; i < fits; i++, to += stride) out[to] = value;
    } else {
      if (at + fits > segment.length) break;
      for (let i = 0; i < fits; i++, to += stride) out[to] = segment[at + i] as number;
      at += run;
    }
  }
  if (to < end) throw invalid(`an RLE segment ends ${(end - to) / stride} bytes early`);
}

/**
 * RLE Lossless (PS3.5 Annex G): segments hold one byte plane each, the most significant byte of the first sample first.
 * The result is colour by pixel, little endian. A 1 bit frame is one segment of packed bits.
 */
export function decodeRle(bytes: Uint8Array, image: FrameDescription): Uint8Array {
  if (bytes.length < headerBytes) throw invalid("an RLE frame shorter than its header");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const packed = image.bitsAllocated === 1;
  const width = sampleBytes(image);
  const expected = packed ? 1 : width * image.samplesPerPixel;
  const segments = view.getUint32(0, true);
  if (segments !== expected) throw invalid(`an RLE frame of ${segments} segments where ${expected} belong`);
  const offsets: number[] = [];
  for (let i = 0; i < segments; i++) offsets.push(view.getUint32(4 + i * 4, true));
  offsets.push(bytes.length);
  const count = packed ? Math.ceil(sampleCount(image) / 8) : image.rows * image.columns;
  const out = new Uint8Array(count * expected);
  for (let i = 0; i < segments; i++) {
    const from = offsets[i] as number;
    const to = offsets[i + 1] as number;
    if (from < headerBytes || from > to || to > bytes.length) throw invalid("an RLE segment outside its frame");
    const sample = Math.floor(i / width);
    const start = sample * width + (width - 1 - (i % width));
    unpackSegment(bytes.subarray(from, to), out, start, expected, count);
  }
  return packed ? unpackBits(out, sampleCount(image)) : out;
}

/** Appends the PackBits form of one row (PS3.5 G.3.1: runs do not cross rows) to `out`, which must have room. */
function packRow(row: Uint8Array, out: Uint8Array, at: number): number {
  let to = at;
  let i = 0;
  while (i < row.length) {
    let run = 1;
    while (run < 128 && i + run < row.length && row[i + run] === row[i]) run++;
    if (run > 2) {
      out[to++] = 257 - run;
      out[to++] = row[i] as number;
      i += run;
      continue;
    }
    let end = i + run;
    while (end < row.length && end - i < 128) {
      if (end + 2 < row.length && row[end] === row[end + 1] && row[end] === row[end + 2]) break;
      end++;
    }
    end = Math.min(end, i + 128);
    out[to++] = end - i - 1;
    out.set(row.subarray(i, end), to);
    to += end - i;
    i = end;
  }
  return to;
}

/** The RLE Lossless form of a frame that is colour by pixel, little endian, of 8 bits a sample or more. */
export function encodeRle(pixels: Uint8Array, image: FrameDescription): Uint8Array {
  const width = sampleBytes(image);
  const planes = width * image.samplesPerPixel;
  if (planes > 15) throw invalid(`${planes} byte planes where RLE holds 15`);
  const rowBytesMax = image.columns + Math.ceil(image.columns / 128) + 1;
  const out = new Uint8Array(headerBytes + planes * (image.rows * rowBytesMax + 1));
  const view = new DataView(out.buffer);
  view.setUint32(0, planes, true);
  const row = new Uint8Array(image.columns);
  let at = headerBytes;
  for (let i = 0; i < planes; i++) {
    view.setUint32(4 + i * 4, at, true);
    const first = Math.floor(i / width) * width + (width - 1 - (i % width));
    for (let y = 0; y < image.rows; y++) {
      const start = y * image.columns * planes + first;
      for (let x = 0; x < image.columns; x++) row[x] = pixels[start + x * planes] as number;
      at = packRow(row, out, at);
    }
    if (at % 2 === 1) out[at++] = 0;
  }
  return out.slice(0, at);
}
