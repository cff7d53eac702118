import { type DataSet, tagOf } from "#formats/dicom";
import { fitsVr, type HeaderChange, type NewTexts } from "#radiology/archive";
import type { Coercion } from "./rule.ts";

/** Where values of the top level stand a second time: what was asked for, of each request (PS3.3 §10.6). */
const sequence = "RequestAttributesSequence";

/**
 * What coercions make of a data set, as one change that its Original Attributes Sequence tells of (PS3.3 §C.12.1.1.9); undefined where an
 * attribute cannot hold what they make of it.
 */
export function coercedChange(dataSet: DataSet, coercions: readonly Coercion[], at: number): HeaderChange | undefined {
  const changes = newTexts(dataSet, coercions, true);
  const inItems = dataSet.items(tagOf(sequence))?.map((item) => newTexts(item, coercions, false)) ?? [];
  const doFit = (texts: NewTexts) =>
    Object.entries(texts).every(([keyword, { to }]) => to === undefined || fitsVr(keyword, to));
  if (![changes, ...inItems].every(doFit)) return undefined;
  return { at, reason: { code: "COERCE" }, changes, inItems: { [sequence]: inItems } };
}

/** In items only what is there changes. */
function newTexts(dataSet: DataSet, coercions: readonly Coercion[], isWhole: boolean): NewTexts {
  const texts = new Map<string, string | undefined>();
  const said = (keyword: string) => {
    if (texts.has(keyword)) return texts.get(keyword);
    const element = dataSet.get(tagOf(keyword));
    return element && dataSet.textsOf(element).join("\\");
  };
  for (const coercion of coercions) {
    const { attribute } = coercion;
    const before = said(attribute);
    if (!isWhole && (before === undefined || coercion.does === "copy")) continue;
    const after = coercion.does === "copy" ? said(coercion.from) : coerced(coercion, before);
    if (after !== before) texts.set(attribute, after);
  }
  return Object.fromEntries([...texts].map(([keyword, to]) => [keyword, { to }]));
}

/** Each value of several for itself; undefined: the attribute goes. What is not there is only set. */
function coerced(coercion: Exclude<Coercion, { does: "copy" }>, before: string | undefined): string | undefined {
  if (coercion.does === "set") return coercion.value;
  if (coercion.does === "remove" || before === undefined || before === "")
    return coercion.does === "remove" ? undefined : before;
  const values = before.split("\\");
  switch (coercion.does) {
    case "prefix":
      return values.map((value) => coercion.value + value).join("\\");
    case "map": {
      const table = new Map(coercion.table);
      return values.map((value) => table.get(value) ?? value).join("\\");
    }
    case "rewrite":
      return values.map((value) => rewritten(value, coercion.pattern, coercion.value)).join("\\");
  }
}

/** The value, or what `into` makes of what each `*` of the pattern found: as short as it may be, from the left. */
export function rewritten(value: string, pattern: string, into: string): string {
  const found = runsFound(value, pattern.split("*"));
  if (found === undefined) return value;
  return into
    .split("*")
    .map((literal, at) => (at === 0 ? literal : (found[at - 1] ?? "") + literal))
    .join("");
}

/** What lies between the literals, each of which is looked for once: time by length of value times length of pattern. */
function runsFound(value: string, literals: readonly string[]): string[] | undefined {
  const [first = "", ...others] = literals;
  if (!fitsAt(value, 0, first)) return undefined;
  if (others.length === 0) return value.length === first.length ? [] : undefined;
  const last = others.pop() ?? "";
  const end = value.length - last.length;
  const found: string[] = [];
  let at = first.length;
  for (const literal of others) {
    let next = at;
    while (next + literal.length <= end && !fitsAt(value, next, literal)) next++;
    if (next + literal.length > end) return undefined;
    found.push(value.slice(at, next));
    at = next + literal.length;
  }
  if (end < at || !fitsAt(value, end, last)) return undefined;
  found.push(value.slice(at, end));
  return found;
}

function fitsAt(value: string, from: number, literal: string): boolean {
  if (from + literal.length > value.length) return false;
  for (let at = 0; at < literal.length; at++) {
    if (literal[at] !== "?" && literal[at] !== value[from + at]) return false;
  }
  return true;
}
