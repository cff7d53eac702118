import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { Problem, type ProblemCode } from "#base/problem";
import type { ProblemView } from "#formats/api";
import type { CommandContext } from "./arguments.ts";

/** Follows a long task of the server: a line of progress now and then, the report as the last. */
export async function follow<Report>(answer: Readable, context: CommandContext): Promise<Report> {
  let report: Report | undefined;
  for await (const line of createInterface({ input: answer })) {
    const told = JSON.parse(line) as { progress?: string; report?: Report; problem?: ProblemView };
    if (told.progress !== undefined) context.say(told.progress);
    if (told.problem !== undefined) {
      const { code, message, remedy } = told.problem;
      throw new Problem(code as ProblemCode, message, remedy === undefined ? {} : { remedy });
    }
    report = told.report ?? report;
  }
  if (report === undefined)
    throw new Problem("unavailable", "the server stopped before it was done", { remedy: "run it again" });
  return report;
}
