/** The code elements a Defined Term of Specific Character Set stands for (PS3.3 §C.12.1.1.2). */

/** The graphic sets of the standard, under the ISO registration number; `6`, `14` and the multi-byte 87, 159 lie in G0. */
export type GraphicSetId =
  | 6
  | 13
  | 14
  | 58
  | 87
  | 100
  | 101
  | 109
  | 110
  | 126
  | 127
  | 138
  | 144
  | 148
  | 149
  | 159
  | 166
  | 203;

/** An encoding of all of Unicode or of all of Chinese that stands alone and has no code extensions. */
export type WholeEncoding = "utf-8" | "gb18030" | "gbk";

/**
 * A Specific Character Set made ready for use.
 *
 * `initialG0`/`initialG1` are what value 1 invokes (and what the resets of PS3.5 §6.1.2.5.3 return to); `declared` holds
 * every set in the order of the values. `extensible` is true where escape sequences have a meaning.
 */
export interface Repertoire {
  /** The terms as the standard spells them, for messages. */
  readonly name: string;
  readonly whole: WholeEncoding | undefined;
  readonly extensible: boolean;
  readonly initialG0: 6 | 14;
  readonly initialG1: GraphicSetId | undefined;
  readonly declared: readonly GraphicSetId[];
  /** A term was there that nobody knows: reading goes on without it, writing stays within ASCII. */
  readonly unknownTerm: boolean;
}

const singleByteSets: ReadonlySet<number> = new Set([13, 100, 101, 109, 110, 126, 127, 138, 144, 148, 166, 203]);
const multiByteSets: ReadonlySet<number> = new Set([58, 87, 149, 159]);

/** ISO 8859 parts by registration number, for files that name the encoding instead of the term. */
const iso8859Parts = new Map([
  ["1", 100],
  ["2", 101],
  ["3", 109],
  ["4", 110],
  ["5", 144],
  ["6", 127],
  ["7", 126],
  ["8", 138],
  ["9", 148],
  ["11", 166],
  ["15", 203],
]);

type Term =
  | { readonly kind: "set"; readonly set: GraphicSetId; readonly extensible: boolean }
  | { readonly kind: "whole"; readonly whole: WholeEncoding };

const wholeTerms = new Map<string, WholeEncoding>([
  ["UTF8", "utf-8"],
  ["GB18030", "gb18030"],
  ["ISO2022GB18030", "gb18030"],
  ["GBK", "gbk"],
  ["ISO2022GBK", "gbk"],
  ["GB2312", "gbk"],
]);

/** No Defined Term is longer; a value that is, is not looked at further. */
const termLengthMax = 40;
/** There are fewer terms; values beyond are not looked at. */
const valuesMax = 32;

/**
 * Reads one value, with the spellings found in files: any case, padding, and blank, `_`, `-` or nothing between the
 * words (`ISO IR 100`, `ISO-IR 100`, `ISO_IR_100`, `iso 2022 ir 100`, `ISO2022IR87`, `ISO 2022 58`, `ISO-8859-1`, `UTF-8`).
 */
function readTerm(value: string): Term | undefined {
  if (value.length > termLengthMax) return undefined;
  const compact = value.toUpperCase().replace(/[\s_\-\0]/g, "");
  if (compact === "") return { kind: "set", set: 6, extensible: false };
  const whole = wholeTerms.get(compact);
  if (whole !== undefined) return { kind: "whole", whole };
  const part = /^ISO8859(\d{1,2})$/.exec(compact)?.[1];
  const registered = /^ISO(2022)?IR(\d{1,3})$/.exec(compact) ?? /^ISO(2022)(58)$/.exec(compact);
  const number = part === undefined ? Number(registered?.[2] ?? Number.NaN) : iso8859Parts.get(part);
  if (number === undefined || Number.isNaN(number)) return undefined;
  if (number === 192) return { kind: "whole", whole: "utf-8" };
  const multiByte = multiByteSets.has(number);
  if (number !== 6 && !multiByte && !singleByteSets.has(number)) return undefined;
  return { kind: "set", set: number as GraphicSetId, extensible: multiByte || registered?.[1] !== undefined };
}

/** Whether the value (empty stands for the default repertoire) names a character set that is read and written here. */
export function isKnownCharacterSet(term: string): boolean {
  return readTerm(term) !== undefined;
}

const wholeNames: Readonly<Record<WholeEncoding, string>> = { "utf-8": "ISO_IR 192", gb18030: "GB18030", gbk: "GBK" };

/**
 * Puts the values together. More than one value means code extensions even where the terms lack `ISO 2022`. An encoding
 * that must stand alone (ISO_IR 192, GB18030, GBK) wins over a default repertoire before it and is left out after any
 * other set, whose escape sequences it cannot hold.
 */
export function readRepertoire(specificCharacterSet: readonly string[]): Repertoire {
  const declared: GraphicSetId[] = [];
  let extensible = false;
  let unknownTerm = false;
  for (const value of specificCharacterSet.slice(0, valuesMax)) {
    const term = readTerm(value);
    if (term === undefined) unknownTerm = true;
    else if (term.kind === "set") {
      extensible ||= term.extensible;
      if (!declared.includes(term.set)) declared.push(term.set);
    } else if (declared.every((set) => set === 6)) {
      return wholeRepertoire(term.whole);
    }
  }
  extensible ||= declared.length > 1;
  const first = declared[0] ?? 6;
  return {
    name: declared.map((set) => `${extensible ? "ISO 2022 IR" : "ISO_IR"} ${set}`).join("\\") || "ISO_IR 6",
    whole: undefined,
    extensible,
    initialG0: first === 13 ? 14 : 6,
    initialG1: singleByteSets.has(first) ? first : undefined,
    declared,
    unknownTerm,
  };
}

function wholeRepertoire(whole: WholeEncoding): Repertoire {
  return {
    name: wholeNames[whole],
    whole,
    extensible: false,
    initialG0: 6,
    initialG1: undefined,
    declared: [],
    unknownTerm: false,
  };
}
