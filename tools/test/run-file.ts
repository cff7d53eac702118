import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { type Outcome, outcomeOf } from "./outcome.ts";
import { runProgram } from "./run-program.ts";

const reporter = join(import.meta.dirname, "reporter.mjs");

/** What crosses floors starts servers and browsers; what sits beside the code is quick. */
function timeoutMsOf(file: string): number {
  return file.startsWith("tests/") ? 600_000 : 120_000;
}

/** Runs one test file in a process of its own. `scratch` is a folder for the report; `file` is relative to `root`. */
export async function runFile(
  file: string,
  options: { root: string; scratch: string; timeoutMs?: number },
): Promise<Outcome> {
  const { root, scratch, timeoutMs = timeoutMsOf(file) } = options;
  const report = join(scratch, `${file.replaceAll("/", "--")}.jsonl`);
  const args = ["--disable-warning=ExperimentalWarning", `--test-reporter=${reporter}`];
  args.push(`--test-reporter-destination=${report}`, join(root, file));
  const { NODE_TEST_CONTEXT: _, ...inherited } = process.env;
  // Each file is a process: stripping and compiling what it imports is a fifth of a quick one's time.
  const env = { NODE_COMPILE_CACHE: join(root, "node_modules", ".cache", "leadglass"), ...inherited };
  const ending = await runProgram(process.execPath, args, { cwd: root, env, timeoutMs });
  const written = await readFile(report, "utf8").catch(() => "");
  await rm(report, { force: true });
  return outcomeOf(file, written, ending);
}
