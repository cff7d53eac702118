import { Problem } from "#base/problem";
import type { ScheduledStepView, WorklistView } from "#formats/api";
import type { Command } from "../arguments.ts";
import { withServer } from "../with-server.ts";

export const worklistList: Command = {
  words: "worklist list",
  takes: "",
  does: "what is scheduled on which machine, with ids (`leadglass import` takes worklist files in)",
  run: (context) =>
    withServer(context, async (call) => {
      const worklist = await call.json<WorklistView>("GET", "/api/worklist");
      const { steps, total } = worklist;
      const more = total > steps.length ? [`${total - steps.length} more, later than these`] : [];
      context.print([...steps.map(lineOf), ...more].join("\n") || "nothing is scheduled", worklist);
    }),
};

export const worklistRemove: Command = {
  words: "worklist remove",
  takes: "ID…",
  does: "take steps off the worklist",
  run: (context) =>
    withServer(context, async (call) => {
      const { positionals } = context;
      if (positionals.length === 0) throw new Problem("invalid", "ID is needed", { remedy: "leadglass worklist list" });
      for (const id of positionals) await call.json("DELETE", `/api/worklist/${encodeURIComponent(id)}`);
      context.print("removed", { removed: positionals });
    }),
};

function lineOf(step: ScheduledStepView): string {
  const { token, status, startDate, startTime, modality, stationAes, patientName, patientId, description } = step;
  const at = `${startDate} ${startTime.slice(0, 4)}`;
  return `${token}  ${at}  ${modality} on ${stationAes.join(", ")}: ${patientName} (${patientId})  ${description}  ${status}`;
}
