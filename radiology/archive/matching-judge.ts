import { matchesPattern } from "#formats/dicom";
import type { Condition, KeyValue, Leaf, Test } from "./matching.ts";

/**
 * Whether a condition holds as far as its leaves can be decided: undefined when that depends on a leaf for which `decide`
 * gives undefined.
 */
export function judge(condition: Condition, decide: (leaf: Leaf) => boolean | undefined): boolean | undefined {
  if ("any" in condition) {
    let result: boolean | undefined = false;
    for (const one of condition.any) {
      const held = judge(one, decide);
      if (held === true) return true;
      if (held === undefined) result = undefined;
    }
    return result;
  }
  if ("all" in condition) {
    let result: boolean | undefined = true;
    for (const one of condition.all) {
      const held = judge(one, decide);
      if (held === false) return false;
      if (held === undefined) result = undefined;
    }
    return result;
  }
  return decide(condition);
}

export function leavesOf(condition: Condition): Leaf[] {
  if ("any" in condition) return condition.any.flatMap(leavesOf);
  return "all" in condition ? condition.all.flatMap(leavesOf) : [condition];
}

/** Whether a key, or a set as its members, passes a test. */
export function passes(test: Test, key: KeyValue | readonly string[]): boolean {
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

/** By code point, which is byte order in UTF-8; `<` compares UTF-16. Numbers by value. */
export function compareKeys(a: KeyValue, b: KeyValue): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  if (a === b) return 0;
  return Buffer.compare(Buffer.from(String(a)), Buffer.from(String(b)));
}
