import { Problem } from "#base/problem";
import { createTurns } from "#base/turns";
import type { Kept, RecordChange, Records, Shelf } from "#trust/vault";
import { type Counts, countsOf, isWrong, type Job, noCounts, plus, type StudyWork } from "./job.ts";
import { turnOf, undatedStage } from "./plan.ts";

/** Of one day, by the modalities of its studies, joined by a backslash. */
export type DayCounts = Readonly<Record<string, Counts>>;

/** What is known of one migration. Every change is one transaction: its counts are those of its studies, whenever the process ends. */
export interface Book {
  job(): Job;
  change(change: (job: Job) => Job): Promise<Job>;
  /** Those that are not known yet wait for their turn. Gives how many they are. */
  enrol(studies: readonly StudyWork[]): Promise<number>;
  /** Those that wait, the next first, whether or not their time has come. */
  waiting(limit: number): Promise<Kept<StudyWork>[]>;
  /** What became of a study; one that waits is tried again at `dueAt`. Gives it as it is kept. */
  note(known: Kept<StudyWork>, work: StudyWork, dueAt?: number): Promise<Kept<StudyWork>>;
  /** DA or "undated", and its counts. */
  days(): AsyncIterable<{ readonly day: string; readonly counts: DayCounts }>;
  /** Studies that somebody has to look at, by their ids: keyed digests that say nothing. */
  wrong(): AsyncIterable<Kept<StudyWork>>;
  /** Those wait again. */
  tryAgain(): Promise<void>;
}

/** Where migrations rest: jobs, and for each of them a shelf of studies, one of days, and one that names what is not whole. */
export interface Ledger {
  jobs(): AsyncIterable<Job>;
  open(id: string): Promise<Book>;
  create(job: Job): Promise<Book>;
  /** With all that is known of its studies. */
  remove(id: string): Promise<void>;
}

const removedAtOnce = 200;
/** Combinations of modalities that are counted apart on one day. */
const combinationsMost = 200;

export function createLedger(records: Records): Ledger {
  const jobs = records.shelf<Job>("migration");
  const shelvesOf = (id: string) => ({
    studies: records.shelf<StudyWork>(`migration-study ${id}`),
    days: records.shelf<DayCounts>(`migration-day ${id}`),
    marks: records.shelf<null>(`migration-wrong ${id}`),
  });

  const bookOf = (opened: Kept<Job>): Book => {
    let kept = opened;
    const turns = createTurns();
    const { studies, days, marks } = shelvesOf(opened.id);
    const idOf = (studyUid: string) => records.idOf(`migration ${opened.id}`, studyUid);

    /** With what else is changed, and how that changes the counts. */
    const commit = async (next: Job, changes: readonly RecordChange[]): Promise<void> => {
      if (!(await records.change(jobs.put(next.id, next, { known: kept }), ...changes))) {
        const now = await jobs.get(next.id);
        if (now !== undefined) kept = now;
        throw new Problem("busy", "somebody else changed this migration", { remedy: "try again" });
      }
      kept = { ...kept, version: kept.version + 1, value: next };
    };
    const dayChange = async (day: string, differences: readonly (readonly [string, Counts])[]) => {
      const known = await days.get(day);
      const counts: Record<string, Counts> = { ...known?.value };
      for (const [modalities, difference] of differences) {
        const key = modalities in counts || Object.keys(counts).length < combinationsMost ? modalities : "other";
        counts[key] = plus(counts[key] ?? noCounts, difference);
      }
      return days.put(day, counts, { known });
    };
    const markChange = async (id: string, was: boolean, is: boolean): Promise<RecordChange[]> => {
      if (was === is) return [];
      const known = await marks.get(id);
      if (is) return known === undefined ? [marks.put(id, null)] : [];
      return known === undefined ? [] : [marks.remove(known)];
    };

    const wrong = async function* () {
      for await (const { id } of marks.all()) {
        const known = await studies.get(id);
        if (known !== undefined) yield known;
      }
    };
    const note: Book["note"] = (known, work, dueAt) =>
      turns.take(async () => {
        const [was, is] = [countsOf(known.value), countsOf(work)];
        const day = await dayChange(dayOf(work), [
          [keyOf(known.value), plus(noCounts, was, -1)],
          [keyOf(work), is],
        ]);
        const mark = await markChange(known.id, isWrong(known.value), isWrong(work));
        const put = studies.put(known.id, work, { known, ...(dueAt !== undefined && { dueAt }) });
        const totals = plus(plus(kept.value.totals, was, -1), is);
        await commit({ ...kept.value, totals }, [put, day, ...mark]);
        return { ...known, version: known.version + 1, dueAt, value: work };
      });

    return {
      job: () => kept.value,
      change: (change) =>
        turns.take(async () => {
          await commit(change(kept.value), []);
          return kept.value;
        }),
      enrol: (found) =>
        turns.take(async () => {
          const changes = new Map<string, RecordChange>();
          const byDay = new Map<string, [string, Counts][]>();
          let totals = kept.value.totals;
          for (const work of found) {
            const id = idOf(work.studyUid);
            if (changes.has(id) || (await studies.get(id)) !== undefined) continue;
            changes.set(id, studies.put(id, work, { dueAt: turnOf(kept.value.spec.dates, work.date) }));
            const difference = countsOf(work);
            totals = plus(totals, difference);
            byDay.set(dayOf(work), [...(byDay.get(dayOf(work)) ?? []), [keyOf(work), difference]]);
          }
          if (changes.size === 0) return 0;
          const counted = await Promise.all([...byDay].map(([day, differences]) => dayChange(day, differences)));
          await commit({ ...kept.value, totals }, [...changes.values(), ...counted]);
          return changes.size;
        }),
      waiting: (limit) => studies.due(Number.MAX_SAFE_INTEGER, limit),
      note,
      wrong,
      async *days() {
        for await (const { id, value } of days.all()) yield { day: id, counts: value };
      },
      async tryAgain() {
        for await (const known of wrong()) {
          const { problem: _problem, ...work } = known.value;
          await note(known, { ...work, state: "waiting", attempts: 0 }, turnOf(kept.value.spec.dates, work.date));
        }
      },
    };
  };

  const emptied = async <T>(shelf: Shelf<T>): Promise<void> => {
    let batch: RecordChange[] = [];
    for await (const one of shelf.all()) {
      batch.push(shelf.remove(one));
      if (batch.length < removedAtOnce) continue;
      await records.change(...batch);
      batch = [];
    }
    await records.change(...batch);
  };

  return {
    async *jobs() {
      for await (const { value } of jobs.all()) yield value;
    },
    async open(id) {
      const known = await jobs.get(id);
      if (known === undefined) throw absent();
      return bookOf(known);
    },
    async create(job) {
      const isNew = await records.change(jobs.put(job.id, job));
      if (!isNew) throw new Problem("conflict", "there is a migration of that id");
      return bookOf({ id: job.id, version: 1, dueAt: undefined, value: job });
    },
    async remove(id) {
      const known = await jobs.get(id);
      if (known === undefined) throw absent();
      const { studies, days, marks } = shelvesOf(id);
      for (const shelf of [marks, days, studies]) await emptied<unknown>(shelf);
      // The last: what a crash leaves is removed when it is asked for again.
      await records.change(jobs.remove(known));
    },
  };
}

const dayOf = ({ date }: StudyWork): string => (date === "" ? undatedStage : date);
const keyOf = ({ modalities }: StudyWork): string => modalities.join("\\") || "none";

export function absent(): Problem {
  return new Problem("absent", "no such migration", { remedy: "`leadglass migrate list` shows those there are" });
}
