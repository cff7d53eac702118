import { resolve } from "node:path";
import { systemFiles } from "#base/io";
import { isProblem, Problem, type ProblemCode } from "#base/problem";
import type {
  BulkExportRequest,
  BulkExportStudies,
  BulkExportView,
  ConfirmationView,
  StudyExportRequest,
} from "#formats/api";
import type { DirectoryEntry } from "#formats/dicom";
import type { Command, CommandContext } from "../arguments.ts";
import type { Call } from "../call.ts";
import { confirmationFlags, confirmed } from "../confirmed.ts";
import type { FileSet } from "../file-set.ts";
import { withServer } from "../with-server.ts";

/** More than these are a bulk export. */
const studiesAlone = 10;

export const exportStudies: Command = {
  words: "export",
  takes: "STUDY… | --all --to FOLDER",
  does: `write studies as DICOM files with a DICOMDIR; another administrator confirms --all and more than ${studiesAlone}`,
  options: {
    to: "FOLDER  an empty one, or one that is made",
    modality: "M  with --all: studies with such series",
    since: "DATE  with --all: study date, 2026-01-31",
    until: "DATE  with --all",
    "go-on": "ID  go on with a bulk export that was confirmed, in the same folder",
  },
  flags: {
    ...confirmationFlags,
    all: "all studies, or all that fit",
    arrived: "the dates are those of arrival",
    original: "as received, before any correction",
  },
  async run(context) {
    const { positionals, options, flags } = context;
    const { to, "go-on": goOn } = options;
    if (to === undefined) throw new Problem("invalid", "name a folder with --to");
    const bulk = goOn === undefined ? bulkOf(context) : undefined;
    if (goOn !== undefined && (positionals.length > 0 || flags.has("all"))) {
      throw new Problem("invalid", "--go-on takes the studies that were confirmed, no others");
    }
    const { openFileSet } = await import("../file-set.ts");
    const set = await openFileSet(systemFiles, resolve(to), { goesOn: goOn !== undefined });
    await withServer(context, async (call, { running }) => {
      if (goOn !== undefined) return giveOut(context, call, set, goOn);
      if (bulk === undefined) return exportNamed(context, call, set);
      const ask = () => call.json<ConfirmationView>("POST", "/api/exports", bulk);
      const outcome = await confirmed<BulkExportView>(context, { call, running }, ask);
      if (outcome !== undefined) await giveOut(context, call, set, outcome.id);
    });
  },
};

/** Undefined for a few named studies, which need nobody else. */
function bulkOf({ positionals, options, flags }: CommandContext): BulkExportRequest | undefined {
  const isAll = flags.has("all");
  const { modality, since, until } = options;
  const named = [...new Set(positionals)];
  if (named.some((token) => !/^[0-9a-f]{32}$/.test(token))) {
    const remedy = "32 hexadecimal digits, as in its address in the browser";
    throw new Problem("invalid", "a study is named by its token", { remedy });
  }
  if (isAll === named.length > 0) throw new Problem("invalid", "name studies, or say --all");
  if (!isAll && (modality ?? since ?? until) !== undefined) {
    throw new Problem("invalid", "--modality, --since and --until go with --all");
  }
  if (!isAll && named.length <= studiesAlone) return undefined;
  const [from, to] = [since, until].map(dateOf);
  return {
    ...(!isAll && { studies: named }),
    ...(modality !== undefined && { modality }),
    ...(from !== undefined && { from }),
    ...(to !== undefined && { to }),
    by: flags.has("arrived") ? "arrival" : "study",
    received: flags.has("original"),
  };
}

function dateOf(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const found = /^(\d{4})-?(\d{2})-?(\d{2})$/.exec(text);
  const [, year, month, day] = found ?? [];
  const isDay = found !== null && !Number.isNaN(Date.parse(`${year}-${month}-${day}`));
  if (!isDay) throw new Problem("invalid", "a date is written as 2026-01-31");
  return `${year}${month}${day}`;
}

