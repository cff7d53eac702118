/** What one test file, or one step (tidy, types, style), came to. */
export interface Outcome {
  readonly file: string;
  readonly passed: number;
  /** Each failure in full, as it is printed. */
  readonly failures: readonly Failure[];
  /** The reason of each skipped test. */
  readonly skips: readonly string[];
  /** What it wrote to stdout and stderr; shown when it failed. */
  readonly output: string;
  readonly ms: number;
}

export interface Failure {
  readonly name: string;
  readonly detail: string;
}

/** A line of the reporter (reporter.mjs). */
interface Reported {
  readonly end?: true;
  readonly name: string;
  readonly nesting: number;
  readonly passed: boolean;
  readonly isSuite: boolean;
  readonly skip?: string;
  readonly todo?: string;
  readonly failureType?: string;
  readonly error?: string;
}

/** How the process of a test file ended. */
export interface Ending {
  readonly code: number | null;
  readonly signal: string | null;
  /** Set when it was ended because it ran longer than this. */
  readonly timedOutAfterMs?: number;
  readonly output: string;
  readonly ms: number;
}

/**
 * Counts what the reporter wrote. A suite is not a test, and a test that fails only because one inside it fails is told by
 * that one. A file that crashes, is ended, exits before its tests do, or holds none, has failed, whatever it reported before.
 */
export function outcomeOf(file: string, report: string, ending: Ending): Outcome {
  const lines = report.split("\n").flatMap((line) => parseLine(line));
  const failures: Failure[] = [];
  const skips: string[] = [];
  let passed = 0;
  for (const line of lines) {
    if (line.end === true || line.failureType === "subtestsFailed") continue;
    if (!line.passed) failures.push({ name: line.name, detail: line.error ?? "failed without an error" });
    else if (line.skip !== undefined) skips.push(line.skip);
    else if (line.todo !== undefined) skips.push(`to do: ${line.todo}`);
    else if (!line.isSuite) passed++;
  }
  const whole = faultOfFile(lines, ending, passed + failures.length + skips.length);
  if (whole !== undefined) failures.push({ name: "the file as a whole", detail: whole });
  return { file, passed, failures, skips, output: ending.output, ms: ending.ms };
}

function faultOfFile(lines: readonly Reported[], ending: Ending, counted: number): string | undefined {
  if (ending.timedOutAfterMs !== undefined) return `ended after ${ending.timedOutAfterMs / 1000} s: it ran too long`;
  if (ending.signal !== null) return `ended by ${ending.signal}`;
  if (lines.at(-1)?.end !== true) return `exited with code ${ending.code} before its tests had ended`;
  if (ending.code !== 0 && !lines.some((line) => line.passed === false)) return `exited with code ${ending.code}`;
  if (counted === 0) return "holds no test";
  return undefined;
}

/** The last line may be cut where the process was killed. */
function parseLine(line: string): Reported[] {
  if (line === "") return [];
  try {
    return [JSON.parse(line) as Reported];
  } catch {
    return [];
  }
}
