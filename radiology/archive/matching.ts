import { Problem } from "#base/problem";
import { cleanText, foldPattern, foldText, namePattern, nameText, type PatternPart, patternOf } from "#formats/dicom";
import { type NarrowPlace, narrowPlaces } from "#trust/access";
import { type IndexedValues, type Level, type Match, searchable } from "./study-index.ts";

/**
 * What a match means, said once for every index: the text of a value becomes keys, a match becomes conditions on keys, and an
 * index only compares keys, by code point (which is byte order in UTF-8).
 *
 * - exact text: without NUL, at most `keyCharactersMost` characters
 * - names (PN, PS3.5 §6.2.1): three keys, one a component group; without case, accents, padding and trailing carets
 * - descriptions: an exact key and one without case and accents; equality is exact, wildcards are not (PS3.4 §C.2.2.2.4)
 * - numbers (IS): by value
 */
export type SearchKey = string;

/** A key as it is kept: text ("" where there is no value), or a number (`absentNumber`). */
export type KeyValue = string | number;

/** Sorts behind every number that an IS can hold. */
export const absentNumber = 2 ** 40;
const keyCharactersMost = 256;

export type Test =
  | { readonly is: "equal"; readonly keys: readonly KeyValue[] }
  | { readonly is: "prefix"; readonly prefix: string }
  | { readonly is: "pattern"; readonly parts: readonly PatternPart[] }
  /** Both ends included; the key is not empty. */
  | { readonly is: "range"; readonly from: string | undefined; readonly to: string | undefined }
  /** The key is a set (`ModalitiesInStudy`) and holds one of these. */
  | { readonly is: "member"; readonly keys: readonly string[] };

/** `any` of nothing is false, `all` of nothing is true. */
export type Condition = { readonly any: readonly Condition[] } | { readonly all: readonly Condition[] } | Leaf;

export interface Leaf {
  readonly key: SearchKey;
  readonly level: Level;
  readonly test: Test;
}

type Kind = "text" | "name" | "description" | "number" | "set";

const kinds: Readonly<Record<string, Kind>> = {
  PatientName: "name",
  ReferringPhysicianName: "name",
  StudyDescription: "description",
  SeriesDescription: "description",
  SeriesNumber: "number",
  InstanceNumber: "number",
  ModalitiesInStudy: "set",
};

const groups = ["alphabetic", "ideographic", "phonetic"];
const nameKeys = (keyword: string) => groups.map((group) => `${keyword}/${group}`);
const foldedKey = (keyword: string) => `${keyword}/folded`;
const kindOf = (keyword: string): Kind => kinds[keyword] ?? "text";

/** The keys of where a study lies; no keyword, so nothing that a caller types names one. */
export const placeKey = (place: NarrowPlace): SearchKey => `lies in/${place}`;
/** The place that a key is of; undefined for other keys. */
export const placeOf = (key: SearchKey): NarrowPlace | undefined =>
  narrowPlaces.find((place) => placeKey(place) === key);

/** Where a search keyword stands: its level. Undefined when it cannot be searched. */
export function levelOf(keyword: string): Level | undefined {
  for (const level of ["study", "series", "instance"] as const) {
    if ((searchable[level] as readonly string[]).includes(keyword)) return level;
  }
  return undefined;
}

/** The names of one level's keys, but for UIDs and sets, which an index has apart. */
export function keysAt(level: Level): SearchKey[] {
  return searchable[level].flatMap((keyword) => {
    const kind = kindOf(keyword);
    if (kind === "set" || keyword.endsWith("UID")) return [];
    if (kind === "name") return nameKeys(keyword);
    return kind === "description" ? [keyword, foldedKey(keyword)] : [keyword];
  });
}

/** What some values have under a key of `keysAt`. */
export function keyIn(values: IndexedValues, key: SearchKey): KeyValue {
  const [keyword = "", part] = key.split("/");
  const value = values[keyword] ?? "";
  if (kindOf(keyword) === "number") return numberKey(value) ?? absentNumber;
  if (part === undefined) return exactKey(value);
  if (part === "folded") return cut(foldText(value).trim());
  return nameKey(value.split("=", 3)[groups.indexOf(part)] ?? "");
}

/** Text as every index can hold and compare it. */
export function exactKey(value: string): string {
  return cut(cleanText(value));
}

/**
 * What a match asks of the keys. `level` is the level of the query.
 * Throws Problem "invalid" for a keyword that cannot be searched at this level, or not in this way.
 */
export function conditionOf(match: Match, level: Level): Condition {
  if (match.kind === "any") return { any: match.of.map((one) => conditionOf(one, level)) };
  if (match.kind === "all") return { all: match.of.map((one) => conditionOf(one, level)) };
  if (match.kind === "lies") {
    const keys = match.ids.filter((id) => id !== "");
    return leaf(placeKey(match.in), "study", keys.length === 0 ? undefined : { is: "equal", keys });
  }
  const at = levelOf(match.keyword);
  if (at === undefined || rank[at] > rank[level]) {
    throw new Problem("invalid", `${match.keyword} cannot be searched at ${level} level`);
  }
  const kind = kindOf(match.keyword);
  if (match.kind === "equal") return equalTo(match.keyword, kind, at, match.values);
  if (match.kind === "range") return inRange(match, kind, at);
  if (match.kind === "empty") return without(match.keyword, kind, at);
  const parts = patternOf(match.pattern);
  if (parts.length === 1 && parts[0] === "run") return { all: [] };
  if (kind === "set" || kind === "number") {
    throw new Problem("invalid", `${match.keyword} cannot be matched by a wildcard`);
  }
  if (kind === "name") return nameCondition(match.keyword, at, match.pattern);
  if (kind === "description") return leaf(foldedKey(match.keyword), at, patternTest(foldPattern(parts)));
  return leaf(match.keyword, at, patternTest(parts));
}

