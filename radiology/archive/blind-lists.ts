import { Problem } from "#base/problem";

/*
 * Lists of study numbers, ascending, each once. At rest a list is cut into blocks: two bytes of length, then the steps from number to
 * number as varints, filled up with zeros to one of a few sizes, so that a block does not show how many are in it.
 */
export type Numbers = Uint32Array;

const headBytes = 2;
/** Sealed, the largest still lies within a page of SQLite with three others; a little more would cost it a page of its own. */
const sizes = [32, 128, 512, 1920];
const bytesMost = 1920;
const numberBytesMost = 5;

/** As blocks in order. */
export function blocksOf(numbers: Numbers): Uint8Array[] {
  const blocks: Uint8Array[] = [];
  const block = new Uint8Array(bytesMost);
  let at = 0;
  while (at < numbers.length) {
    let end = headBytes;
    let before = 0;
    for (; at < numbers.length && end + numberBytesMost <= bytesMost; at++) {
      const number = numbers[at] as number;
      end = putVarint(block, end, number - before);
      before = number;
    }
    block[0] = (end - headBytes) & 0xff;
    block[1] = (end - headBytes) >> 8;
    const size = sizes.find((one) => one >= end) ?? bytesMost;
    blocks.push(block.slice(0, size).fill(0, end));
  }
  return blocks;
}

/** All numbers of some blocks of one list. What was put in again by a merge that was broken off is taken once. */
export function numbersOf(blocks: readonly Uint8Array[]): Numbers {
  const numbers = new Uint32Array(blocks.reduce((sum, block) => sum + block.length, 0));
  let count = 0;
  for (const block of blocks) {
    const end = headBytes + (block[0] ?? 0) + ((block[1] ?? 0) << 8);
    if (end > block.length) throw new Problem("damaged", "a list of the index is longer than its block");
    let number = 0;
    for (let at = headBytes; at < end; ) {
      let step = 0;
      let scale = 1;
      for (;;) {
        const byte = block[at++] ?? 0;
        step += (byte & 0x7f) * scale;
        if (byte < 0x80) break;
        scale *= 128;
      }
      number += step;
      numbers[count++] = number;
    }
  }
  return ascending(numbers.subarray(0, count));
}

/** Of numbers in any order. */
export function ascending(numbers: Numbers): Numbers {
  if (isAscending(numbers)) return numbers;
  const sorted = numbers.slice().sort();
  let count = 0;
  for (const number of sorted) {
    if (count === 0 || sorted[count - 1] !== number) sorted[count++] = number;
  }
  return sorted.subarray(0, count);
}

function isAscending(numbers: Numbers): boolean {
  for (let at = 1; at < numbers.length; at++) {
    if ((numbers[at] as number) <= (numbers[at - 1] as number)) return false;
  }
  return true;
}

/** Those that stand in any list. */
export function union(lists: readonly Numbers[]): Numbers {
  // The shortest first, so that a long one is gone through once.
  const [first, ...others] = lists.filter((list) => list.length > 0).sort((a, b) => a.length - b.length);
  return first === undefined ? new Uint32Array(0) : others.reduce(either, first);
}

function either(a: Numbers, b: Numbers): Numbers {
  const all = new Uint32Array(a.length + b.length);
  const [low, high] = (a[0] as number) < (b[0] as number) ? [a, b] : [b, a];
  // Up to where the other begins, which is often all: what is new has the highest numbers.
  const alone = firstFrom(low, high[0] as number, 0, low.length);
  all.set(low.subarray(0, alone));
  let count = alone;
  let [i, j] = [alone, 0];
  while (i < low.length && j < high.length) {
    const [one, other] = [low[i] as number, high[j] as number];
    all[count++] = Math.min(one, other);
    if (one <= other) i++;
    if (other <= one) j++;
  }
  all.set(low.subarray(i), count);
  count += low.length - i;
  all.set(high.subarray(j), count);
  return all.subarray(0, count + high.length - j);
}

/** Those that stand in every list. */
export function intersection(lists: readonly Numbers[]): Numbers {
  const [smallest, ...others] = [...lists].sort((a, b) => a.length - b.length);
  if (smallest === undefined) return new Uint32Array(0);
  return others.reduce(
    (found, list) => (list.length > 16 * found.length ? galloped(found, list) : walked(found, list)),
    smallest,
  );
}

function walked(a: Numbers, b: Numbers): Numbers {
  const found = new Uint32Array(Math.min(a.length, b.length));
  let count = 0;
  let [i, j] = [0, 0];
  while (i < a.length && j < b.length) {
    const [one, other] = [a[i] as number, b[j] as number];
    if (one === other) found[count++] = one;
    if (one <= other) i++;
    if (other <= one) j++;
  }
  return found.subarray(0, count);
}

/** Steps through the short list and gallops through the long one. */
function galloped(short: Numbers, long: Numbers): Numbers {
  const found = new Uint32Array(short.length);
  let count = 0;
  let low = 0;
  for (const number of short) {
    let step = 1;
    while (low + step < long.length && (long[low + step] as number) < number) step *= 2;
    low = firstFrom(long, number, low + (step >> 1), Math.min(low + step + 1, long.length));
    if (low >= long.length) break;
    if (long[low] === number) found[count++] = number;
  }
  return found.subarray(0, count);
}

/** Those of an ascending list from one number up to another, which is not included. */
export function part(numbers: Numbers, from: number, to: number): Numbers {
  const start = firstFrom(numbers, from, 0, numbers.length);
  return numbers.subarray(start, firstFrom(numbers, to, start, numbers.length));
}

export const holds = (numbers: Numbers, number: number): boolean =>
  numbers[firstFrom(numbers, number, 0, numbers.length)] === number;

/** Place of the first that is not below `number`, in a part of the list. */
function firstFrom(numbers: Numbers, number: number, from: number, to: number): number {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((numbers[middle] as number) < number) low = middle + 1;
    else high = middle;
  }
  return low;
}

function putVarint(into: Uint8Array, at: number, value: number): number {
  let rest = value;
  let place = at;
  for (; rest >= 0x80; rest = Math.floor(rest / 128)) into[place++] = (rest % 128) | 0x80;
  into[place++] = rest;
  return place;
}
