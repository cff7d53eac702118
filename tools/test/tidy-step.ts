import { join } from "node:path";
import type { Outcome } from "./outcome.ts";
import { runProgram } from "./run-program.ts";

/** What `tools/tidy/main.ts --json` prints. */
interface TidyReport {
  readonly rules: readonly { id: string; what: string; findings: readonly string[] }[];
}

/** Each rule of the house is one test. */
export async function runTidy(root: string): Promise<Outcome> {
  const args = [join(root, "tools", "tidy", "main.ts"), "--json", root];
  const ending = await runProgram(process.execPath, args, { cwd: root, env: process.env, timeoutMs: 120_000 });
  const whole = { file: "tidy", skips: [], output: "", ms: ending.ms };
  const report = parse(ending.output);
  if (report === undefined) {
    return { ...whole, passed: 0, failures: [{ name: "tidy", detail: ending.output || "ended without a report" }] };
  }
  const broken = report.rules.filter((rule) => rule.findings.length > 0);
  const failures = broken.map((rule) => ({ name: `${rule.id}: ${rule.what}`, detail: rule.findings.join("\n") }));
  return { ...whole, passed: report.rules.length - broken.length, failures };
}

function parse(text: string): TidyReport | undefined {
  try {
    const report = JSON.parse(text) as TidyReport;
    return Array.isArray(report.rules) && report.rules.length > 0 ? report : undefined;
  } catch {
    return undefined;
  }
}
