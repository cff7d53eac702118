import type { MigrationReportView, MigrationStudyView, MigrationTally } from "#formats/api";
import { type Counts, type Job, noCounts, plus } from "./job.ts";
import type { Book } from "./ledger.ts";

/** What was found in the old archive and what became of it: days on which there is something, months, modalities, each in order. */
export interface MigrationReport extends Omit<MigrationReportView, "migration"> {
  readonly job: Job;
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

const listed = (tallies: Map<string, Counts>): MigrationTally[] =>
  Array.from(tallies, ([of, counts]) => ({ of, counts })).sort((a, b) => (a.of < b.of ? -1 : 1));

const monthOf = (day: string): string => (/^\d{8}$/.test(day) ? day.slice(0, 6) : day);

export async function wrongStudies(
  book: Book,
  { limit, identified }: { readonly limit: number; readonly identified: boolean },
): Promise<MigrationStudyView[]> {
  const found: MigrationStudyView[] = [];
  for await (const { id: token, value } of book.wrong()) {
    if (found.length >= limit) break;
    const { state, date, modalities, listed, missing, attempts, problem } = value;
    const { studyUid, patientId, patientName, accession } = value;
    found.push({
      ...{
        token,
        state: state as MigrationStudyView["state"],
        month: monthOf(date),
        modalities,
        listed,
        missing,
        attempts,
      },
      ...(problem && { problem }),
      ...(identified && { identity: { studyUid, date, patientId, patientName, accession } }),
    });
  }
  return found;
}
