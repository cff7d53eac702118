import { invalid } from "./frame.ts";

/** A Huffman table (ITU-T T.81 Annex C) as a 10 bit look-up with a canonical search behind it for longer codes. */
export interface HuffmanTable {
  /** Code length in the high byte, value in the low; 0 where the code is longer than 10 bits. */
  fast: Uint16Array;
  /** Greatest code of each length, -1 where there is none. */
  codeMax: Int32Array;
  /** What to add to a code of each length for its place in `values`. */
  shift: Int32Array;
  values: Uint8Array;
}

const fastBits = 10;

export function buildHuffmanTable(counts: Uint8Array, values: Uint8Array): HuffmanTable {
  const table: HuffmanTable = {
    fast: new Uint16Array(1 << fastBits),
    codeMax: new Int32Array(18).fill(-1),
    shift: new Int32Array(17),
    values,
  };
  let code = 0;
  let at = 0;
  for (let length = 1; length <= 16; length++, code <<= 1) {
    const count = counts[length - 1] as number;
    if (count === 0) continue;
    if (code + count > 1 << length || at + count > values.length) throw invalid("a JPEG Huffman table that is no code");
    table.shift[length] = at - code;
    for (let i = 0; i < count; i++, code++, at++) {
      if (length > fastBits) continue;
      const first = code << (fastBits - length);
      table.fast.fill((length << 8) | (values[at] as number), first, first + (1 << (fastBits - length)));
    }
    table.codeMax[length] = code - 1;
  }
  return table;
}

/** Reads a DHT segment (T.81 B.2.4.2) into `tables`, indexed class × 4 + destination. */
export function readHuffmanTables(payload: Uint8Array, tables: (HuffmanTable | undefined)[]): void {
  let at = 0;
  while (at < payload.length) {
    const target = payload[at] as number;
    const counts = payload.subarray(at + 1, at + 17);
    let total = 0;
    for (const count of counts) total += count;
    if (counts.length < 16 || total > 256 || at + 17 + total > payload.length || target >> 4 > 1 || (target & 15) > 3) {
      throw invalid("a JPEG Huffman table that is cut short");
    }
    tables[(target >> 4) * 4 + (target & 15)] = buildHuffmanTable(counts, payload.slice(at + 17, at + 17 + total));
    at += 17 + total;
  }
}

/** Bits of one entropy coded segment after another; zeros after the end, which `assertWithin` finds out. */
export interface EntropyReader {
  /** The next value by `table`. */
  symbol(table: HuffmanTable): number;
  /** The next `count` bits (0 to 16) as an unsigned number. */
  bits(count: number): number;
  /** The next `count` bits as a signed difference (T.81 F.2.2.1 EXTEND). */
  difference(count: number): number;
  /** Throws when more bits were taken than the segment holds. */
  assertWithin(): void;
  /** Drops what is left of the segment and passes the restart marker that must follow. */
  restart(): void;
  /** Where the segment's marker lies, or would. */
  position(): number;
}

export function entropyReader(bytes: Uint8Array, from: number): EntropyReader {
  let at = from;
  let buffer = 0;
  let held = 0;
  let padded = 0;

  const fill = () => {
    while (held <= 24) {
      let byte = at < bytes.length ? (bytes[at] as number) : 0xff;
      if (byte === 0xff) {
        if (at < bytes.length && bytes[at + 1] === 0) at += 2;
        else {
          byte = 0;
          padded += 8;
        }
      } else at++;
      buffer = (buffer << 8) | byte;
      held += 8;
    }
  };

  const bits = (count: number): number => {
    if (count === 0) return 0;
    if (held < count) fill();
    held -= count;
    return (buffer >>> held) & ((1 << count) - 1);
  };

  return {
    bits,
    symbol(table) {
      if (held < 16) fill();
      const entry = table.fast[(buffer >>> (held - fastBits)) & ((1 << fastBits) - 1)] as number;
      if (entry !== 0) {
        held -= entry >> 8;
        return entry & 0xff;
      }
      for (let length = fastBits + 1; length <= 16; length++) {
        const code = (buffer >>> (held - length)) & ((1 << length) - 1);
        if (code <= (table.codeMax[length] as number)) {
          held -= length;
          return table.values[code + (table.shift[length] as number)] as number;
        }
      }
      throw invalid("a JPEG frame with a code that is in no table");
    },
    difference(count) {
      const value = bits(count);
      return value < 1 << (count - 1) ? value - (1 << count) + 1 : value;
    },
    assertWithin() {
      if (padded > held) throw invalid("a JPEG frame ends before its last pixel");
    },
    restart() {
      if (padded > held) throw invalid("a JPEG frame ends before its last pixel");
      buffer = 0;
      held = 0;
      padded = 0;
      while (
        at + 1 < bytes.length &&
        !(bytes[at] === 0xff && (bytes[at + 1] as number) >= 0xc0 && bytes[at + 1] !== 0xff)
      )
        at++;
      const marker = bytes[at + 1];
      if (marker === undefined || marker < 0xd0 || marker > 0xd7) throw invalid("a JPEG restart marker is missing");
      at += 2;
    },
    position: () => at,
  };
}
