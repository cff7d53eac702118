import { Problem } from "#base/problem";
import type { ByteRange } from "./data-set.ts";

/**
 * Where values were cut out of an object, in the order of the object: no two touch. The cut bytes themselves are kept as
 * one run, one value after the other in the same order.
 */
export interface CutTable {
  readonly offsets: Float64Array;
  readonly lengths: Float64Array;
}

/** More than any true object has: one for each of the 5,000,000 elements that a reader takes would be too many. */
export const cutsMax = 2_000_000;

/** A length or gap of 2^53 - 1 takes eight groups of seven bits. */
const numberBytesMax = 8;

/** The table in bytes: number of cuts, then for each the gap before it and its length, as LEB128. */
export function encodeCuts({ offsets, lengths }: CutTable): Uint8Array<ArrayBuffer> {
  let size = numberSize(offsets.length);
  let end = 0;
  for (let i = 0; i < offsets.length; i += 1) {
    size += numberSize(offsets[i]! - end) + numberSize(lengths[i]!);
    end = offsets[i]! + lengths[i]!;
  }
  const out = new Uint8Array(size);
  let at = putNumber(out, 0, offsets.length);
  end = 0;
  for (let i = 0; i < offsets.length; i += 1) {
    at = putNumber(out, at, offsets[i]! - end);
    at = putNumber(out, at, lengths[i]!);
    end = offsets[i]! + lengths[i]!;
  }
  return out;
}

function numberSize(value: number): number {
  let size = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) size += 1;
  return size;
}

function putNumber(out: Uint8Array, from: number, value: number): number {
  let at = from;
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) out[at++] = (rest % 128) | 128;
  out[at++] = rest;
  return at;
}

/**
 * What `encodeCuts` wrote. Takes memory by the bytes that are there, never by what they say.
 *
 * @throws Problem `damaged` for anything else.
 */
export function decodeCuts(bytes: Uint8Array): CutTable {
  const cursor = { at: 0 };
  const count = takeNumber(bytes, cursor);
  if (count > cutsMax || count > (bytes.length - cursor.at) / 2) throw damaged();
  const offsets = new Float64Array(count);
  const lengths = new Float64Array(count);
  let end = 0;
  for (let i = 0; i < count; i += 1) {
    const gap = takeNumber(bytes, cursor);
    const length = takeNumber(bytes, cursor);
    if (length === 0 || (gap === 0 && i > 0)) throw damaged();
    offsets[i] = end + gap;
    lengths[i] = length;
    end += gap + length;
    if (end > Number.MAX_SAFE_INTEGER) throw damaged();
  }
  if (cursor.at !== bytes.length) throw damaged();
  return { offsets, lengths };
}

function takeNumber(bytes: Uint8Array, cursor: { at: number }): number {
  let value = 0;
  let scale = 1;
  for (let i = 0; i < numberBytesMax; i += 1) {
    const byte = bytes[cursor.at++];
    if (byte === undefined) throw damaged();
    value += (byte & 127) * scale;
    if (byte < 128) return value;
    scale *= 128;
  }
  throw damaged();
}

function damaged(): Problem {
  return new Problem("damaged", "the table of what was cut out of an object is not one we wrote", {
    remedy: "repair the identity half from a good copy",
  });
}

/** Puts the two halves of an object together again, any range of it by itself. */
export interface Mender {
  /** All cut bytes together. */
  readonly cutBytes: number;
  /** Which part of the run of cut bytes lies in a range of the object; of length 0 when the range was not touched. */
  cutsIn(offset: number, length: number): ByteRange;
  /**
   * Puts the cut values back into `bytes`, which the image half has from `offset` on. `cuts` is the part of the run of cut
   * bytes that `cutsIn` names for them.
   *
   * @throws Problem `damaged` when `cuts` has another length than that; `bytes` is then as it was.
   */
  mend(offset: number, bytes: Uint8Array, cuts: Uint8Array): void;
}

export function createMender({ offsets, lengths }: CutTable): Mender {
  const count = offsets.length;
  /** How many cut bytes come before each cut, and at the end all of them. */
  const before = new Float64Array(count + 1);
  for (let i = 0; i < count; i += 1) before[i + 1] = before[i]! + lengths[i]!;

  /** The first cut that ends behind `offset`. */
  const firstBehind = (offset: number): number => {
    let low = 0;
    let high = count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (offsets[middle]! + lengths[middle]! > offset) high = middle;
      else low = middle + 1;
    }
    return low;
  };
  /** Cut bytes in front of a place of the object. */
  const cutBefore = (offset: number): number => {
    const i = firstBehind(offset);
    return i === count ? before[count]! : before[i]! + Math.max(0, offset - offsets[i]!);
  };
  const cutsIn = (offset: number, length: number): ByteRange => {
    const from = cutBefore(offset);
    return { offset: from, length: cutBefore(offset + length) - from };
  };
  return {
    cutBytes: before[count]!,
    cutsIn,
    mend(offset, bytes, cuts) {
      if (cutsIn(offset, bytes.length).length !== cuts.length) {
        throw new Problem(
          "damaged",
          `the identity half has ${cuts.length} bytes for a range that lacks another number`,
          {
            remedy: "repair the identity half from a good copy",
          },
        );
      }
      const end = offset + bytes.length;
      let used = 0;
      for (let i = firstBehind(offset); i < count && offsets[i]! < end; i += 1) {
        const from = Math.max(offsets[i]!, offset);
        const size = Math.min(offsets[i]! + lengths[i]!, end) - from;
        copyBytes(cuts, used, bytes, from - offset, size);
        used += size;
      }
    },
  };
}

/** Most cuts are a few dozen bytes, and a view for each of them would cost more than the copying. */
const viewBytesMin = 96;

export function copyBytes(from: Uint8Array, fromAt: number, to: Uint8Array, toAt: number, size: number): void {
  if (size >= viewBytesMin) {
    to.set(from.subarray(fromAt, fromAt + size), toAt);
    return;
  }
  for (let i = 0; i < size; i += 1) to[toAt + i] = from[fromAt + i]!;
}
