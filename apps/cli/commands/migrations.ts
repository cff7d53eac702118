import { buffer } from "node:stream/consumers";
import { Problem, type ProblemCode } from "#base/problem";
import type {
  MigrationReportView,
  MigrationRequest,
  MigrationStudyView,
  MigrationTally,
  MigrationView,
} from "#formats/api";
import type { Command, CommandContext } from "../arguments.ts";
import type { Call } from "../call.ts";
import { follow } from "../follow.ts";
import { withServer } from "../with-server.ts";
import { machineNamed } from "./transfers.ts";

export const migrateStart: Command = {
  words: "migrate start",
  takes: "--from AE --dates FROM..TO",
  does: "take an old archive over: every study of these days that is not here comes, the newest first",
  options: {
    from: "AE  the archive; it must be registered with the port it takes associations at",
    dates: "FROM..TO  days of studies, both included: 2015-01-01..2024-12-31",
    modalities: "CT,MR  only studies in which one of these is",
    hours: "FROM-TO  only at these hours of this machine's clock: 19-6",
    "studies-per-minute": "N  no faster",
    "megabytes-per-minute": "N  no faster",
    associations: "N  studies at once, 1 to 4; one where left out",
    "answers-most": "N  the archive answers a query with at most so many studies, where that is known",
  },
  flags: {
    "oldest-first": "begin with the oldest day",
    "no-undated": "do not look for studies without a date at the end: that asks for all there are",
    "check-only": "compare what is there with what is here, and fetch nothing",
    "no-wait": "do not wait until it is done: it goes on in the server, for weeks if need be",
  },
  run: (context) =>
    withServer(context, async (call) => {
      const begun = await call.json<MigrationView>("POST", "/api/migrations", await requestOf(context, call));
      await followed(context, call, begun);
    }),
};

async function requestOf({ options, flags }: CommandContext, call: Call): Promise<MigrationRequest> {
  const days = /^(\d{4}-?\d\d-?\d\d)\.\.(\d{4}-?\d\d-?\d\d)$/.exec(options.dates ?? "");
  if (options.from === undefined || days === null) {
    throw new Problem("invalid", "--from and --dates are needed", {
      remedy: "leadglass migrate start --from PACS --dates 2015-01-01..2024-12-31",
    });
  }
  const [from = "", to = ""] = days.slice(1).map((day) => day.replaceAll("-", ""));
  const number = (name: string, as: keyof MigrationRequest) =>
    options[name] === undefined ? {} : { [as]: wholeNumber(name, options[name]) };
  return {
    ...{ from: await machineNamed(call, options.from), dates: { from, to } },
    ...{ order: flags.has("oldest-first") ? "oldest" : "newest", undated: !flags.has("no-undated") },
    ...{ checkOnly: flags.has("check-only"), modalities: options.modalities?.split(",").filter(Boolean) ?? [] },
    ...(options.hours !== undefined && { hours: hoursIn(options.hours) }),
    ...number("studies-per-minute", "studiesPerMinute"),
    ...number("megabytes-per-minute", "megabytesPerMinute"),
    ...number("associations", "associations"),
    ...number("answers-most", "answersMost"),
  };
}

function wholeNumber(name: string, text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new Problem("invalid", `--${name} is not a number for that`, { remedy: "a whole number, 1 or more" });
}

function hoursIn(text: string): { from: number; to: number } {
  const [, from, to] = /^(\d\d?)-(\d\d?)$/.exec(text) ?? [];
  if (from !== undefined && to !== undefined) return { from: Number(from), to: Number(to) };
  throw new Problem("invalid", "--hours are not hours", { remedy: "19-6 is from 19:00 until 6:00" });
}

export const migrateList: Command = {
  words: "migrate list",
  takes: "",
  does: "old archives that are taken over, and how far each is",
  run: (context) =>
    withServer(context, async (call) => {
      const found = await call.json<MigrationView[]>("GET", "/api/migrations");
      context.print(found.map(lineOf).join("\n") || "no old archive is or was taken over", found);
    }),
};

export const migratePause = steering("pause", "hold on: what came stays, nothing is lost");
export const migrateResume = steering("resume", "go on, also with one that is done: what was set aside is tried again");
export const migrateStop = steering("stop", "end it for good; what came stays");

function steering(way: "pause" | "resume" | "stop", does: string): Command {
  return {
    words: `migrate ${way}`,
    takes: "ID",
    does,
    run: (context) =>
      withServer(context, async (call) => {
        const migration = await call.json<MigrationView>("POST", `/api/migrations/${idIn(context)}/${way}`);
        context.print(lineOf(migration), migration);
      }),
  };
}

