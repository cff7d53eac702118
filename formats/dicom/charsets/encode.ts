import { type Delimiters, gbSupplementaryStart, isDelimiter } from "./decode.ts";
import { bytesPerCharacter, codesOf, gbCodes, gbFourBytes, gbkCodes } from "./tables.ts";
import type { GraphicSetId, Repertoire } from "./terms.ts";

/** Bytes after ESC that designate a set where the standard puts it: these in G0, the others in G1. */
const designations: Readonly<Record<GraphicSetId, string>> = {
  6: "(B",
  14: "(J",
  87: "$B",
  159: "$(D",
  13: ")I",
  58: "$)A",
  100: "-A",
  101: "-B",
  109: "-C",
  110: "-D",
  126: "-F",
  127: "-G",
  138: "-H",
  144: "-L",
  148: "-M",
  149: "$)C",
  166: "-T",
  203: "-b",
};

function goesToG0(set: GraphicSetId): boolean {
  return set === 6 || set === 14 || set === 87 || set === 159;
}

/** Pairs that are one character in some sets and the other in others; each may stand in for its partner. */
const pairs: readonly (readonly [number, number])[] = [
  [0x301c, 0xff5e],
  [0x2016, 0x2225],
  [0x2212, 0xff0d],
  [0x00a2, 0xffe0],
  [0x00a3, 0xffe1],
  [0x00ac, 0xffe2],
  [0x2014, 0x2015],
  [0x00b7, 0x30fb],
];
const standIns: ReadonlyMap<number, number> = new Map([
  ...pairs,
  ...pairs.map(([one, other]) => [other, one] as const),
]);

interface Writing {
  readonly repertoire: Repertoire;
  readonly bytes: number[];
  /** Sets that may be invoked, in the order they are tried. */
  readonly candidates: readonly GraphicSetId[];
  readonly backslashDelimits: boolean;
  g0: GraphicSetId;
  g1: GraphicSetId | undefined;
}

/**
 * Encodes in the single-byte sets and their code extensions; undefined where a character is in none of them. Value 1 is in
 * force again before each delimiter and control character and at the end (PS3.5 §6.1.2.5.3).
 */
export function encodeIso2022(text: string, repertoire: Repertoire, delimiters: Delimiters): Uint8Array | undefined {
  const writing: Writing = {
    repertoire,
    bytes: [],
    candidates: repertoire.extensible ? candidatesOf(repertoire) : [],
    backslashDelimits: delimiters.backslash,
    g0: repertoire.initialG0,
    g1: repertoire.initialG1,
  };
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit === 0x1b && repertoire.extensible) return undefined;
    if (unit < 0x20 || isDelimiter(unit, delimiters)) {
      returnToInitial(writing);
      writing.bytes.push(unit);
    } else if (!write(writing, unit)) {
      const standIn = standIns.get(unit);
      if (standIn === undefined || !write(writing, standIn)) return undefined;
    }
  }
  returnToInitial(writing);
  return Uint8Array.from(writing.bytes);
}

function candidatesOf(repertoire: Repertoire): GraphicSetId[] {
  const sets = new Set<GraphicSetId>([repertoire.initialG0]);
  if (repertoire.initialG1 !== undefined) sets.add(repertoire.initialG1);
  for (const set of repertoire.declared) {
    if (set === 13) sets.add(14);
    sets.add(set);
  }
  sets.add(6);
  return [...sets];
}

/** Writes one character, with the escape sequence it needs. */
function write(writing: Writing, unit: number): boolean {
  if (unit >= 0x80 && unit < 0xa0) return writeC1(writing, unit);
  if (writeIn(writing, writing.g0, unit)) return true;
  if (writing.g1 !== undefined && writeIn(writing, writing.g1, unit)) return true;
  return writing.candidates.some((set) => writeIn(writing, set, unit));
}

function writeIn(writing: Writing, set: GraphicSetId, unit: number): boolean {
  const code = codeIn(set, unit, writing.backslashDelimits);
  if (code === 0) return false;
  const high = goesToG0(set) ? 0 : 0x80;
  designate(writing, set);
  if (bytesPerCharacter(set) === 2) writing.bytes.push((code >> 8) | high);
  writing.bytes.push((code & 0xff) | high);
  return true;
}

/** A yen sign of JIS X 0201 would be read as a delimiter where values are separated by 0x5C. */
function codeIn(set: GraphicSetId, unit: number, backslashDelimits: boolean): number {
  const code = codesOf(set)[unit] ?? 0;
  return set === 14 && code === 0x5c && backslashDelimits ? 0 : code;
}

/** C1 controls came from sloppy 8-bit text; where an 8-bit set is in force they go back as the bytes they were. */
function writeC1(writing: Writing, unit: number): boolean {
  if (writing.g1 === undefined || bytesPerCharacter(writing.g1) === 2) return false;
  writing.bytes.push(unit);
  return true;
}

function designate(writing: Writing, set: GraphicSetId): void {
  const inG0 = goesToG0(set);
  if ((inG0 ? writing.g0 : writing.g1) === set) return;
  writing.bytes.push(0x1b);
  for (const character of designations[set]) writing.bytes.push(character.charCodeAt(0));
  if (inG0) writing.g0 = set;
  else writing.g1 = set;
}

function returnToInitial(writing: Writing): void {
  const { initialG0, initialG1 } = writing.repertoire;
  designate(writing, initialG0);
  // Without a G1 in value 1 there is none to return to; readers forget it at the delimiter.
  if (initialG1 !== undefined) designate(writing, initialG1);
  else writing.g1 = undefined;
}

/** Encodes GB 18030 (all of Unicode), or the GBK part of it; undefined where a character is not in it. */
export function encodeGb18030(text: string, part: "gb18030" | "gbk"): Uint8Array | undefined {
  const codes = part === "gbk" ? gbkCodes() : gbCodes();
  const bytes: number[] = [];
  for (const character of text) {
    const codePoint = character.codePointAt(0) ?? 0;
    const code = codePoint > 0xffff ? 0 : (codes[codePoint] ?? 0);
    if (codePoint < 0x80) bytes.push(codePoint);
    else if (codePoint > 0xffff && part === "gb18030") {
      bytes.push(...gbFourBytes(codePoint - 0x10000 + gbSupplementaryStart));
    } else if (code >= 0x10000) bytes.push(...gbFourBytes(code - 0x10000));
    else if (code > 0) bytes.push(code >> 8, code & 0xff);
    else return undefined;
  }
  return Uint8Array.from(bytes);
}
