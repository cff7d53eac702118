// Runs tidy, types, style and every test, two files at a time. Arguments choose: the start of a path (`trust/`), a part of
// a file's name, or a step (`tidy`, `types`, `style`, `build`). Ends with `N passed, N failed, N skipped`.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { findTests } from "./find-tests.ts";
import type { Outcome } from "./outcome.ts";
import { runFile } from "./run-file.ts";
import { endAll } from "./run-program.ts";
import { runStep, stepsOf } from "./steps.ts";
import { describeOutcome, summarize, totals } from "./summary.ts";
import { runTidy } from "./tidy-step.ts";

const atOnce = 2;
const root = dirname(dirname(import.meta.dirname));
const filters = process.argv.slice(2).map((filter) => filter.replace(/^\.\//, ""));

function isWanted(name: string): boolean {
  return filters.length === 0 || filters.includes(name);
}

function isWantedFile(file: string): boolean {
  return filters.length === 0 || filters.some((filter) => file.startsWith(filter) || fileName(file).includes(filter));
}

function fileName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** Work in the order it is to be begun: what is quick and tells most, first. */
function workOf(scratch: string): { first: (() => Promise<Outcome>)[]; rest: (() => Promise<Outcome>)[] } {
  const files = findTests(root).filter(isWantedFile);
  // The tests that open a browser need the application it opens.
  const buildIsNeeded = files.some((file) => file.startsWith("tests/") || file.startsWith("apps/"));
  const steps = stepsOf(root).filter((step) => isWanted(step.name) || (step.name === "build" && buildIsNeeded));
  const first = steps.map((step) => () => runStep(step, root));
  if (isWanted("tidy")) first.unshift(() => runTidy(root));
  return { first, rest: files.map((file) => () => runFile(file, { root, scratch })) };
}

async function runAll(work: readonly (() => Promise<Outcome>)[], outcomes: Outcome[]): Promise<void> {
  const waiting = [...work];
  const worker = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const outcome = await next();
      outcomes.push(outcome);
      process.stdout.write(`${describeOutcome(outcome)}\n`);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

const scratch = mkdtempSync(join(tmpdir(), "leadglass-test-"));
process.env.PATH = [dirname(process.execPath), process.env.PATH ?? ""].join(delimiter);
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    endAll();
    rmSync(scratch, { recursive: true, force: true });
    process.exit(130);
  });
}

const outcomes: Outcome[] = [];
try {
  const { first, rest } = workOf(scratch);
  if (first.length + rest.length === 0) process.stdout.write(`No test matches ${filters.join(" ")}\n`);
  await runAll(first, outcomes);
  await runAll(rest, outcomes);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
const { passed, failed } = totals(outcomes);
process.stdout.write(`${summarize(outcomes)}\n`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
