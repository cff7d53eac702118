import { Problem } from "#base/problem";
import type { Compare, Comparison } from "./holdings.ts";
import { type Held, type MigrationSpec, nothingHeld, type StudyWork } from "./job.ts";
import type { Contents, Source, Wanted } from "./source.ts";

export interface Carried {
  /** How the study stands now, also where something failed. */
  readonly work: StudyWork;
  /** Why it is not whole where another attempt may help. */
  readonly failure?: Problem;
}

export interface Carrying {
  readonly source: Pick<Source, "contents" | "fetch">;
  readonly compare: Compare;
  readonly spec: MigrationSpec;
  /** Before the first thing is fetched: what was here then is not taken for fetched after a crash. */
  readonly keep: (work: StudyWork) => Promise<void>;
  readonly signal: AbortSignal;
}

/** Looks what a study of the old archive holds, fetches what is missing, and compares again. Rejects where it cannot be looked at. */
export async function carry(known: StudyWork, carrying: Carrying): Promise<Carried> {
  const { source, compare, spec, keep, signal } = carrying;
  const { studyUid } = known;
  const contents = await source.contents(spec.from, studyUid, signal);
  const { problem: _problem, ...found } = { ...known, modalities: modalitiesOf(known, contents) };
  if (!isAskedFor(found.modalities, spec)) return { work: { ...found, state: "passed-over" } };
  const first = await compare(studyUid, contents);
  const work = { ...found, before: found.before ?? first.held };
  if (first.wanted === undefined || spec.checkOnly) return { work: settledAs(work, first) };
  if (known.before === undefined) await keep({ ...standing(work, first), state: "waiting" });
  const failure = await fetched(first.wanted, carrying);
  signal.throwIfAborted();
  const after = await compare(studyUid, contents);
  const settled = settledAs(work, after);
  if (settled.state === "whole" || settled.state === "more") return { work: settled };
  // What cannot be compared is no failure: it was sent, as far as anybody can say.
  if (settled.state === "differs" && failure === undefined) return { work: settled };
  const short = new Problem("unavailable", `${after.missing} of ${after.listed} instances did not come`);
  return { work: settled, failure: failure ?? short };
}

/** An archive that does not send parts of a study (PS3.4 §C.4.2.1.4) is asked for the whole. */
async function fetched(wanted: Wanted, { source, spec, signal }: Carrying): Promise<Problem | undefined> {
  try {
    await source.fetch(spec.from, wanted, signal);
    return undefined;
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof Problem)) throw error;
    const isPart = wanted.only !== undefined && ["invalid", "unsupported", "absent"].includes(error.code);
    if (!isPart) return error;
    const { only: _only, ...whole } = wanted;
    return fetched({ ...whole, sopClassUids: [] }, { source, spec, signal } as Carrying);
  }
}

const settledAs = (work: StudyWork, compared: Comparison): StudyWork => ({
  ...standing(work, compared),
  state: compared.outcome,
});

function standing(work: StudyWork, { held, listed, missing }: Comparison): StudyWork {
  return { ...work, listed, missing, brought: since(work.before ?? nothingHeld, held) };
}

function since(before: Held, now: Held): Held {
  const more = (key: keyof Held) => Math.max(0, now[key] - before[key]);
  return { instances: more("instances"), bytes: more("bytes"), conflicts: more("conflicts") };
}

/** Many archives do not say at study level which there are. */
function modalitiesOf({ modalities }: StudyWork, { series = [] }: Contents): readonly string[] {
  if (modalities.length > 0) return modalities;
  return [...new Set(series.map(({ modality }) => modality).filter((modality) => modality !== ""))].sort();
}

/** What does not say what it holds is taken: it may be what was asked for. */
export function isAskedFor(modalities: readonly string[], { modalities: asked }: Pick<MigrationSpec, "modalities">) {
  return asked.length === 0 || modalities.length === 0 || modalities.some((modality) => asked.includes(modality));
}
