import { Problem } from "#base/problem";
import type { LookupTable } from "./attributes.ts";

const entriesMax = 65536;

function damaged(what: string): Problem {
  return new Problem("invalid", what, { remedy: "the image's look-up table is damaged; show it without" });
}

/**
 * A table from its descriptor (entries, first value, bits) and data (PS3.3 C.11.1.1, C.7.6.3.1.5). 0 entries stand for
 * 65536; `signed` says how to read the first value. Tables of 8 bits come packed two in a word, or one in a word.
 */
export function readLookupTable(descriptor: readonly number[], bytes: Uint8Array, signed: boolean): LookupTable {
  const [count, start, bits] = descriptor;
  if (count === undefined || start === undefined || bits === undefined || bits < 1 || bits > 16) {
    throw damaged("a look-up table without a descriptor");
  }
  const entries = (count & 0xffff) === 0 ? entriesMax : count & 0xffff;
  const first = signed ? ((start & 0xffff) << 16) >> 16 : start & 0xffff;
  const data = new Uint16Array(entries);
  if (bits <= 8 && bytes.length < entries * 2) {
    if (bytes.length < entries) throw damaged(`a look-up table of ${bytes.length} of ${entries} entries`);
    data.set(bytes.subarray(0, entries));
  } else {
    if (bytes.length < entries * 2) throw damaged(`a look-up table of ${bytes.length >> 1} of ${entries} entries`);
    for (let i = 0; i < entries; i++) data[i] = (bytes[i * 2] as number) | ((bytes[i * 2 + 1] as number) << 8);
  }
  return { first, bits, data };
}

/** One segment written to `out` from `filled` on; gives how far `out` is filled then and where the next segment begins. */
function expandOne(words: Uint16Array, at: number, out: Uint16Array, filled: number): { at: number; filled: number } {
  const [opcode, length] = [words[at], words[at + 1]];
  if (opcode === undefined || length === undefined || filled + length > out.length)
    throw damaged("a palette segment too long");
  if (opcode === 0) {
    if (at + 2 + length > words.length) throw damaged("a palette segment that is cut short");
    out.set(words.subarray(at + 2, at + 2 + length), filled);
    return { at: at + 2 + length, filled: filled + length };
  }
  const end = words[at + 2];
  if (opcode !== 1 || end === undefined || filled === 0) throw damaged("a palette segment of no known kind");
  const from = out[filled - 1] as number;
  for (let i = 1; i <= length; i++) out[filled + i - 1] = Math.round(from + ((end - from) * i) / length);
  return { at: at + 3, filled: filled + length };
}

/**
 * A segmented palette spelled out (PS3.3 C.7.9.2): discrete, linear and indirect segments. Indirect ones repeat earlier
 * segments and may not name one another, so the work is bounded by the table's size and the number of segments.
 */
export function expandSegments(words: Uint16Array, entries: number): Uint16Array {
  const out = new Uint16Array(entries);
  let filled = 0;
  let at = 0;
  while (at < words.length && filled < entries) {
    if (words[at] !== 2) {
      ({ at, filled } = expandOne(words, at, out, filled));
      continue;
    }
    if (at + 4 > words.length) throw damaged("a palette segment that is cut short");
    const segments = words[at + 1] as number;
    let from = ((words[at + 2] as number) + (words[at + 3] as number) * 65536) >>> 1;
    for (let i = 0; i < segments && filled < entries; i++) {
      const before = filled;
      ({ at: from, filled } = expandOne(words, from, out, filled));
      if (filled === before) throw damaged("a palette segment of nothing");
    }
    at += 4;
  }
  if (filled < entries) throw damaged(`a segmented palette of ${filled} of ${entries} entries`);
  return out;
}

/** A table whose data is segmented. */
export function readSegmentedTable(descriptor: readonly number[], bytes: Uint8Array, signed: boolean): LookupTable {
  const [count = 0, , bits = 16] = descriptor;
  const entries = (count & 0xffff) === 0 ? entriesMax : count & 0xffff;
  // Opcodes and lengths are words even where the entries are of 8 bits, unless the data is OB, which is seldom seen.
  const words = new Uint16Array(bytes.length >> 1);
  for (let i = 0; i < words.length; i++) words[i] = (bytes[i * 2] as number) | ((bytes[i * 2 + 1] as number) << 8);
  const data = expandSegments(words, entries);
  return { ...readLookupTable([count, descriptor[1] ?? 0, bits], new Uint8Array(entries * 2), signed), data };
}
