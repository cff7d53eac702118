import { keyIn, type SearchKey, sortKeysOf, type Test } from "./matching.ts";
import type { IndexedValues } from "./study-index.ts";

/*
 * A sort key as one number below 2^53 that keeps the order of texts (by code point): one digit a character, of as many symbols
 * as the field's usual characters need. What is not usual, or too long, ends the number early: equal numbers then may stand for
 * different texts, and `isWhole` says so.
 */

/** What one position of a text may hold: 0 when it has ended, then by code point usual characters and the gaps between them. */
interface Alphabet {
  readonly size: number;
  /** By ASCII code; what is above has the last symbol. */
  readonly symbols: Uint8Array;
  readonly isGap: readonly boolean[];
}

function alphabetOf(usual: string): Alphabet {
  const isGap = [false];
  const symbols = new Uint8Array(128);
  for (let code = 0; code < 128; code++) {
    const isUsual = usual.includes(String.fromCharCode(code));
    if (isUsual || isGap.at(-1) !== true) isGap.push(!isUsual);
    symbols[code] = isGap.length - 1;
  }
  if (isGap.at(-1) !== true) isGap.push(true);
  return { size: isGap.length, symbols, isGap };
}

const digits = "0123456789";
const digit = alphabetOf(digits);
/** Whether anything follows. */
const more = alphabetOf("");
const letterOfName = alphabetOf(` -^abcdefghijklmnopqrstuvwxyz${digits}`);
const letterOfId = alphabetOf(`${digits}ABCDEFGHIJKLMNOPQRSTUVWXYZ`);
const times = (count: number, alphabet: Alphabet) => Array.from({ length: count }, () => alphabet);

const date = [...times(4, digit), alphabetOf("01"), digit, alphabetOf("0123"), digit, more];
const time = [alphabetOf("012"), digit, alphabetOf("012345"), digit, alphabetOf("012345"), digit, more];
const name = [...times(9, letterOfName), more];
const id = [...times(9, letterOfId), digit, more];

/** A way of sorting studies that has a column. */
export interface SortScheme {
  readonly keyword: string;
  readonly keys: readonly SearchKey[];
  /** Positions of each key. */
  readonly parts: readonly (readonly Alphabet[])[];
}

/** In the order in which a log entry of the index holds them. */
export const sortSchemes: readonly SortScheme[] = (
  [
    ["StudyDate", date, time],
    ["PatientBirthDate", date],
    ["PatientName", name],
    ["PatientID", id],
    ["AccessionNumber", id],
    ["StudyDescription", name],
  ] as const
).map(([keyword, ...parts]) => ({ keyword, keys: sortKeysOf(keyword, "study").map(({ key }) => key), parts }));

/** What stands in a column where there never was a study. */
export const noSortKey = Number.NaN;
/** And for one that was removed: its number is not given out again. */
const goneSortKey = -1;

/** Of a study that shows no instance, or is gone: it has no place in any column. */
export const goneSortKeys: readonly number[] = sortSchemes.map(() => goneSortKey);

export function sortKeysIn(values: IndexedValues): number[] {
  return sortSchemes.map((scheme) =>
    packed(
      scheme.parts,
      scheme.keys.map((key) => String(keyIn(values, key))),
    ),
  );
}

export interface Interval {
  readonly least: number;
  readonly most: number;
  /** No text that fails the test has a number in it. */
  readonly isExact: boolean;
}

/** Numbers that hold all texts of the scheme's first key that pass a test; undefined when that are not some in a row. */
export function intervalsOf(scheme: SortScheme, test: Test): Interval[] | undefined {
  if (test.is === "equal") return test.keys.map((key) => between(scheme, String(key), String(key)));
  if (test.is === "range") return [between(scheme, test.from, test.to)];
  if (test.is !== "prefix") return undefined;
  const from = between(scheme, test.prefix, test.prefix);
  // Behind every text that begins so.
  const most = packed(scheme.parts, [`${test.prefix}\u{10ffff}`]);
  return [{ least: from.least, most, isExact: from.isExact }];
}

function between(scheme: SortScheme, from: string | undefined, to: string | undefined): Interval {
  const positions = scheme.parts.flat();
  const least = from === undefined ? roomOf(positions, 1) : packed(scheme.parts, [from]);
  const last = to === undefined ? undefined : packed(scheme.parts, [to]);
  const isWholeFrom = from === undefined || isWhole(scheme, least);
  if (last === undefined) return { least, most: Number.MAX_SAFE_INTEGER, isExact: isWholeFrom };
  // With whatever stands in the keys behind the first.
  const isWholeTo = isWhole(scheme, last);
  const behind = isWholeTo ? roomOf(positions, scheme.parts[0]?.length ?? 0) - 1 : 0;
  return { least, most: last + behind, isExact: isWholeFrom && isWholeTo };
}

/** Whether all texts with this number are equal. */
export function isWhole({ parts }: Pick<SortScheme, "parts">, sortKey: number): boolean {
  let rest = sortKey;
  return parts
    .flat()
    .reverse()
    .every(({ size, isGap }) => {
      const symbol = rest % size;
      rest = (rest - symbol) / size;
      return isGap[symbol] !== true;
    });
}

/** How many numbers the positions from `at` on can make. */
const roomOf = (positions: readonly Alphabet[], at: number): number =>
  positions.slice(at).reduce((room, { size }) => room * size, 1);

function packed(parts: readonly (readonly Alphabet[])[], texts: readonly string[]): number {
  let room = roomOf(parts.flat(), 0);
  let value = 0;
  for (const [part, positions] of parts.entries()) {
    let text = texts[part] ?? "";
    for (const { size, symbols, isGap } of positions) {
      room /= size;
      const code = text.codePointAt(0);
      const symbol = code === undefined ? 0 : (symbols[code] ?? size - 1);
      value += symbol * room;
      // In what room is left, the bytes of the rest, whose order is that of the code points.
      if (isGap[symbol] === true) return value + bytesWithin(text, room);
      if (code !== undefined) text = text.slice(code > 0xffff ? 2 : 1);
    }
  }
  return value;
}

function bytesWithin(text: string, room: number): number {
  let value = 0;
  let count = 0;
  const bytes = Buffer.from(text.slice(0, 8));
  for (let most = 256; most <= room; most *= 256) value = value * 256 + (bytes[count++] ?? 0);
  return value;
}
