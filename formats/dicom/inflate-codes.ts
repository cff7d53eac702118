/** Canonical Huffman codes (RFC 1951 §3.2.2): a table for the first bits, counts for the codes that are longer. */
export interface Codes {
  /** By the next `primaryBits` bits: symbol << 4 | size, or 0 when the code is longer. */
  readonly primary: Uint16Array;
  /** How many codes have each size, and the symbols in order of their codes. */
  readonly counts: Uint16Array;
  readonly symbols: Uint16Array;
}

export const primaryBits = 10;
const sizeMax = 15;

export function buildCodes(sizes: Uint8Array, mayBeIncomplete: boolean, damaged: (what: string) => Error): Codes {
  const counts = new Uint16Array(sizeMax + 1);
  for (const size of sizes) counts[size]! += 1;
  counts[0] = 0;
  let left = 1;
  const offsets = new Uint16Array(sizeMax + 2);
  for (let size = 1; size <= sizeMax; size += 1) {
    left = left * 2 - counts[size]!;
    if (left < 0) throw damaged("more codes than fit");
    offsets[size + 1] = offsets[size]! + counts[size]!;
  }
  const used = offsets[sizeMax + 1]!;
  // One distance code of one bit, or none, is allowed (§3.2.7); anything else must be complete.
  if (left > 0 && !(mayBeIncomplete && used <= 1)) throw damaged("missing codes");
  const symbols = new Uint16Array(used);
  for (let symbol = 0; symbol < sizes.length; symbol += 1) {
    const size = sizes[symbol]!;
    if (size > 0) symbols[offsets[size]!++] = symbol;
  }
  return { primary: primaryTable(counts, symbols), counts, symbols };
}

function primaryTable(counts: Uint16Array, symbols: Uint16Array): Uint16Array {
  const primary = new Uint16Array(1 << primaryBits);
  let code = 0;
  let next = 0;
  for (let size = 1; size <= primaryBits; size += 1) {
    for (let n = counts[size]!; n > 0; n -= 1, code += 1, next += 1) {
      const entry = (symbols[next]! << 4) | size;
      for (let at = reversed(code, size); at < primary.length; at += 1 << size) primary[at] = entry;
    }
    code <<= 1;
  }
  return primary;
}

function reversed(code: number, size: number): number {
  let out = 0;
  for (let i = 0; i < size; i += 1) out = (out << 1) | ((code >> i) & 1);
  return out;
}

/** A code longer than the table, bit by bit: symbol << 4 | size; 0 when `count` bits do not hold it. */
export function decodeLong(codes: Codes, bits: number, count: number, damaged: (what: string) => Error): number {
  let code = 0;
  let first = 0;
  let index = 0;
  for (let size = 1; size <= sizeMax; size += 1) {
    if (size > count) return 0;
    code |= (bits >>> (size - 1)) & 1;
    const inSize = codes.counts[size]!;
    if (code - inSize < first) return (codes.symbols[index + code - first]! << 4) | size;
    index += inSize;
    first = (first + inSize) << 1;
    code <<= 1;
  }
  throw damaged("unknown code");
}

function fixed(spans: readonly (readonly [number, number])[]): Codes {
  const sizes = Uint8Array.from(spans.flatMap(([count, size]) => new Array<number>(count).fill(size)));
  return buildCodes(sizes, false, (what) => new Error(what));
}

export const fixedLiterals: Codes = /*#__PURE__*/ fixed([
  [144, 8],
  [112, 9],
  [24, 7],
  [8, 8],
]);
export const fixedDistances: Codes = /*#__PURE__*/ fixed([[32, 5]]);
