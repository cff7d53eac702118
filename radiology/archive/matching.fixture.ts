import { conditionOf, keyIn } from "./matching.ts";
import { judge, passes } from "./matching-judge.ts";

/** Whether a value of an attribute of studies matches a pattern, as every index decides it. */
export function matchesPattern(keyword: string, pattern: string, value: string): boolean {
  const condition = conditionOf({ keyword, kind: "wildcard", pattern }, "study");
  return judge(condition, ({ key, test }) => passes(test, keyIn({ [keyword]: value }, key))) === true;
}
