import {
  bytesPerCharacter,
  cellOf,
  charactersOf,
  gbFours,
  gbFoursInBmp,
  gbPairIndex,
  gbPairs,
  noCharacter,
} from "./tables.ts";
import type { GraphicSetId, Repertoire } from "./terms.ts";

/** Which bytes end the effect of escape sequences in a VR, beside the control characters (PS3.5 §6.1.2.5.3). */
export interface Delimiters {
  /** 0x5C separates values (not in ST, LT, UT). */
  readonly backslash: boolean;
  /** `^` and `=` separate the parts of a person's name. */
  readonly name: boolean;
}

export function isDelimiter(code: number, delimiters: Delimiters): boolean {
  return (code === 0x5c && delimiters.backslash) || ((code === 0x5e || code === 0x3d) && delimiters.name);
}

type Zone = "g0" | "g1";

/**
 * Escape sequences after ESC (PS3.3 Tables C.12-3 and C.12-4). Sequences that the tables lack and files hold are read too:
 * the 1978 and the long form of JIS X 0208, katakana in G0, and the 94x94 sets in the other half.
 */
const escapes: ReadonlyMap<string, readonly [Zone, GraphicSetId]> = new Map<string, readonly [Zone, GraphicSetId]>([
  ["(B", ["g0", 6]],
  ["(J", ["g0", 14]],
  ["(I", ["g0", 13]],
  [")I", ["g1", 13]],
  ["-A", ["g1", 100]],
  ["-B", ["g1", 101]],
  ["-C", ["g1", 109]],
  ["-D", ["g1", 110]],
  ["-F", ["g1", 126]],
  ["-G", ["g1", 127]],
  ["-H", ["g1", 138]],
  ["-L", ["g1", 144]],
  ["-M", ["g1", 148]],
  ["-T", ["g1", 166]],
  ["-b", ["g1", 203]],
  ["$B", ["g0", 87]],
  ["$@", ["g0", 87]],
  ["$(B", ["g0", 87]],
  ["$)B", ["g1", 87]],
  ["$(D", ["g0", 159]],
  ["$)D", ["g1", 159]],
  ["$)C", ["g1", 149]],
  ["$(C", ["g0", 149]],
  ["$)A", ["g1", 58]],
  ["$(A", ["g0", 58]],
  ["$A", ["g0", 58]],
]);

interface Reading {
  readonly bytes: Uint8Array;
  readonly repertoire: Repertoire;
  readonly delimiters: Delimiters;
  /** G1 for bytes above 0x7F where nothing was invoked: writers that forget the escape after a delimiter are common. */
  readonly fallbackG1: GraphicSetId | undefined;
  /** UTF-16 code units; there are never more of them than bytes. */
  readonly units: Uint16Array;
  length: number;
  at: number;
  g0: GraphicSetId;
  g1: GraphicSetId | undefined;
  readonly backslashes: number[] | undefined;
}

/**
 * Decodes the single-byte sets and their code extensions. Offsets of the backslashes that separate values are put in
 * `backslashes`. What is not a character of the set in force becomes U+FFFD.
 */
export function decodeIso2022(
  bytes: Uint8Array,
  repertoire: Repertoire,
  delimiters: Delimiters,
  backslashes?: number[],
): string {
  const reading: Reading = {
    bytes,
    repertoire,
    delimiters,
    fallbackG1: repertoire.initialG1 ?? repertoire.declared.find((set) => set !== 6 && set !== 87 && set !== 159),
    units: new Uint16Array(bytes.length),
    length: 0,
    at: 0,
    g0: repertoire.initialG0,
    g1: repertoire.initialG1,
    backslashes,
  };
  while (reading.at < bytes.length) {
    const byte = bytes[reading.at] ?? 0;
    if (byte === 0x1b && repertoire.extensible) readEscape(reading);
    else if (byte < 0x20) {
      reset(reading);
      put(reading, byte, 1);
    } else if (byte < 0x80) readLow(reading, byte);
    else readHigh(reading, byte);
  }
  return textOf(reading.units.subarray(0, reading.length));
}

function put(reading: Reading, unit: number, bytesRead: number): void {
  reading.units[reading.length++] = unit;
  reading.at += bytesRead;
}

function reset(reading: Reading): void {
  reading.g0 = reading.repertoire.initialG0;
  reading.g1 = reading.repertoire.initialG1;
}

/** An unknown sequence loses its ESC only, and leaves a multi-byte G0, which its writer surely wanted to. */
function readEscape(reading: Reading): void {
  const { bytes, at } = reading;
  for (let length = 2; length <= 3; length++) {
    const found = escapes.get(String.fromCharCode(...bytes.subarray(at + 1, at + 1 + length)));
    if (found !== undefined) {
      const [zone, set] = found;
      if (zone === "g0") reading.g0 = set;
      else reading.g1 = set;
      reading.at += 1 + length;
      return;
    }
  }
  reading.g0 = reading.repertoire.initialG0;
  put(reading, noCharacter, 1);
}

