import type { Condition, KeyValue, Level, PatternPart, SearchKey, Test } from "#radiology/archive";

/** The keys of a row and of what stands above it; a set is its members. */
export type RowKeys = Readonly<Record<Level, Readonly<Record<SearchKey, KeyValue | readonly string[]>>>>;

export function holds(condition: Condition, row: RowKeys): boolean {
  if ("any" in condition) return condition.any.some((one) => holds(one, row));
  if ("all" in condition) return condition.all.every((one) => holds(one, row));
  const key = row[condition.level][condition.key];
  if (key === undefined) throw new Error(`no key ${condition.key}`);
  return passes(condition.test, key);
}

function passes(test: Test, key: KeyValue | readonly string[]): boolean {
  if (typeof key === "object") return test.is === "member" && test.keys.some((member) => key.includes(member));
  if (test.is === "equal") return test.keys.includes(key);
  const text = String(key);
  switch (test.is) {
    case "prefix":
      return text.startsWith(test.prefix);
    case "pattern":
      return matchesPattern(test.parts, text);
    case "range": {
      const { from, to } = test;
      const late = from === undefined || compareKeys(text, from) >= 0;
      return text !== "" && late && (to === undefined || compareKeys(text, to) <= 0);
    }
    default:
      return false;
  }
}

/** Goes back only behind the last run, so it takes time by length of text times length of pattern at most. */
export function matchesPattern(parts: readonly PatternPart[], text: string): boolean {
  const wanted = parts.flatMap((part) => (typeof part === "object" ? [...part.literal] : [part]));
  const given = [...text];
  let at = 0;
  let run = -1;
  let runFrom = 0;
  let place = 0;
  while (place < given.length) {
    const part = wanted[at];
    if (part === "run") {
      run = at++;
      runFrom = place;
    } else if (part === "one" || (part !== undefined && part === given[place])) {
      at++;
      place++;
    } else if (run >= 0) {
      at = run + 1;
      place = ++runFrom;
    } else return false;
  }
  while (wanted[at] === "run") at++;
  return at === wanted.length;
}

/** By code point, which is byte order in UTF-8; `<` compares UTF-16. Numbers by value. */
export function compareKeys(a: KeyValue, b: KeyValue): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  return Buffer.compare(Buffer.from(String(a)), Buffer.from(String(b)));
}
