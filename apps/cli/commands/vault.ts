import { Problem } from "#base/problem";
import type { VaultReport } from "#formats/api";
import type { Command } from "../arguments.ts";
import { follow } from "../follow.ts";
import { withServer } from "../with-server.ts";

export const vaultCheck: Command = {
  words: "vault check",
  takes: "",
  does: "open and prove every sealed object, compare packs and index",
  run: (context) =>
    withServer(context, async (call) => {
      const report = await follow<VaultReport>(await call.stream("POST", "/api/vault/check"), context);
      const lines = [
        `${report.objects} objects proven, ${report.damaged.length} damaged, ${report.conflicts} in conflict`,
        ...(report.withoutKey > 0 ? [`${report.withoutKey} objects have no key: shredded, or lost`] : []),
        ...report.copies.map(
          ({ instance, study, receivedAt, isServed }) =>
            `  conflict: ${instance} of study ${study}, came ${new Date(receivedAt).toISOString()}${isServed ? ", is served" : ""}`,
        ),
        ...report.damaged.map(
          ({ half, pack, offset, what }) => `  damaged: ${half} pack ${pack} at ${offset}: ${what}`,
        ),
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
      const report = await follow<VaultReport>(await call.stream("POST", "/api/vault/rebuild"), context);
      context.print(`${report.objects} objects read, ${report.instances} instances in the index`, report);
    }),
};