export const migrateFollow: Command = {
  words: "migrate follow",
  takes: "ID",
  does: "wait until it does not run any more, and see how far it is meanwhile",
  run: (context) => withServer(context, (call) => followedOne(context, call, idIn(context))),
};

export const migrateRemove: Command = {
  words: "migrate remove",
  takes: "ID",
  does: "forget one that is over, its report and what is known of its studies; what came stays",
  run: (context) =>
    withServer(context, async (call) => {
      await call.stream("DELETE", `/api/migrations/${idIn(context)}`);
      context.print("forgotten", { removed: true });
    }),
};

export const migrateReport: Command = {
  words: "migrate report",
  takes: "ID",
  does: "what was found, fetched and is not whole, by month and modality",
  flags: {
    studies: "the studies that are not whole, and why",
    identified: "with --studies: whose they are",
    csv: "as a table for a spreadsheet: the days, or the studies",
  },
  run: (context) =>
    withServer(context, async (call) => {
      const { flags } = context;
      const query = flags.has("identified") ? "?identified=true" : "";
      const path = `/api/migrations/${idIn(context)}/${flags.has("studies") ? `studies${query}` : "report"}`;
      if (flags.has("csv")) {
        const table = await buffer(await call.stream("GET", path, { accept: "text/csv" }));
        return context.print(table.toString("utf8").trimEnd(), { csv: table.toString("utf8") });
      }
      if (flags.has("studies")) {
        const studies = await call.json<MigrationStudyView[]>("GET", path);
        return context.print(studies.map(studyLine).join("\n") || "every study is whole", studies);
      }
      const report = await call.json<MigrationReportView>("GET", path);
      context.print(textOf(report), report);
    }),
};

function idIn({ positionals: [id] }: CommandContext): string {
  if (id !== undefined) return encodeURIComponent(id);
  throw new Problem("invalid", "ID is needed", { remedy: "leadglass migrate list shows them" });
}

async function followed(context: CommandContext, call: Call, begun: MigrationView): Promise<void> {
  if (context.flags.has("no-wait")) return context.print(lineOf(begun), begun);
  await followedOne(context, call, begun.id);
}

/** Fails where it paused itself. */
async function followedOne(context: CommandContext, call: Call, id: string): Promise<void> {
  const migration = await follow<MigrationView>(await call.stream("GET", `/api/migrations/${id}/follow`), context);
  const { state, trouble } = migration;
  if (state !== "paused" || trouble === undefined) return context.print(lineOf(migration), migration);
  const { code, message, remedy = "leadglass migrate resume goes on" } = trouble;
  throw new Problem(code as ProblemCode, message, { remedy });
}

function lineOf({ id, device, state, says, asked, trouble }: MigrationView): string {
  const what = asked.checkOnly === true ? "check" : "fetch";
  const days = `${asked.dates.from}..${asked.dates.to}`;
  const why = trouble === undefined || state === "done" ? [] : [trouble.message];
  return [id, device.ae.padEnd(16), what, days, state.padEnd(7), says, ...why].join("  ");
}

function studyLine({
  token,
  state,
  month,
  modalities,
  listed,
  missing,
  problem,
  identity,
}: MigrationStudyView): string {
  const who = identity && [identity.patientId, identity.patientName, identity.accession, identity.studyUid];
  const lacks = `${missing} of ${listed} missing`;
  return [token, state.padEnd(7), month, modalities.join("\\"), lacks, ...(who ?? []), problem?.message ?? ""].join(
    "  ",
  );
}

const columns = [
  "found",
  "heldBefore",
  "fetched",
  "waiting",
  "short",
  "differs",
  "failed",
  "instancesMissing",
] as const;
const heads = ["", "found", "were here", "fetched", "waiting", "short", "differ", "failed", "instances missing"];

function textOf({ migration, months, modalities }: MigrationReportView): string {
  const row = (cells: readonly (string | number)[]) =>
    cells.map((cell, at) => (at === 0 ? String(cell).padEnd(14) : String(cell).padStart(10))).join(" ");
  const tally = ({ of, counts }: MigrationTally) => row([of, ...columns.map((column) => counts[column])]);
  const { unsureDays, totals } = migration;
  return [
    migration.says,
    row(heads),
    ...months.map(tally),
    ...modalities.map(tally),
    tally({ of: "all", counts: totals }),
    `${totals.instancesListed} instances are there; ${totals.instancesBefore} were here, ${totals.instancesFetched} came, ${totals.conflicts} with other bytes than ours`,
    ...(unsureDays > 0 ? [`of ${unsureDays} days the archive may not have listed all studies`] : []),
  ].join("\n");
}
