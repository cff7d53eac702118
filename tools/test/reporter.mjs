// Writes what one test file did as JSON lines, for run.ts. Runs inside the process of that file.
import { inspect } from "node:util";

export default async function* reporter(source) {
  for await (const { type, data } of source) {
    if (type !== "test:pass" && type !== "test:fail") continue;
    const { name, nesting, skip, todo, details } = data;
    const cause = details.error?.cause ?? details.error;
    yield `${JSON.stringify({
      name,
      nesting,
      passed: type === "test:pass",
      isSuite: details.type === "suite",
      skip: reason(skip),
      todo: reason(todo),
      failureType: details.error?.failureType,
      error: type === "test:fail" ? inspect(cause, { depth: 6 }) : undefined,
    })}\n`;
  }
  // Without this line the file ended before its tests did.
  yield `{"end":true}\n`;
}

function reason(mark) {
  if (mark === undefined || mark === false) return undefined;
  return typeof mark === "string" && mark !== "" ? mark : "no reason given";
}
