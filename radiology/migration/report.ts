import { type Counts, type Job, noCounts, plus, type StudyWork } from "./job.ts";
import type { Book } from "./ledger.ts";

/** What was found in the old archive and what became of it. */
export interface MigrationReport {
  readonly job: Job;
  /** Days on which there is something, in order; those without a date last, as "undated". */
  readonly days: readonly Tally[];
  /** YYYYMM, in order. */
  readonly months: readonly Tally[];
  /** By the modalities of a study, joined by a backslash. */
  readonly modalities: readonly Tally[];
}

export interface Tally {
  readonly of: string;
  readonly counts: Counts;
}

/** A study that is not whole. */
export interface WrongStudy extends Pick<StudyWork, "modalities" | "listed" | "missing" | "attempts" | "problem"> {
  /** Stands for it, and says nothing. */
  readonly token: string;
  readonly state: "short" | "differs" | "failed";
  /** YYYYMM, or "" without a date. */
  readonly month: string;
  /** For who may know. */
  readonly identity?: Pick<StudyWork, "studyUid" | "date" | "patientId" | "patientName" | "accession">;
}

export async function reportOf(book: Book): Promise<MigrationReport> {
  const [days, months, modalities] = [new Map<string, Counts>(), new Map<string, Counts>(), new Map<string, Counts>()];
  for await (const { day, counts } of book.days()) {
    for (const [key, some] of Object.entries(counts)) {
      if (some.found === 0) continue;
      tally(days, day, some);
      tally(months, monthOf(day), some);
      tally(modalities, key, some);
    }
  }
  return { job: book.job(), days: listed(days), months: listed(months), modalities: listed(modalities) };
}

function tally(into: Map<string, Counts>, of: string, counts: Counts): void {
  into.set(of, plus(into.get(of) ?? noCounts, counts));
}

const listed = (tallies: Map<string, Counts>): Tally[] =>
  Array.from(tallies, ([of, counts]) => ({ of, counts })).sort((a, b) => (a.of < b.of ? -1 : 1));

const monthOf = (day: string): string => (/^\d{8}$/.test(day) ? day.slice(0, 6) : day);

export async function wrongStudies(
  book: Book,
  { limit, identified }: { readonly limit: number; readonly identified: boolean },
): Promise<WrongStudy[]> {
  const found: WrongStudy[] = [];
  for await (const { id: token, value } of book.wrong()) {
    if (found.length >= limit) break;
    const { state, date, modalities, listed, missing, attempts, problem } = value;
    const { studyUid, patientId, patientName, accession } = value;
    found.push({
      ...{ token, state: state as WrongStudy["state"], month: monthOf(date), modalities, listed, missing, attempts },
      ...(problem && { problem }),
      ...(identified && { identity: { studyUid, date, patientId, patientName, accession } }),
    });
  }
  return found;
}