function readLow(reading: Reading, byte: number): void {
  const { bytes, at, g0, delimiters } = reading;
  if (byte === 0x20 || byte === 0x7f) {
    put(reading, byte, 1);
    return;
  }
  if (bytesPerCharacter(g0) === 2) {
    const second = bytes[at + 1] ?? 0;
    if (second > 0x20 && second < 0x7f) {
      put(reading, charactersOf(g0)[cellOf(byte, second)] ?? noCharacter, 2);
      return;
    }
    // Half a character: a delimiter before which its writer forgot to return to value 1 is still one.
    if (!isDelimiter(byte, delimiters)) {
      put(reading, noCharacter, 1);
      return;
    }
  }
  // Katakana in G0 covers the codes of the delimiters, so none can be meant.
  if (g0 !== 13 && isDelimiter(byte, delimiters)) {
    reset(reading);
    if (byte === 0x5c) reading.backslashes?.push(at);
    put(reading, byte, 1);
    return;
  }
  put(reading, charactersOf(g0)[byte - 0x20] ?? noCharacter, 1);
}

function readHigh(reading: Reading, byte: number): void {
  const set = reading.g1 ?? reading.fallbackG1;
  if (set === undefined) {
    put(reading, byte, 1);
    return;
  }
  if (bytesPerCharacter(set) === 1) {
    // C1 controls are not used in DICOM; kept as they are, nothing is lost.
    put(reading, byte < 0xa0 ? byte : (charactersOf(set)[byte - 0xa0] ?? noCharacter), 1);
    return;
  }
  const second = reading.bytes[reading.at + 1] ?? 0;
  if (isGraphicRight(byte) && isGraphicRight(second)) {
    put(reading, charactersOf(set)[cellOf(byte, second)] ?? noCharacter, 2);
  } else put(reading, noCharacter, 1);
}

function isGraphicRight(byte: number): boolean {
  return byte > 0xa0 && byte < 0xff;
}

/**
 * Decodes GB 18030, and GBK as its part. The second byte of a character may be 0x5C; only a backslash that is a character
 * of its own is put in `backslashes`.
 */
export function decodeGb18030(bytes: Uint8Array, backslashes?: number[]): string {
  const units = new Uint16Array(bytes.length);
  let length = 0;
  let at = 0;
  while (at < bytes.length) {
    const lead = bytes[at] ?? 0;
    if (lead < 0x80) {
      if (lead === 0x5c) backslashes?.push(at);
      units[length++] = lead;
      at += 1;
      continue;
    }
    const trail = bytes[at + 1] ?? 0;
    if (lead > 0x80 && lead < 0xff && trail >= 0x40 && trail !== 0x7f && trail !== 0xff) {
      units[length++] = gbPairs()[gbPairIndex(lead, trail)] ?? noCharacter;
      at += 2;
      continue;
    }
    const four = lead > 0x80 && lead < 0xff && isDigit(trail) ? gbFourAt(bytes, at) : undefined;
    if (four !== undefined && four > 0xffff) {
      units[length++] = 0xd800 + ((four - 0x10000) >> 10);
      units[length++] = 0xdc00 + (four & 0x3ff);
    } else units[length++] = four ?? (lead === 0x80 ? 0x20ac : noCharacter);
    at += four === undefined ? 1 : 4;
  }
  return textOf(units.subarray(0, length));
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

/** Code point of the four bytes there, U+FFFD where they name none, undefined where they are not such a code. */
function gbFourAt(bytes: Uint8Array, at: number): number | undefined {
  const [first = 0, second = 0, third = 0, fourth = 0] = bytes.subarray(at, at + 4);
  if (third < 0x81 || third > 0xfe || !isDigit(fourth)) return undefined;
  const linear = (((first - 0x81) * 10 + second - 0x30) * 126 + third - 0x81) * 10 + fourth - 0x30;
  if (linear < gbFoursInBmp) return gbFours()[linear] ?? noCharacter;
  const supplementary = linear - gbSupplementaryStart + 0x10000;
  return supplementary >= 0x10000 && supplementary <= 0x10ffff ? supplementary : noCharacter;
}

/** Four-byte position of U+10000 (0x90308130). */
export const gbSupplementaryStart = 189000;

/** Bytes as the code units of the same number: ASCII, and beyond it without loss. */
export function textOfBytes(bytes: Uint8Array): string {
  return textOf(bytes);
}

/** Arguments of one call; above some ten thousand engines refuse. */
const unitsPerCall = 4096;

function textOf(units: Uint8Array | Uint16Array): string {
  if (units.length <= unitsPerCall) return String.fromCharCode.apply(null, units as unknown as number[]);
  let text = "";
  for (let at = 0; at < units.length; at += unitsPerCall) {
    text += String.fromCharCode.apply(null, units.subarray(at, at + unitsPerCall) as unknown as number[]);
  }
  return text;
}