const post = (call: Call, path: string, body: object) =>
  call.stream("POST", path, { body: Buffer.from(JSON.stringify(body), "utf8"), type: "application/json" });

/** A few studies: one file-set, one DICOMDIR. */
async function exportNamed(context: CommandContext, call: Call, set: FileSet): Promise<void> {
  const entries: DirectoryEntry[] = [];
  const report = createReport(context, set, new Set(context.positionals).size);
  const received = context.flags.has("original");
  for (const study of new Set(context.positionals)) {
    await report.each(study, async (number, tell) => {
      const body: StudyExportRequest = { study, received };
      const bytes = await post(call, "/api/exports/study", body);
      const written = await set.writeStudy({ number, bytes, isSet: false, tell });
      entries.push(...written);
      return written.length;
    });
  }
  if (entries.length > 0) await set.writeDirectory(entries);
  report.print();
}

/** Studies that two people decided on, each a file-set of its own. Whoever is cut off goes on later with the rest. */
async function giveOut(context: CommandContext, call: Call, set: FileSet, id: string): Promise<void> {
  const path = `/api/exports/${encodeURIComponent(id)}`;
  const { studies, until } = await call.json<BulkExportStudies>("GET", path);
  const report = createReport(context, set, studies.length);
  const remedy = `leadglass export --go-on ${id} --to FOLDER goes on with it until ${new Date(until).toISOString()}`;
  try {
    for (const study of studies) {
      await report.each(study, async (number, tell) => {
        if (await set.has(number)) return "before";
        const bytes = await post(call, `${path}/study`, { study });
        return (await set.writeStudy({ number, bytes, isSet: true, tell })).length;
      });
    }
  } catch (error) {
    if (!isProblem(error)) throw error;
    throw new Problem(error.code, error.message, {
      remedy: [error.remedy, remedy].filter(Boolean).join("; "),
      cause: error,
    });
  }
  // What failed can be had again until the time is over.
  if (report.failed() === 0) await call.json("DELETE", path);
  report.print(remedy);
}

/** What is wrong with one study is told, and the others go on. */
const ofOneStudy: readonly ProblemCode[] = [
  "absent",
  "denied",
  "damaged",
  "too-large",
  "unsupported",
  "conflict",
  "fault",
];

interface ExportedStudy {
  readonly study: string;
  readonly folder: string;
  /** Absent where it was written before. */
  readonly images?: number;
}

function createReport(context: CommandContext, set: FileSet, of: number) {
  const studies: ExportedStudy[] = [];
  const failures: { study: string; code: string; message: string }[] = [];
  let number = 0;
  return {
    async each(
      study: string,
      work: (number: number, tell: (instance: { number: number; of: number }) => void) => Promise<number | "before">,
    ): Promise<void> {
      const at = ++number;
      const tell = (instance: { number: number; of: number }) => {
        if (instance.number % 50 === 1) context.say(`study ${at} of ${of}, image ${instance.number} of ${instance.of}`);
      };
      try {
        const images = await work(at, tell);
        studies.push({ study, folder: set.folderOf(at), ...(images !== "before" && { images }) });
      } catch (error) {
        if (!isProblem(error) || !ofOneStudy.includes(error.code)) throw error;
        failures.push({ study, code: error.code, message: error.message });
        process.stderr.write(`not exported: ${study}: ${error.message}\n`);
      }
    },
    /** Those that may come later; what is not there any more never does. */
    failed: () => failures.filter(({ code }) => code !== "absent").length,
    print(remedy = "leadglass vault check tells what is damaged"): void {
      const images = studies.reduce((sum, each) => sum + (each.images ?? 0), 0);
      const before = studies.filter((each) => each.images === undefined).length;
      const more = before > 0 ? `; ${before} were there` : "";
      context.print(`${studies.length - before} studies, ${images} images${more}`, { studies, failures });
      if (failures.length === 0) return;
      throw new Problem("damaged", `${failures.length} studies were not exported`, { remedy });
    },
  };
}
