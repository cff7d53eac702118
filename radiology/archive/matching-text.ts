import { Problem } from "#base/problem";
import { attributeOf, type TextRange, tagOf, temporalRange } from "#formats/dicom";
import { modalitiesLike } from "./modalities.ts";
import type { Match } from "./study-index.ts";

/** Kinds of matching that a caller has asked for or agreed on (PS3.4 §C.5.1.1, PS3.18 §8.3.4); without them no value means more than itself. */
export interface MatchingManner {
  /** A date and its time are one moment: from the first day at the first time to the last day at the last. */
  readonly dateTimes?: boolean;
  /** Names by their words: each must begin a component of the name, or a word of one, in whatever order (PS3.18 §8.3.4.2). */
  readonly fuzzyNames?: boolean;
  /** `""`, two quotation marks, asks for what has no value. */
  readonly emptyValues?: boolean;
  /** Of several values of an attribute that has several, each must be there. */
  readonly multipleValues?: boolean;
}

const valueCharactersMax = 16_384;
const valuesMax = 1_000;

/** Keys whose value is a list: UIDs by the standard (PS3.4 §C.2.2.2.2), codes because workstations and viewers send them so. */
const listed = new Set(["ModalitiesInStudy", "Modality"]);
/** Keys whose value is that of several items, one behind the other. */
const ofItems = new Set(["ScheduledProcedureStepID", "RequestedProcedureID"]);

/**
 * What the texts of a matching key ask for (PS3.4 §C.2.2.2): a single value, a list, a wildcard, a range; nothing for what matches
 * everything. Of several texts any one will do.
 *
 * @throws Problem `invalid` for a value that cannot be read, or more of them than are searched for at once.
 */
export function readMatches(keyword: string, given: readonly string[], manner: MatchingManner = {}): Match[] {
  if (given.some((value) => value.length > valueCharactersMax)) throw unreadable(`the value of ${keyword} is too long`);
  if (manner.emptyValues === true && given.length === 1 && given[0]?.trim() === '""')
    return [{ kind: "empty", keyword }];
  const attribute = attributeOf(tagOf(keyword));
  const vr = attribute?.vrs[0];
  if (vr === "UI" || listed.has(keyword)) return inList(keyword, given, manner);
  const values = given.filter((value) => !/^\**$/.test(value.trim()));
  // One that matches everything among them: all of them together do.
  if (values.length < given.length || values.length === 0) return [];
  if (values.length > valuesMax) throw unreadable(`more than ${valuesMax} values of ${keyword}`);
  const each = values
    .flatMap((value) => (ofItems.has(keyword) ? anyItem(value) : [value]))
    .map((value): Match => {
      if (vr === "PN" && manner.fuzzyNames === true) return fuzzyName(keyword, value);
      if (vr === "DA" || vr === "TM") return temporal(keyword, vr, value.trim());
      if (/[*?]/.test(value)) return { keyword, kind: "wildcard", pattern: value };
      return { keyword, kind: "equal", values: [value] };
    });
  const [first] = each;
  return each.length === 1 && first !== undefined ? [first] : [{ kind: "any", of: each }];
}

function fuzzyName(keyword: string, value: string): Match {
  const beginnings = (word: string): Match[] =>
    wordPatterns(word).map((pattern) => ({ keyword, kind: "wildcard", pattern }));
  return { kind: "all", of: wordsOf(value).map((word) => ({ kind: "any", of: beginnings(word) })) };
}

const wordsMax = 16;

/** The words of a name that is matched fuzzily, as many as count. */
export const wordsOf = (name: string): string[] =>
  name
    .split(/[\s^=,*]+/)
    .filter((word) => word !== "")
    .slice(0, wordsMax);

/** A word that begins a component, or a word of one. */
export const wordPatterns = (word: string): string[] => [`${word}*`, `*^${word}*`, `* ${word}*`, `*-${word}*`];

/** Alone, as the first, as the last or between others. */
const anyItem = (value: string): string[] => [value, `${value}\\*`, `*\\${value}`, `*\\${value}\\*`];

