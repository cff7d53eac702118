import { type RawBuilder, sql } from "kysely";
import type { Condition, PatternPart, SearchKey, Test } from "#radiology/archive";
import { columnOf } from "./columns.ts";
import type { Engine } from "./migrations.ts";

type Clause = RawBuilder<unknown>;

/** Behind every text that begins as the prefix does. */
const last = "\u{10ffff}";
/** Keys of studies that have an index of their own. */
const indexed =
  /^(PatientName|ReferringPhysicianName)\/|^(PatientID|AccessionNumber|StudyID|StudyDescription\/folded)$/;
/** Keys with an index that leaves the empty out. */
const sparse = /(ideographic|phonetic|StudyID|ReferringPhysicianName\/alphabetic)$/;

/** A condition as a clause over `studies`, `series` and `instances`. Prefixes are ranges, so that an index serves them. */
export function clauseOf(condition: Condition, engine: Engine): Clause {
  if ("any" in condition) return combine(condition.any, " or ", sql`1 = 0`, engine);
  if ("all" in condition) return combine(condition.all, " and ", sql`1 = 1`, engine);
  const { key, level, test } = condition;
  const column = sql.ref(columnOf(level, key));
  const clause = testOf(column, test, engine);
  const narrowed = sparse.test(key) ? sql`(${column} <> '' and ${clause})` : clause;
  // What no range narrows must look at every key: in the key's own index, not in every row.
  if (test.is !== "pattern" || typeof test.parts[0] === "object" || !indexed.test(key)) return narrowed;
  return sql`studies.id in (select studies.id from studies where ${narrowed})`;
}

function combine(conditions: readonly Condition[], word: string, none: Clause, engine: Engine): Clause {
  if (conditions.length === 0) return none;
  return sql`(${sql.join(
    conditions.map((condition) => clauseOf(condition, engine)),
    sql.raw(word),
  )})`;
}

function testOf(column: Clause, test: Test, engine: Engine): Clause {
  switch (test.is) {
    case "equal":
      if (test.keys.length === 1) return sql`${column} = ${test.keys[0]}`;
      return sql`${column} in (${sql.join(test.keys)})`;
    case "prefix":
      return sql`(${column} >= ${test.prefix} and ${column} < ${test.prefix + last})`;
    case "range":
      return rangeOf(column, test.from, test.to);
    case "member":
      return sql`(${sql.join(
        test.keys.map((key) => contains(column, `\\${key}\\`, engine)),
        sql` or `,
      )})`;
    case "pattern":
      return patternOf(column, test.parts, engine);
  }
}

function rangeOf(column: Clause, from: string | undefined, to: string | undefined): Clause {
  if (from === undefined) return sql`(${column} > '' and ${column} <= ${to})`;
  if (to === undefined) return sql`${column} >= ${from}`;
  return sql`(${column} >= ${from} and ${column} <= ${to})`;
}

const contains = (column: Clause, text: string, engine: Engine): Clause =>
  engine === "sqlite" ? sql`instr(${column}, ${text}) > 0` : sql`strpos(${column}, ${text}) > 0`;

/**
 * GLOB and LIKE both try again only behind the last run, so they take time by length of key times length of pattern, never
 * more; keys have at most 256 characters. A literal beginning also gives a range for the index.
 */
function patternOf(column: Clause, parts: readonly PatternPart[], engine: Engine): Clause {
  const [first, second, third] = parts;
  if (first === "run" && typeof second === "object" && third === "run" && parts.length === 3) {
    return contains(column, second.literal, engine);
  }
  const text = parts.map((part) => wording[engine](part)).join("");
  const matches = engine === "sqlite" ? sql`${column} glob ${text}` : sql`${column} like ${text} escape '\\'`;
  if (typeof first !== "object") return matches;
  return sql`(${column} >= ${first.literal} and ${column} < ${first.literal + last} and ${matches})`;
}

const wording: Record<Engine, (part: PatternPart) => string> = {
  sqlite: (part) => {
    if (typeof part === "string") return part === "run" ? "*" : "?";
    return part.literal.replace(/[[*?]/g, "[$&]");
  },
  postgres: (part) => {
    if (typeof part === "string") return part === "run" ? "%" : "_";
    return part.literal.replace(/[\\%_]/g, "\\$&");
  },
};

/** `order by` terms: the sort keys, then arrival, in the same direction. */
export function orderOf(
  keys: readonly { readonly key: SearchKey; readonly level: "study" | "series" | "instance" }[],
  ascending: boolean,
): Clause[] {
  const direction = sql.raw(ascending ? "asc" : "desc");
  return keys.map(({ key, level }) => sql`${sql.ref(columnOf(level, key))} ${direction}`);
}
