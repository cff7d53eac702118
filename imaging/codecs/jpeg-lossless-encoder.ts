import { type HuffmanCode, shortestCode } from "./jpeg-huffman.ts";

/** Samples as they are coded: colour by pixel, all components of one precision, 2 to 16 bits. */
export interface LosslessFrame {
  readonly rows: number;
  readonly columns: number;
  readonly components: number;
  readonly precision: number;
  /** Whether the components are red, green and blue: their identifiers say so to decoders that look there. */
  readonly rgb: boolean;
}

/** Differences are of 17 kinds: so many bits are needed for the size of each (T.81 Table H.2). */
const kinds = 17;

/**
 * JPEG Lossless, process 14 with selection value 1 (T.81 Annex H): each sample as its difference from the one on its left, in a
 * Huffman code that is the shortest for this frame. All components in one scan (PS3.5 §8.2.1).
 */
export function encodeJpegLossless(samples: Uint8Array | Uint16Array, frame: LosslessFrame): Uint8Array {
  const differences = differencesOf(samples, frame);
  const frequencies = new Array<number>(kinds).fill(0);
  for (const difference of differences) {
    const kind = kindOf(difference);
    frequencies[kind] = (frequencies[kind] as number) + 1;
  }
  const code = shortestCode(frequencies);
  const head = headOf(frame, code);
  // Each difference is 16 bits of code and 15 of size at most, and a byte of ones is followed by a zero.
  const out = new Uint8Array(head.length + boundOf(frequencies, code) + 2);
  out.set(head);
  const end = writeBits(out, head.length, differences, code);
  out.set([0xff, 0xd9], end);
  return out.slice(0, end + 2);
}

const kindOf = (difference: number): number =>
  difference === -32768 ? 16 : 32 - Math.clz32(difference < 0 ? -difference : difference);

/** Modulo 2^16 (T.81 H.1.2.1); the first sample of all is guessed to be half of the range, the first of a row that above it. */
function differencesOf(
  samples: Uint8Array | Uint16Array,
  { rows, columns, components, precision }: LosslessFrame,
): Int16Array {
  const out = new Int16Array(samples.length);
  const stride = columns * components;
  for (let y = 0, at = 0; y < rows; y++) {
    for (let i = 0; i < components; i++, at++) {
      const guess = y === 0 ? 1 << (precision - 1) : (samples[at - stride] as number);
      out[at] = (samples[at] as number) - guess;
    }
    for (const end = (y + 1) * stride; at < end; at++) {
      out[at] = (samples[at] as number) - (samples[at - components] as number);
    }
  }
  return out;
}

function headOf({ rows, columns, components, precision, rgb }: LosslessFrame, code: HuffmanCode): number[] {
  const word = (value: number) => [value >> 8, value & 0xff];
  const ids = Array.from({ length: components }, (_, at) => (rgb ? "RGB".charCodeAt(at) : at + 1));
  return [
    ...[0xff, 0xd8, 0xff, 0xc3, ...word(8 + 3 * components), precision, ...word(rows), ...word(columns), components],
    ...ids.flatMap((id) => [id, 0x11, 0]),
    ...[0xff, 0xc4, ...word(19 + code.symbols.length), 0, ...code.counts, ...code.symbols],
    ...[0xff, 0xda, ...word(6 + 2 * components), components, ...ids.flatMap((id) => [id, 0]), 1, 0, 0],
  ];
}

/** Bytes that the coded differences take at most, were every byte of them all ones. */
function boundOf(frequencies: readonly number[], { lengths }: HuffmanCode): number {
  const bits = frequencies.reduce((sum, count, kind) => sum + count * ((lengths[kind] as number) + (kind & 15)), 0);
  return Math.ceil(bits / 8) * 2;
}

function writeBits(out: Uint8Array, from: number, differences: Int16Array, { codes, lengths }: HuffmanCode): number {
  let at = from;
  let held = 0;
  let count = 0;
  const put = (value: number, bits: number) => {
    held = (held << bits) | value;
    count += bits;
    while (count >= 8) {
      count -= 8;
      const byte = (held >>> count) & 0xff;
      out[at++] = byte;
      if (byte === 0xff) out[at++] = 0;
    }
  };
  for (const difference of differences) {
    const kind = kindOf(difference);
    put(codes[kind] as number, lengths[kind] as number);
    if (kind > 0 && kind < 16) put((difference < 0 ? difference - 1 : difference) & ((1 << kind) - 1), kind);
  }
  if (count > 0) put((1 << (8 - count)) - 1, 8 - count);
  return at;
}
