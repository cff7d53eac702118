import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { Problem } from "#base/problem";
import type { VaultReport } from "#formats/api";
import type { Command, CommandContext } from "../arguments.ts";
import { withServer } from "../with-server.ts";

/** Follows a long task of the server: a line of progress now and then, the report as the last. */
async function follow(answer: Readable, context: CommandContext): Promise<VaultReport> {
  let report: VaultReport | undefined;
  for await (const line of createInterface({ input: answer })) {
    const told = JSON.parse(line) as { progress?: string; report?: VaultReport; problem?: { message: string } };
    if (told.progress !== undefined) context.say(told.progress);
    if (told.problem !== undefined) throw new Problem("fault", told.problem.message);
    report = told.report ?? report;
  }
  if (report === undefined)
    throw new Problem("unavailable", "the server stopped before it was done", { remedy: "run it again" });
  return report;
}

export const vaultCheck: Command = {
  words: "vault check",
  takes: "",
  does: "open and prove every sealed object, compare packs and index",
  run: (context) =>
    withServer(context, async (call) => {
      const report = await follow(await call.stream("POST", "/api/vault/check"), context);
      const lines = [
        `${report.objects} objects proven, ${report.damaged.length} damaged, ${report.conflicts} in conflict`,
        ...report.damaged.map(({ pack, offset, what }) => `  damaged: pack ${pack} at ${offset}: ${what}`),
      ];
      context.print(lines.join("\n"), report);
      if (report.damaged.length > 0)
        throw new Problem("damaged", "damage found", { remedy: "restore those packs from a backup" });
    }),
};

export const vaultRebuild: Command = {
  words: "vault rebuild",
  takes: "",
  does: "make the index again from the packs alone",
  run: (context) =>
    withServer(context, async (call) => {
      const report = await follow(await call.stream("POST", "/api/vault/rebuild"), context);
      context.print(`${report.objects} objects read, ${report.instances} instances in the index`, report);
    }),
};
