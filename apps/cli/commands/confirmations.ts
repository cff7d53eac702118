import { Problem } from "#base/problem";
import type { ConfirmationView } from "#formats/api";
import type { Command, CommandContext } from "../arguments.ts";
import { outcomeOf } from "../confirmed.ts";
import { withServer } from "../with-server.ts";

const when = (time: number) => new Date(time).toISOString();

export const confirmationList: Command = {
  words: "confirmation list",
  takes: "",
  does: "what was asked for and needs a second administrator, and what became of it",
  run: (context) =>
    withServer(context, async (call) => {
      const all = await call.json<ConfirmationView[]>("GET", "/api/confirmations");
      const lines = all.map(
        ({ id, act, state, requestedBy, requestedAt, endsAt }) =>
          `${id}  ${act.padEnd(17)}  ${state === "pending" ? `until ${when(endsAt)}` : state}, asked for by ${requestedBy} at ${when(requestedAt)}`,
      );
      context.print(lines.join("\n") || "nothing was asked for in the last days", { confirmations: all });
    }),
};

export const confirmationWait: Command = {
  words: "confirmation wait",
  takes: "ID",
  does: "wait until that is confirmed and done, and print what came of it",
  run: (context) =>
    withServer(context, async (call, { running }) => {
      const asked = await call.json<ConfirmationView>("GET", `/api/confirmations/${idOf(context)}`);
      const result = await outcomeOf<unknown>(context, { call, running }, asked);
      context.print(`done: ${JSON.stringify(result)}`, { id: asked.id, result });
    }),
};

export const confirmationWithdraw: Command = {
  words: "confirmation withdraw",
  takes: "ID",
  does: "no longer ask for that; for what was asked for at this console",
  run: (context) =>
    withServer(context, async (call) => {
      const withdrawn = await call.json<ConfirmationView>("POST", `/api/confirmations/${idOf(context)}/withdraw`);
      context.print(`withdrawn: ${withdrawn.act}`, withdrawn);
    }),
};

function idOf({ positionals: [id] }: CommandContext): string {
  if (id !== undefined && /^[0-9a-f]{32}$/.test(id)) return id;
  throw new Problem("invalid", "name the request by its id", { remedy: "leadglass confirmation list shows the ids" });
}