/** The keys that a sort by this keyword compares, in order. Throws Problem "invalid" when it cannot be sorted by. */
export function sortKeysOf(keyword: string, level: Level): { readonly key: SearchKey; readonly level: Level }[] {
  const at = keyword === "ArrivedAt" ? "study" : levelOf(keyword);
  const kind = kindOf(keyword);
  if (at === undefined || rank[at] > rank[level] || kind === "set") {
    throw new Problem("invalid", `cannot sort by ${keyword} at ${level} level`);
  }
  if (keyword === "StudyDate") return ["StudyDate", "StudyTime"].map((key) => ({ key, level: at }));
  if (kind === "name") return [{ key: `${keyword}/alphabetic`, level: at }];
  return [{ key: kind === "description" ? foldedKey(keyword) : keyword, level: at }];
}

const rank: Record<Level, number> = { study: 0, series: 1, instance: 2 };

const leaf = (key: SearchKey, level: Level, test: Test | undefined): Condition =>
  test === undefined ? { any: [] } : { key, level, test };

function equalTo(keyword: string, kind: Kind, level: Level, given: readonly string[]): Condition {
  const values = given.filter((value) => value !== "");
  if (kind === "name") return { any: values.map((value) => nameCondition(keyword, level, value, true)) };
  if (kind === "number") {
    const keys = values.map(numberKey).filter((key) => key !== undefined);
    return leaf(keyword, level, keys.length === 0 ? undefined : { is: "equal", keys });
  }
  const keys = values.map(exactKey).filter((key) => key !== "");
  if (keys.length === 0) return { any: [] };
  if (kind === "set") {
    const members = keys.filter((key) => !key.includes("\\"));
    return leaf(keyword, level, members.length === 0 ? undefined : { is: "member", keys: members });
  }
  const exact = leaf(keyword, level, { is: "equal", keys });
  if (kind !== "description") return exact;
  return {
    all: [
      leaf(foldedKey(keyword), level, { is: "equal", keys: values.map((value) => cut(foldText(value).trim())) }),
      exact,
    ],
  };
}

/** UIDs, and the modalities of what there is, are never empty. */
function without(keyword: string, kind: Kind, level: Level): Condition {
  if (kind === "set" || keyword.endsWith("UID")) return { any: [] };
  const keys = kind === "name" ? nameKeys(keyword) : [keyword];
  const absent: KeyValue = kind === "number" ? absentNumber : "";
  return { all: keys.map((key) => leaf(key, level, { is: "equal", keys: [absent] })) };
}

function inRange(match: Match & { kind: "range" }, kind: Kind, level: Level): Condition {
  if (kind !== "text") throw new Problem("invalid", `${match.keyword} cannot be matched by a range`);
  const { from = "", to = "" } = match;
  if (from === "" && to === "") return { all: [] };
  return leaf(match.keyword, level, {
    is: "range",
    from: from === "" ? undefined : exactKey(from),
    to: to === "" ? undefined : exactKey(to),
  });
}

/** Without `=` any one component group may match; with it, each group that is given must. */
function nameCondition(keyword: string, level: Level, text: string, literally = false): Condition {
  const groups = text.split("=").slice(0, 3);
  const condition = (key: string, group: string): Condition => {
    if (literally) {
      const name = nameKey(group);
      return leaf(key, level, name === "" ? undefined : { is: "equal", keys: [name] });
    }
    return leaf(key, level, patternTest(namePattern(patternOf(group))));
  };
  const keys = nameKeys(keyword);
  if (groups.length === 1) return { any: keys.map((key) => condition(key, text)) };
  return { all: groups.flatMap((group, index) => (group === "" ? [] : [condition(keys[index] ?? "", group)])) };
}

/** The cheapest test that says the same; undefined when no key can match. */
function patternTest(parts: readonly PatternPart[]): Test | undefined {
  let least = 0;
  for (const part of parts) least += part === "run" ? 0 : part === "one" ? 1 : [...part.literal].length;
  if (least > keyCharactersMost) return undefined;
  const [first, second] = parts;
  if (first === undefined) return undefined;
  if (typeof first === "object") {
    if (parts.length === 1) return { is: "equal", keys: [first.literal] };
    if (parts.length === 2 && second === "run") return { is: "prefix", prefix: first.literal };
  }
  return { is: "pattern", parts };
}

function nameKey(group: string): string {
  return cut(nameText(group));
}

function cut(text: string): string {
  if (text.length <= keyCharactersMost) return text;
  return [...text.slice(0, 2 * keyCharactersMost)].slice(0, keyCharactersMost).join("");
}

/** IS: an integer between blanks (PS3.5 §6.2). */
function numberKey(value: string): number | undefined {
  const text = value.trim();
  if (!/^[+-]?[0-9]{1,12}$/.test(text)) return undefined;
  const number = Number.parseInt(text, 10);
  return Math.abs(number) < absentNumber ? number + 0 : undefined;
}
