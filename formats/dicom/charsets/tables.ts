/**
 * The characters of the graphic sets, made from the runtime's own decoders on first use: no table is carried, and the
 * few places where runtimes or the web's labels leave the registered sets are put right here. The tables are constants
 * that are merely late: sharing them in the module changes no behaviour.
 */
import type { GraphicSetId } from "./terms.ts";

/** What a cell without a character holds, and what it decodes to. */
export const noCharacter = 0xfffd;

/** Bytes of one character: 2 in the 94x94 sets, else 1. */
export function bytesPerCharacter(set: GraphicSetId): 1 | 2 {
  return set === 87 || set === 159 || set === 149 || set === 58 ? 2 : 1;
}

/** One table for each set, made when it is first asked for. */
function createTables(make: (set: GraphicSetId) => Uint16Array): (set: GraphicSetId) => Uint16Array {
  const made = new Map<GraphicSetId, Uint16Array>();
  return (set) => {
    const table = made.get(set) ?? make(set);
    made.set(set, table);
    return table;
  };
}

/** A table made when it is first asked for. */
function createTable<T extends object>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

const singleByteLabels: Partial<Record<GraphicSetId, string>> = {
  100: "iso-8859-1",
  101: "iso-8859-2",
  109: "iso-8859-3",
  110: "iso-8859-4",
  126: "iso-8859-7",
  127: "iso-8859-6",
  138: "iso-8859-8",
  144: "iso-8859-5",
  148: "iso-8859-9",
  166: "windows-874",
  203: "iso-8859-15",
};

/**
 * Rows start at 0xA1. The overrides: JIS X 0208 by its own character names, as iconv and Python have them, where the web
 * follows Microsoft's fullwidth forms; KS X 1001 with the two signs of 1998 that older decoders lack.
 */
const doubleByteSources: Partial<Record<GraphicSetId, { label: string; prefix: number[]; put: [number, number][] }>> = {
  87: {
    label: "euc-jp",
    prefix: [],
    put: [
      [0x2141, 0x301c],
      [0x2142, 0x2016],
      [0x215d, 0x2212],
      [0x2171, 0x00a2],
      [0x2172, 0x00a3],
      [0x224c, 0x00ac],
    ],
  },
  159: { label: "euc-jp", prefix: [0x8f], put: [] },
  149: {
    label: "euc-kr",
    prefix: [],
    put: [
      [0x2266, 0x20ac],
      [0x2267, 0x00ae],
    ],
  },
  58: { label: "gb18030", prefix: [], put: [] },
};

/** Decodes many codes of one encoding in one go; a code that is not exactly one BMP character has none. */
function decodeCodes(label: string, count: number, codeAt: (index: number) => readonly number[]): Uint16Array {
  const bytes: number[] = [];
  for (let i = 0; i < count; i++) bytes.push(...codeAt(i), 0x0a);
  const lines = new TextDecoder(label, { ignoreBOM: true }).decode(Uint8Array.from(bytes)).split("\n");
  return Uint16Array.from({ length: count }, (_, i) => {
    const line = lines[i] ?? "";
    return line.length === 1 ? line.charCodeAt(0) : noCharacter;
  });
}

/** Cell of a two-byte code (either byte with or without its high bit) in a 94x94 table. */
export function cellOf(first: number, second: number): number {
  return ((first & 0x7f) - 0x21) * 94 + (second & 0x7f) - 0x21;
}

function makeDoubleByte(set: GraphicSetId): Uint16Array {
  const source = doubleByteSources[set];
  if (source === undefined) return new Uint16Array(94 * 94).fill(noCharacter);
  const { label, prefix, put } = source;
  const table = decodeCodes(label, 94 * 94, (cell) => [...prefix, 0xa1 + Math.floor(cell / 94), 0xa1 + (cell % 94)]);
  for (const [code, character] of put) table[cellOf(code >> 8, code)] = character;
  for (let cell = 0; cell < table.length; cell++) {
    const character = table[cell] ?? noCharacter;
    if (isPrivateUse(character)) table[cell] = noCharacter;
  }
  return table;
}

export function isPrivateUse(character: number): boolean {
  return character >= 0xe000 && character <= 0xf8ff;
}

/** The 96 positions of a single-byte set, as if it were in G0: index 0 is 0x20. */
function makeSingleByte(set: GraphicSetId): Uint16Array {
  const label = singleByteLabels[set];
  if (label !== undefined) return decodeCodes(label, 96, (i) => [0xa0 + i]);
  if (set === 13)
    return Uint16Array.from({ length: 96 }, (_, i) => (i >= 0x01 && i <= 0x3f ? 0xff60 + i : noCharacter));
  const ascii = Uint16Array.from({ length: 96 }, (_, i) => 0x20 + i);
  if (set === 14) {
    ascii[0x5c - 0x20] = 0xa5;
    ascii[0x7e - 0x20] = 0x203e;
  }
  return ascii;
}

/** All characters of a set: 96 from position 0x20 on, or 94 rows of 94. */
export const charactersOf = createTables((set) =>
  bytesPerCharacter(set) === 2 ? makeDoubleByte(set) : makeSingleByte(set),
);

