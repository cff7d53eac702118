import { Problem, type ProblemCode } from "#base/problem";
import type {
  ArchiveQuery,
  ArchiveStudyView,
  DestinationView,
  FetchingRequest,
  SendingRequest,
  TransferView,
} from "#formats/api";
import { archiveKeys } from "#formats/api";
import type { Command, CommandContext } from "../arguments.ts";
import type { Call } from "../call.ts";
import { follow } from "../follow.ts";
import { inputOf } from "../standard-input.ts";
import { withServer } from "../with-server.ts";

const waitFlags = { "no-wait": "do not wait until it is done: it goes on in the server" };

export const send: Command = {
  words: "send",
  takes: "STUDY --to AE [--commit]",
  does: "send a copy of a study, named by its token, to a machine that takes images",
  options: { to: "AE  the machine; `leadglass device list` shows them" },
  lists: { series: "UID  only this series; may be given again" },
  flags: { commit: "ask the machine afterwards whether it keeps the images (storage commitment)", ...waitFlags },
  run: (context) =>
    withServer(context, async (call) => {
      const [study] = context.positionals;
      const { series } = context.lists;
      if (study === undefined || context.options.to === undefined) {
        throw new Problem("invalid", "STUDY and --to are needed", { remedy: "leadglass send STUDY --to PACS" });
      }
      const request: SendingRequest = {
        study,
        to: await machineNamed(call, context.options.to),
        ...(series !== undefined && { series }),
        commit: context.flags.has("commit"),
      };
      await followed(context, call, await call.json<TransferView>("POST", "/api/transfers/send", request));
    }),
};

const studyExample = '{"StudyInstanceUID": "…"}';

export const fetchStudy: Command = {
  words: "fetch",
  takes: "--from AE",
  does: `have a study sent here from another archive; standard input: ${studyExample}`,
  options: { from: "AE  the archive" },
  flags: waitFlags,
  async run(context) {
    const { StudyInstanceUID: studyUid } = await inputOf(studyExample);
    if (typeof studyUid !== "string" || context.options.from === undefined) {
      throw new Problem("invalid", "--from and the study are needed", { remedy: `standard input: ${studyExample}` });
    }
    const { from: archive } = context.options;
    await withServer(context, async (call) => {
      const request: FetchingRequest = { from: await machineNamed(call, archive), studyUid };
      await followed(context, call, await call.json<TransferView>("POST", "/api/transfers/fetch", request));
    });
  },
};

const queryExample = '{"PatientID": "…"}';

export const findAt: Command = {
  words: "find",
  takes: "--at AE",
  does: `search the studies of another archive; standard input: ${queryExample}, or ${archiveKeys.slice(1).join(", ")}`,
  options: { at: "AE  the archive" },
  async run(context) {
    const { at } = context.options;
    if (at === undefined) throw new Problem("invalid", "--at is needed", { remedy: "leadglass find --at PACS" });
    const query = (await inputOf(queryExample)) as ArchiveQuery;
    await withServer(context, async (call) => {
      const path = `/api/archives/${await machineNamed(call, at)}/search`;
      const found = await call.json<ArchiveStudyView[]>("POST", path, query);
      const columns = ["StudyDate", "ModalitiesInStudy", "PatientID", "PatientName", "AccessionNumber"];
      const lines = found.map((study) =>
        [...columns.map((keyword) => (study[keyword] ?? "").padEnd(16)), study.StudyInstanceUID ?? ""].join("  "),
      );
      context.print(lines.join("\n") || "no such studies there", found);
    });
  },
};

export const transfers: Command = {
  words: "transfers",
  takes: "[STUDY]",
  does: "what is sent and fetched, what failed and why, and what was done in the last days",
  run: (context) =>
    withServer(context, async (call) => {
      const [study] = context.positionals;
      const path = study === undefined ? "/api/transfers" : `/api/transfers?study=${encodeURIComponent(study)}`;
      const found = await call.json<TransferView[]>("GET", path);
      context.print(found.map(lineOf).join("\n") || "nothing was sent or fetched in the last days", found);
    }),
};

export const transferRetry = steering("retry", "try a transfer now", (call, id) =>
  call.json("POST", `/api/transfers/${id}/retry`),
);

export const transferCancel = steering("cancel", "call a transfer off", (call, id) =>
  call.json("DELETE", `/api/transfers/${id}`),
);

function steering(word: string, does: string, steer: (call: Call, id: string) => Promise<TransferView>): Command {
  return {
    words: `transfer ${word}`,
    takes: "ID",
    does,
    run: (context) =>
      withServer(context, async (call) => {
        const [id] = context.positionals;
        if (id === undefined)
          throw new Problem("invalid", "ID is needed", { remedy: "leadglass transfers lists them" });
        const transfer = await steer(call, encodeURIComponent(id));
        context.print(lineOf(transfer), transfer);
      }),
  };
}

export async function machineNamed(call: Call, ae: string): Promise<string> {
  const known = await call.json<DestinationView[]>("GET", "/api/destinations");
  const [machine, ...others] = known.filter((one) => one.ae === ae);
  if (machine !== undefined && others.length === 0) return machine.id;
  throw new Problem("absent", "no machine of that title takes images, or more than one does", {
    remedy: "leadglass device add AE --address A --port P",
  });
}

/** Waits until nothing more happens, and says how far it is. Fails when it failed. */
async function followed(context: CommandContext, call: Call, begun: TransferView): Promise<void> {
  if (context.flags.has("no-wait")) return context.print(lineOf(begun), begun);
  const answer = await call.stream("GET", `/api/transfers/${begun.id}/follow`);
  const transfer = await follow<TransferView>(answer, context);
  const { id, state, problem } = transfer;
  if (state === "done") return context.print(lineOf(transfer), transfer);
  throw new Problem((problem?.code ?? "conflict") as ProblemCode, problem?.message ?? "it was called off", {
    remedy: `leadglass transfer retry ${id} tries again`,
  });
}

function lineOf({ id, kind, device, state, progress, attempts, nextAt, problem }: TransferView): string {
  const far = progress === undefined ? "" : `${progress.done} of ${progress.of}`;
  const next =
    state === "waiting" && attempts > 0 && nextAt !== undefined ? `again ${new Date(nextAt).toISOString()}` : "";
  const why = problem === undefined || state === "done" ? "" : problem.message;
  return [id, kind.padEnd(17), device.ae.padEnd(16), state.padEnd(9), far, next, why].join("  ").trimEnd();
}