function inList(keyword: string, given: readonly string[], { multipleValues }: MatchingManner): Match[] {
  const values = given.flatMap((value) => value.split(/[\\,]/)).map((value) => value.trim());
  const present = values.filter((value) => !/^\**$/.test(value));
  if (present.length > valuesMax) throw unreadable(`more than ${valuesMax} values of ${keyword}`);
  if (present.length === 0 || values.some((value) => /^\*+$/.test(value))) return [];
  const meant = (value: string) => (listed.has(keyword) ? modalitiesLike(value) : [value]);
  if (multipleValues === true && keyword === "ModalitiesInStudy") {
    return present.map((value) => ({ keyword, kind: "equal", values: meant(value) }));
  }
  return [{ keyword, kind: "equal", values: present.flatMap(meant) }];
}

/** A single value or a range, either end of it open (PS3.4 §C.2.2.2.5). */
function temporal(keyword: string, vr: "DA" | "TM", value: string): Match {
  const range = temporalRange(vr, value);
  if (range === undefined)
    throw unreadable(`the value of ${keyword} is no ${vr === "DA" ? "date" : "time"} and no range`);
  if (vr === "DA" && !value.includes("-")) return { keyword, kind: "equal", values: [value] };
  return { keyword, kind: "range", ...range };
}

/** Dates with the times that belong to them. */
const moments = [
  ["StudyDate", "StudyTime"],
  ["SeriesDate", "SeriesTime"],
  ["PerformedProcedureStepStartDate", "PerformedProcedureStepStartTime"],
  ["ContentDate", "ContentTime"],
] as const;

/**
 * A date and its time, where both are asked for, as one range of moments (PS3.4 §C.2.2.2.5.4): the time narrows the first day and the last
 * one, not those between.
 */
export function combineDateTimes(matches: readonly Match[]): Match[] {
  return moments.reduce<readonly Match[]>((all, [day, time]) => {
    const date = all.find((match) => "keyword" in match && match.keyword === day);
    const hours = all.find((match) => "keyword" in match && match.keyword === time);
    const days = date && daysOf(date);
    if (days === undefined || hours?.kind !== "range") return all;
    return [...all.filter((match) => match !== date && match !== hours), momentsOf([day, time], days, hours)];
  }, matches) as Match[];
}

function daysOf(match: Match): TextRange | undefined {
  if (match.kind === "range") return match;
  if (match.kind !== "equal" || match.values.length !== 1 || match.values[0] === undefined) return undefined;
  return { from: match.values[0], to: match.values[0] };
}

function momentsOf([day, time]: readonly [string, string], days: TextRange, hours: TextRange): Match {
  const on = (date: string, within: TextRange): Match => {
    const isOn: Match = { keyword: day, kind: "equal", values: [date] };
    const { from, to } = within;
    if (from === undefined && to === undefined) return isOn;
    return { kind: "all", of: [isOn, { keyword: time, kind: "range", ...within }] };
  };
  const [since, until] = [hours.from && { from: hours.from }, hours.to && { to: hours.to }];
  if (days.from !== undefined && days.from === days.to) return on(days.from, { ...since, ...until });
  const between: Match = {
    keyword: day,
    kind: "range",
    ...(days.from !== undefined && { from: neighbour(days.from, 1) }),
    ...(days.to !== undefined && { to: neighbour(days.to, -1) }),
  };
  return {
    kind: "any",
    of: [
      between,
      ...(days.from === undefined ? [] : [on(days.from, { ...since })]),
      ...(days.to === undefined ? [] : [on(days.to, { ...until })]),
    ],
  };
}

/** The day so many days behind or before. */
function neighbour(date: string, days: number): string {
  const at = new Date(Date.UTC(Number(date.slice(0, 4)), Number(date.slice(4, 6)) - 1, Number(date.slice(6)) + days));
  return at.toISOString().slice(0, 10).replaceAll("-", "");
}

function unreadable(what: string): Problem {
  return new Problem("invalid", what, { remedy: "see PS3.4 §C.2.2.2 for what a search can ask" });
}
