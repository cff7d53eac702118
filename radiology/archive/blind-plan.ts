import { type Interval, intervalsOf, type SortScheme, sortSchemes } from "./blind-sort-keys.ts";
import { calendarDate, isBeginningTerm, isPieceTerm, shapeOf, type Term, type Terms } from "./blind-terms.ts";
import { type Condition, type Leaf, placeOf, type SearchKey, type Test } from "./matching.ts";
import { leavesOf } from "./matching-judge.ts";
import type { Level } from "./study-index.ts";

/**
 * Where the studies are that can fulfil a condition. `isExact`: those are all, and no others (but for studies that were
 * corrected, which keep their old terms), so that nothing has to be opened to be sure.
 */
export type Plan = { readonly isExact: boolean } & (
  | { readonly is: "everything" }
  | { readonly is: "list"; readonly term: Term }
  | { readonly is: "column"; readonly scheme: SortScheme; readonly intervals: readonly Interval[] }
  /** By UIDs of this level. */
  | { readonly is: "uids"; readonly level: Level; readonly uids: readonly string[] }
  | { readonly is: "studies"; readonly tokens: readonly string[] }
  | { readonly is: "every" | "some"; readonly of: readonly Plan[] }
);

const everything: Plan = { is: "everything", isExact: false };
const listOf = (term: Term, isExact = false): Plan => ({ is: "list", term, isExact });
const joinedBy = (is: "every" | "some", of: readonly Plan[]): Plan => {
  const [first] = of;
  return of.length === 1 && first !== undefined ? first : { is, of, isExact: of.every(({ isExact }) => isExact) };
};
const every = (of: readonly Plan[], isExact = true): Plan => {
  const plan = joinedBy("every", of);
  return { ...plan, isExact: isExact && plan.isExact };
};
const some = (of: readonly Plan[]): Plan => joinedBy("some", of);

export function planOf(condition: Condition, terms: Terms): Plan {
  if ("any" in condition) return some(condition.any.map((one) => planOf(one, terms)));
  if ("all" in condition) return every(condition.all.map((one) => planOf(one, terms)));
  const plan = planOfLeaf(condition, terms);
  // Terms are of studies: that a study has one does not say which of its series.
  return condition.level === "study" ? plan : { ...plan, isExact: false };
}

/** Every term that a plan asks for. */
export function termsIn(plan: Plan): Term[] {
  if (plan.is === "list") return [plan.term];
  return plan.is === "every" || plan.is === "some" ? plan.of.flatMap(termsIn) : [];
}

export const isOfStudy = (condition: Condition): boolean => leavesOf(condition).every(({ level }) => level === "study");

/** Conditions that must all hold, taken apart. */
export const conjunctsOf = (condition: Condition): Condition[] =>
  "all" in condition ? condition.all.flatMap(conjunctsOf) : [condition];

/** Columns of dates answer for ranges and for single days; the others serve order alone, and are not always in memory. */
const dated = new Set(["StudyDate", "PatientBirthDate"]);

function planOfLeaf({ key, test, level }: Leaf, terms: Terms): Plan {
  if (test.is === "member") return some(test.keys.map((text) => listOf(terms.exact("Modality", text), true)));
  if (placeOf(key) === "study") {
    return test.is === "equal" ? { is: "studies", tokens: test.keys.map(String), isExact: true } : everything;
  }
  if (key.endsWith("InstanceUID")) {
    return test.is === "equal" ? { is: "uids", level, uids: test.keys.map(String), isExact: true } : everything;
  }
  const scheme = dated.has(key) ? sortSchemes.find(({ keyword }) => keyword === key) : undefined;
  if (scheme !== undefined) return planOfColumn(scheme, test);
  switch (test.is) {
    case "equal":
      return some(test.keys.map((text) => planOfText(key, String(text), terms)));
    case "prefix":
      return planOfBeginning(key, test.prefix, terms);
    case "pattern":
      return planOfPattern(key, test, terms);
    case "range":
      return planOfRange(key, test, terms);
  }
}

function planOfColumn(scheme: SortScheme, test: Test): Plan {
  const first = test.is === "pattern" ? test.parts[0] : undefined;
  if (typeof first === "object") {
    return { ...planOfColumn(scheme, { is: "prefix", prefix: first.literal }), isExact: false };
  }
  const intervals = intervalsOf(scheme, test);
  if (intervals === undefined) return everything;
  return { is: "column", scheme, intervals, isExact: intervals.every(({ isExact }) => isExact) };
}

function planOfText(key: SearchKey, text: string, terms: Terms): Plan {
  // What has no value has no term.
  if (text === "") return everything;
  const { exact, calendar } = shapeOf(key);
  if (calendar === true) return listOf(terms.day(key, text));
  return exact === undefined ? everything : listOf(terms.exact(key, text), exact === "own");
}

function planOfBeginning(key: SearchKey, text: string, terms: Terms): Plan {
  const { prefixes, calendar } = shapeOf(key);
  if (calendar === true && calendarDate.test(text.slice(0, 6).padEnd(8, "0"))) return listOf(terms.month(key, text));
  if (prefixes === undefined) return planOfPieces(key, text, terms);
  const beginning = listOf(terms.prefix(key, text), isBeginningTerm(key, text));
  return beginning.isExact ? beginning : every([beginning, planOfPieces(key, text, terms)], false);
}

function planOfPieces(key: SearchKey, text: string, terms: Terms): Plan {
  const pieces = terms.pieces(key, text);
  return pieces.length === 0 ? everything : every(pieces.map((term) => listOf(term)));
}

function planOfPattern(key: SearchKey, { parts }: Test & { is: "pattern" }, terms: Terms): Plan {
  const [first, second, third] = parts;
  if (parts.length === 3 && first === "run" && third === "run" && typeof second === "object") {
    return { ...planOfPieces(key, second.literal, terms), isExact: isPieceTerm(key, second.literal) };
  }
  const plans = parts.flatMap((part, at) => {
    if (typeof part === "string") return [];
    return [at === 0 ? planOfBeginning(key, part.literal, terms) : planOfPieces(key, part.literal, terms)];
  });
  return plans.length === 0 ? everything : every(plans, false);
}

const monthsMost = 24;

/** Dates by their months, and those that are none. */
function planOfRange(key: SearchKey, { from = "", to = "" }: Test & { is: "range" }, terms: Terms): Plan {
  if (shapeOf(key).calendar !== true || !calendarDate.test(from) || !calendarDate.test(to)) return everything;
  const monthNumber = (date: string) => Number(date.slice(0, 4)) * 12 + Number(date.slice(4, 6)) - 1;
  const [first, last] = [monthNumber(from), monthNumber(to)];
  if (last - first >= monthsMost) return everything;
  const months = Array.from({ length: Math.max(0, last - first + 1) }, (_, at) => {
    const [year, month] = [Math.floor((first + at) / 12), ((first + at) % 12) + 1];
    return `${String(year).padStart(4, "0")}${String(month).padStart(2, "0")}`;
  });
  return some([terms.odd(key), ...months.map((month) => terms.month(key, month))].map((term) => listOf(term)));
}
