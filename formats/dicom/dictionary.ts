import { Problem } from "#base/problem";
import { attributeLines, repeatingLines } from "./dictionary.generated.ts";
import { once } from "./once.ts";
import { allVrs, type Vr } from "./vr.ts";

/** What the Basic Application Level Confidentiality Profile does with an attribute, PS3.15 Table E.1-1a. */
export type ProfileAction = "X" | "Z" | "D" | "U" | "X/Z" | "X/D" | "Z/D" | "X/Z/D" | "X/Z/U*";

/** One attribute of the data dictionary (PS3.6 §6, command set PS3.7 §E.1). */
export interface Attribute {
  /** As met; in a repeating group (50xx, 60xx) the tag asked for. */
  readonly tag: number;
  /** Empty for the few retired attributes that never had one. */
  readonly keyword: string;
  /** One VR, or the choice the standard leaves open, the usual one first. */
  readonly vrs: readonly Vr[];
  /** Value multiplicity as written in the standard: "1", "1-n", "2-2n". */
  readonly vm: string;
  readonly retired: boolean;
  /** Undefined where the table says nothing. What must not be shown is more than that: `isIdentifying`. */
  readonly profileAction: ProfileAction | undefined;
}

const openVrs: Readonly<Record<string, readonly Vr[]>> = {
  xs: ["US", "SS"],
  ox: ["OW", "OB"],
  uw: ["OW", "US"],
  xw: ["OW", "US", "SS"],
};
const slotBits = 14;

interface Index {
  /** Open addressing: tag + 1 by hash, and the line it stands in. */
  readonly keys: Float64Array;
  readonly rows: Uint16Array;
  readonly vrs: readonly Vr[];
  readonly lines: readonly string[];
  /** Lines that somebody has asked for: a page of search results asks for the same few dozen a thousand times. */
  readonly parsed: (Attribute | undefined)[];
}

function slotOf(tag: number): number {
  return Math.imul(tag, 0x9e3779b1) >>> (32 - slotBits);
}

function buildIndex(): Index {
  const lines = attributeLines.split("\n");
  const keys = new Float64Array(1 << slotBits);
  const rows = new Uint16Array(1 << slotBits);
  const vrs = new Array<Vr>(lines.length);
  const known = new Map<string, Vr>(allVrs.map((vr) => [vr, vr]));
  for (let row = 0; row < lines.length; row += 1) {
    const line = lines[row]!;
    const tag = Number.parseInt(line.slice(0, 8), 16);
    const vr = line.slice(9, 11);
    vrs[row] = known.get(vr) ?? openVrs[vr]![0]!;
    let slot = slotOf(tag);
    while (keys[slot] !== 0) slot = (slot + 1) & ((1 << slotBits) - 1);
    keys[slot] = tag + 1;
    rows[slot] = row;
  }
  return { keys, rows, vrs, lines, parsed: new Array<Attribute | undefined>(lines.length) };
}

interface Repeating {
  readonly mask: number;
  readonly base: number;
  readonly line: string;
}

const repeating = /*#__PURE__*/ once((): readonly Repeating[] =>
  repeatingLines.split("\n").map((line) => {
    const tag = line.slice(0, 8);
    return {
      mask: Number.parseInt(tag.replace(/[^x]/g, "f").replaceAll("x", "0"), 16),
      base: Number.parseInt(tag.replaceAll("x", "0"), 16),
      line,
    };
  }),
);

const index = /*#__PURE__*/ once(buildIndex);

const byKeyword = /*#__PURE__*/ once((): ReadonlyMap<string, number> => {
  const tags = new Map<string, number>();
  const add = (line: string, tag: number) => {
    const from = line.indexOf(" ", line.indexOf(" ", 12) + 1) + 1;
    const to = line.indexOf(" ", from);
    const keyword = to < 0 ? line.slice(from) : line.slice(from, to);
    if (keyword !== "-") tags.set(keyword, tag);
  };
  for (const { base, line } of repeating()) add(line, base);
  for (const line of index().lines) add(line, Number.parseInt(line.slice(0, 8), 16));
  return tags;
});

function rowOf(tag: number): number {
  const { keys, rows } = index();
  let slot = slotOf(tag);
  for (;;) {
    const key = keys[slot];
    if (key === tag + 1) return rows[slot]!;
    if (key === 0) return -1;
    slot = (slot + 1) & ((1 << slotBits) - 1);
  }
}

function repeatingLineOf(tag: number): string | undefined {
  if (((tag >>> 16) & 1) === 1) return undefined; // odd groups are private, whatever their number
  return repeating().find(({ mask, base }) => (tag & mask) >>> 0 === base)?.line;
}

function parseLine(tag: number, line: string): Attribute {
  const [, vr = "", vm = "", action = "-", keyword = "-", retired] = line.split(" ");
  return {
    tag,
    keyword: keyword === "-" ? "" : keyword,
    vrs: openVrs[vr] ?? [vr as Vr],
    vm,
    retired: retired === "R",
    profileAction: action === "-" ? undefined : (action as ProfileAction),
  };
}

/** The dictionary's entry, or undefined for private and unknown tags. */
export function attributeOf(tag: number): Attribute | undefined {
  const row = rowOf(tag);
  if (row < 0) {
    const line = repeatingLineOf(tag);
    return line === undefined ? undefined : parseLine(tag, line);
  }
  const { lines, parsed } = index();
  parsed[row] ??= parseLine(tag, lines[row]!);
  return parsed[row];
}

/**
 * The VR that an element has in implicit VR: the dictionary's, LO for private creators (PS3.5 §7.8.1), UL for group
 * lengths, else UN. Where the standard leaves US or SS open this is US; a DataSet settles it by Pixel Representation.
 */
export function implicitVrOf(tag: number): Vr {
  const row = rowOf(tag);
  if (row >= 0) return index().vrs[row]!;
  const element = tag & 0xffff;
  if (element === 0) return "UL";
  if (((tag >>> 16) & 1) === 1) return element >= 0x10 && element <= 0xff ? "LO" : "UN";
  const line = repeatingLineOf(tag);
  if (line === undefined) return "UN";
  const vr = line.slice(9, 11);
  return openVrs[vr]?.[0] ?? (vr as Vr);
}

/** Whether the VR is US or SS depending on Pixel Representation (0028,0103). */
export function isSignednessOpen(tag: number): boolean {
  const row = rowOf(tag);
  return row >= 0 && index().lines[row]!.startsWith("xs", 9);
}

/** "PatientName" for (0010,0010); undefined for private and unknown tags. */
export function keywordOf(tag: number): string | undefined {
  return attributeOf(tag)?.keyword || undefined;
}

/** The tag of a keyword (repeating groups: the first of the group), or undefined. For words that came from outside. */
export function findTag(keyword: string): number | undefined {
  return byKeyword().get(keyword);
}

/** The tag of a keyword that must exist. */
export function tagOf(keyword: string): number {
  const tag = byKeyword().get(keyword);
  if (tag === undefined) throw new Problem("invalid", `the data dictionary has no keyword ${keyword.slice(0, 64)}`);
  return tag;
}

/** Every attribute with a fixed tag, in order of tags. */
export function* allAttributes(): Generator<Attribute> {
  for (const line of index().lines) yield parseLine(Number.parseInt(line.slice(0, 8), 16), line);
}
