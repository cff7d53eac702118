import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Outcome } from "./outcome.ts";
import { runProgram } from "./run-program.ts";

/** A check over the whole tree that counts as one test. tidy, which counts each of its rules, is in tidy-step.ts. */
export interface Step {
  readonly name: "build" | "types" | "style";
  readonly what: string;
  readonly program: string;
  readonly args: readonly string[];
}

export function stepsOf(root: string): Step[] {
  const bin = (name: string) => join(root, "node_modules", ".bin", name);
  const setup = join(root, "tools", "setup", "run.mjs");
  const steps: Step[] = [
    { name: "build", what: "the browser application builds", program: process.execPath, args: [setup, "build"] },
    { name: "types", what: "types", program: bin("tsc"), args: ["--noEmit", "--pretty", "false", "-p", root] },
    { name: "style", what: "style", program: bin("biome"), args: ["check", "--max-diagnostics=50", root] },
  ];
  const web = join(root, "apps", "web");
  if (existsSync(join(web, "tsconfig.json"))) {
    const args = ["--noEmit", "--pretty", "false", "-p", web];
    steps.push({ name: "types", what: "types of the browser application", program: bin("tsc"), args });
  }
  return existsSync(join(web, "index.html")) ? steps : steps.filter((step) => step.name !== "build");
}

export async function runStep(step: Step, root: string): Promise<Outcome> {
  const ending = await runProgram(step.program, step.args, { cwd: root, env: process.env, timeoutMs: 300_000 });
  const ok = ending.code === 0;
  const failures = ok ? [] : [{ name: step.what, detail: ending.output.trim() || `ended with ${ending.code}` }];
  return { file: step.what, passed: ok ? 1 : 0, failures, skips: [], output: "", ms: ending.ms };
}