/**
 * The codes we write: those of the set as it is registered. What decoders know beyond it (later editions of ISO 8859-7 and
 * 8859-8, vendors' rows of the East Asian sets) is read but not written, as the other side may not have it.
 * Inclusive ranges of 7-bit codes.
 */
const writtenRanges: Partial<Record<GraphicSetId, readonly (readonly [number, number])[]>> = {
  87: [
    [0x2121, 0x287e],
    [0x3021, 0x747e],
  ],
  159: [[0x2121, 0x6d7e]],
  149: [
    [0x2121, 0x487e],
    [0x4a21, 0x7d7e],
  ],
  58: [
    [0x2121, 0x217e],
    [0x2231, 0x2262],
    [0x2265, 0x226e],
    [0x2271, 0x227c],
    [0x2321, 0x2473],
    [0x2521, 0x2576],
    [0x2621, 0x2638],
    [0x2641, 0x2658],
    [0x2721, 0x2741],
    [0x2751, 0x2771],
    [0x2821, 0x283a],
    [0x2845, 0x2869],
    [0x2924, 0x296f],
    [0x3021, 0x5779],
    [0x5821, 0x777e],
  ],
  126: [
    [0x20, 0x23],
    [0x26, 0x29],
    [0x2b, 0x7f],
  ],
  138: [[0x20, 0x7c]],
  166: [[0x21, 0x7f]],
};

/** Code (7 bits a byte) by UTF-16 code unit; 0 where the set lacks the character. */
export const codesOf = createTables(makeCodes);

function makeCodes(set: GraphicSetId): Uint16Array {
  const codes = new Uint16Array(0x10000);
  const ranges = writtenRanges[set];
  const double = bytesPerCharacter(set) === 2;
  charactersOf(set).forEach((character, index) => {
    const code = double ? ((Math.floor(index / 94) + 0x21) << 8) | ((index % 94) + 0x21) : index + 0x20;
    const written = ranges === undefined || ranges.some(([from, to]) => code >= from && code <= to);
    if (written && character !== noCharacter && codes[character] === 0) codes[character] = code;
  });
  return codes;
}

/** Second bytes run from 0x40 to 0xFE without 0x7F. */
const gbRow = 190;
/** Four-byte codes from 0x81308130 to 0x8431A439: the rest of the Basic Multilingual Plane. */
export const gbFoursInBmp = 39420;

/** U+FFFD itself has a code, 0x8431A437, which a table cannot tell from none. */
const gbReplacementCharacter = 39417;

export function gbPairIndex(lead: number, trail: number): number {
  return (lead - 0x81) * gbRow + trail - (trail < 0x7f ? 0x40 : 0x41);
}

function gbPairCode(index: number): number {
  const trail = index % gbRow;
  return ((0x81 + Math.floor(index / gbRow)) << 8) | (trail + (trail < 0x3f ? 0x40 : 0x41));
}

/** The four bytes of a linear four-byte position (GB 18030: 126 x 10 x 126 x 10). */
export function gbFourBytes(linear: number): [number, number, number, number] {
  return [
    0x81 + Math.floor(linear / 12600),
    0x30 + (Math.floor(linear / 1260) % 10),
    0x81 + (Math.floor(linear / 10) % 126),
    0x30 + (linear % 10),
  ];
}

/** Characters of the two-byte codes, by `gbPairIndex`. */
export const gbPairs = createTable(() =>
  decodeCodes("gb18030", 126 * gbRow, (index) => {
    const code = gbPairCode(index);
    return [code >> 8, code & 0xff];
  }),
);

/** Characters of the first `gbFoursInBmp` four-byte codes, by linear position. */
export const gbFours = createTable(() => decodeCodes("gb18030", gbFoursInBmp, gbFourBytes));

/** GB 18030 code of a BMP character by code unit: below 0x10000 two bytes, else 0x10000 + the four-byte position. */
export const gbCodes = createTable(() => {
  const codes = new Uint32Array(0x10000);
  gbPairs().forEach((character, index) => {
    if (character !== noCharacter && codes[character] === 0) codes[character] = gbPairCode(index);
  });
  gbFours().forEach((character, linear) => {
    if (character !== noCharacter && codes[character] === 0) codes[character] = 0x10000 + linear;
  });
  codes[noCharacter] = 0x10000 + gbReplacementCharacter;
  return codes;
});

/** GBK code by code unit: the two-byte codes of GB 18030 without what it added to GBK (euro, 0xA8BF, 0xA989.., 0xFE50..). */
export const gbkCodes = createTable(() =>
  gbCodes().map((code, character) => {
    const added = code === 0xa2e3 || code === 0xa8bf || code === 0xa8bc || (code >= 0xa989 && code <= 0xa995);
    return code >= 0xfe50 || added || isPrivateUse(character) || isVerticalForm(code) ? 0 : code;
  }),
);

/** Vertical punctuation at 0xA6D9 to 0xA6F3 that older decoders give private characters. */
function isVerticalForm(code: number): boolean {
  return (code >= 0xa6d9 && code <= 0xa6df) || code === 0xa6ec || code === 0xa6ed || code === 0xa6f3;
}
