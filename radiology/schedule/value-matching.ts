import { Problem } from "#base/problem";
import {
  attributeOf,
  formatTag,
  matchesPattern,
  namePattern,
  nameText,
  patternOf,
  temporalRange,
  type Vr,
} from "#formats/dicom";

/** Whether an attribute of these values matches. */
export type ValueTest = (values: readonly string[]) => boolean;

const valuesMax = 1_000;
const charactersMax = 1_024;

/** PS3.4 §C.2.2.2.4: the VRs in which `*` and `?` stand for other characters. PN is matched by its components. */
const wildcardVrs: ReadonlySet<Vr> = new Set<Vr>(["AE", "CS", "LO", "LT", "SH", "ST", "UC", "UR", "UT"]);

/**
 * How the values of an attribute are matched by those of a key (PS3.4 §C.2.2.2): a single value, a list, a wildcard, a range. Of several
 * values any one will do. Undefined for a key that matches everything.
 *
 * @throws Problem `invalid` for a value that cannot be read, or more of them than are looked for at once.
 */
export function valueTest(tag: number, vr: Vr, wanted: readonly string[]): ValueTest | undefined {
  if (wanted.length === 0 || wanted.some((value) => /^\*+$/.test(value))) return undefined;
  if (wanted.length > valuesMax || wanted.some((value) => value.length > charactersMax)) {
    throw new Problem("invalid", `the key ${formatTag(tag)} asks for more than is looked for at once`);
  }
  const hasPatterns = vr === "PN" || vr === "DA" || vr === "TM" || vr === "DT" || wildcardVrs.has(vr);
  if (!hasPatterns) {
    const those = new Set(wanted);
    return (values) => values.some((value) => those.has(value));
  }
  const tests = wanted.map((value) => singleTest(tag, vr, value));
  return (values) => values.some((value) => tests.some((test) => test(value)));
}

/** The VR by which an attribute is matched: the standard's, whatever the peer declares. */
export function matchedVrOf(tag: number, declared: Vr): Vr {
  return attributeOf(tag)?.vrs[0] ?? declared;
}

function singleTest(tag: number, vr: Vr, wanted: string): (value: string) => boolean {
  if (vr === "PN") return nameTest(wanted);
  if (vr === "DA" || vr === "TM") return temporalTest(tag, vr, wanted);
  if (vr === "DT") return momentTest(tag, wanted);
  if (!/[*?]/.test(wanted)) return (value) => value === wanted;
  const parts = patternOf(wanted);
  return (value) => matchesPattern(parts, value);
}

function temporalTest(tag: number, vr: "DA" | "TM", wanted: string): (value: string) => boolean {
  const range = temporalRange(vr, wanted.trim());
  if (range === undefined) {
    throw new Problem("invalid", `the key ${formatTag(tag)} is no ${vr === "DA" ? "date" : "time"} and no range`);
  }
  const { from = "", to = "\uffff" } = range;
  return (value) => {
    const at = vr === "TM" ? wholeTime(value) : value;
    return at >= from && at <= to;
  };
}

// An hour of an offset from UTC ends at 14: what is more after a hyphen is the year that a range ends with (PS3.4 §C.2.2.2.5.3).
const dateTime = String.raw`\d{4}(?:\d\d){0,5}(?:\.\d{1,6})?(?:[+-](?:0\d|1[0-4])\d\d)?`;
const dateTimeRange = new RegExp(`^(${dateTime})?(-)?(${dateTime})?$`);

/** A date and time, or a range of them. What says no offset from UTC is compared with others as if all were of one place. */
function momentTest(tag: number, wanted: string): (value: string) => boolean {
  const [, first, hyphen, last] = dateTimeRange.exec(wanted.trim()) ?? [];
  const isOne = hyphen === undefined && first !== undefined && last === undefined;
  if (!isOne && (hyphen === undefined || (first === undefined && last === undefined))) {
    throw new Problem("invalid", `the key ${formatTag(tag)} is no date and time and no range`);
  }
  const from = first === undefined ? Number.NEGATIVE_INFINITY : momentOf(first, "first");
  const until = isOne ? first : last;
  const to = until === undefined ? Number.POSITIVE_INFINITY : momentOf(until, "last");
  return (value) => momentOf(value, "last") >= from && momentOf(value, "first") <= to;
}

const parts = /^(\d{4})(\d\d)?(\d\d)?(\d\d)?(\d\d)?(\d\d)?(?:\.(\d{1,6}))?(?:([+-])(\d\d)(\d\d))?$/;

/** The first or the last millisecond of a DT, which may be as long as a year (PS3.5 §6.2). NaN for what is none. */
function momentOf(text: string, end: "first" | "last"): number {
  const [, year, month, day, hour, minute, second, fraction, sign, hours = "0", minutes = "0"] = parts.exec(text) ?? [];
  if (year === undefined) return Number.NaN;
  const given = [month, day, hour, minute, second];
  const [m, d, h, min, s] = given.map((part, at) => (part === undefined ? (at < 2 ? 1 : 0) : Number(part)));
  const at = (bump: number) => {
    const of = (index: number) => (index === bump ? 1 : 0);
    const [years, months, days] = [Number(year) + of(0), (m ?? 1) - 1 + of(1), (d ?? 1) + of(2)];
    return Date.UTC(years, months, days, (h ?? 0) + of(3), (min ?? 0) + of(4), (s ?? 0) + of(5));
  };
  const missing = given.indexOf(undefined);
  const precision = missing < 0 ? 5 : missing;
  const milliseconds = fraction === undefined ? 0 : Number(`0.${fraction}`) * 1_000;
  const isWhole = end === "first" || fraction !== undefined;
  const local = isWhole ? at(-1) + milliseconds : at(precision) - 1;
  const offset = (Number(hours) * 60 + Number(minutes)) * 60_000;
  return sign === "-" ? local + offset : local - offset;
}

/** A time of less than full precision begins with its first second. */
export function wholeTime(value: string): string {
  const digits = value.replaceAll(":", "");
  return digits + "000000".slice(digits.length);
}

/** Without `=` any one component group may match; with it, each group that is given must. Case and accents do not count (§C.2.2.2.1). */
function nameTest(wanted: string): (value: string) => boolean {
  const tests = wanted.split("=", 3).map(groupTest);
  const [only] = tests;
  if (tests.length === 1 && only !== undefined) return (value) => groupsOf(value).some((group) => only(group));
  return (value) => {
    const groups = groupsOf(value);
    return tests.every((test, index) => test(groups[index] ?? ""));
  };
}

const groupsOf = (name: string): string[] => name.split("=", 3).map(nameText);

function groupTest(wanted: string): (group: string) => boolean {
  if (wanted === "") return () => true;
  if (!/[*?]/.test(wanted)) {
    const name = nameText(wanted);
    return (group) => group === name;
  }
  const parts = namePattern(patternOf(wanted));
  return (group) => matchesPattern(parts, group);
}
