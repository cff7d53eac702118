import type { Log } from "#base/log";
import { isProblem } from "#base/problem";
import { createTurns } from "#base/turns";
import { type PackRange, rangeAt, type SealedObjects, type SealedPlace } from "#trust/vault";
import { judgeRetention, needsStudyDate, type RetainedStudy, type RetentionPolicy } from "./retention.ts";
import type { StudyFates } from "./retention-facts.ts";
import type { WitnessedTime } from "./retention-time.ts";

export interface RetentionSummary {
  readonly studies: number;
  readonly deleted: number;
  readonly held: number;
  readonly failed: number;
}

/** What deleting a study is made of. Each may be done twice. */
export interface StudyRemoval {
  /** Takes it out of the index; where its objects lie, by store. */
  removeFromIndex(
    studyToken: string,
  ): Promise<readonly { readonly objects: SealedObjects; readonly place: SealedPlace }[]>;
  /** Deletes its keys, durably: nothing of it opens again, wherever a copy lies. */
  shred(studyToken: string): Promise<void>;
}

export interface Retention {
  /** Ends the deletions that a stop or an error interrupted. At every start, when the index has taken in what it lacked. */
  resume(): Promise<void>;
  /** `resume`, then deletes what is due. Once a day is enough. */
  run(): Promise<RetentionSummary>;
  /** Deletes one study, whatever the rules say. Problem "conflict" when it is under legal hold. */
  remove(studyToken: string): Promise<void>;
  /** Ends with the study that is being deleted. */
  close(): Promise<void>;
}

export interface RetentionParts extends StudyRemoval {
  readonly policy: RetentionPolicy;
  readonly time: WitnessedTime;
  readonly fates: StudyFates;
  readonly log: Log;
  studies(): AsyncIterable<RetainedStudy>;
  /** Study Date (DA); asked only where a rule counts from it. */
  studyDate(studyToken: string): Promise<string | undefined>;
  /** All stores, for what an interrupted deletion left. */
  readonly stores: readonly SealedObjects[];
}

export function createRetention(parts: RetentionParts): Retention {
  const { policy, time, fates, log } = parts;
  let isClosed = false;
  const turns = createTurns();

  const discard = async (found: Awaited<ReturnType<StudyRemoval["removeFromIndex"]>>): Promise<void> => {
    const byStore = new Map<SealedObjects, PackRange[]>();
    for (const { objects, place } of found) {
      const readAt = (position: number, into: Uint8Array) => objects.read(place.pack, position, into);
      const range = await rangeAt(readAt, place).catch(unlessGone);
      // A broken footer: its bytes are found as damage, and by `isDeleted` nobody keeps them.
      if (range !== undefined) byStore.set(objects, [...(byStore.get(objects) ?? []), range]);
    }
    for (const [objects, ranges] of byStore) await objects.discard(ranges);
  };
  /** Out of the index first: nobody is shown a study whose keys are gone. */
  const remove = (studyToken: string) =>
    fates.deleting(studyToken, async () => {
      const found = await parts.removeFromIndex(studyToken);
      await parts.shred(studyToken);
      await discard(found);
    });
  const dueAt = async (study: RetainedStudy): Promise<number | undefined> => {
    const now = time.now();
    const soonest = judgeRetention({ ...policy, rules: policy.rules.map(atOnce) }, study).dueAt;
    if (soonest === undefined || soonest > now) return undefined;
    const studyDate = needsStudyDate(policy, study) ? await parts.studyDate(study.studyToken) : undefined;
    return judgeRetention(policy, study, studyDate).dueAt;
  };
  const run = async (): Promise<RetentionSummary> => {
    const sum = { studies: 0, deleted: 0, held: 0, failed: 0 };
    await time.keep();
    for await (const study of parts.studies()) {
      if (isClosed) break;
      sum.studies++;
      try {
        const due = await dueAt(study);
        if (due === undefined || due > time.now()) continue;
        if (fates.isHeld(study.studyToken)) {
          sum.held++;
          continue;
        }
        await remove(study.studyToken);
        sum.deleted++;
        log.info("a study was deleted: its retention period is over", { study: study.studyToken });
      } catch (error) {
        if (isProblem(error, "conflict")) sum.held++;
        else sum.failed++;
        log.warn("a study whose retention period is over was not deleted", { study: study.studyToken }, error);
      }
    }
    return sum;
  };
  /** What the index no longer names, by what stands in the clear in the framing. */
  const discardAllOf = async (studyTokens: ReadonlySet<string>): Promise<void> => {
    for (const objects of parts.stores) {
      for (const { pack } of await objects.packs()) {
        const ranges: PackRange[] = [];
        for await (const found of objects.scan(pack, 0)) {
          if ("gapFrom" in found || !studyTokens.has(found.studyToken)) continue;
          ranges.push({ pack: found.pack, from: found.start, to: found.endPosition });
        }
        if (ranges.length > 0) await objects.discard(ranges);
      }
    }
  };
  const resume = async (): Promise<void> => {
    // One that is held by now stays as far as it is still there, and is gone on with when it is released.
    const open = fates.unfinished().filter((studyToken) => !fates.isHeld(studyToken));
    if (open.length === 0) return;
    await discardAllOf(new Set(open));
    for (const studyToken of open) await remove(studyToken);
    log.info("deletions that were interrupted have come to their end", { studies: open.length });
  };
  return {
    resume: () => turns.take(resume),
    run: () => turns.take(() => resume().then(run)),
    remove: (studyToken) => turns.take(() => remove(studyToken)),
    async close() {
      isClosed = true;
      await turns.idle();
      await time.keep().catch((error) => log.warn("the witnessed time was not kept", {}, error));
    },
  };
}

/** The same rule without its days: what it asks of a study but its age. */
const atOnce = (rule: RetentionPolicy["rules"][number]) => ({ ...rule, days: 0, from: "arrival" as const });

function unlessGone(error: unknown): undefined {
  if (!isProblem(error, "absent")) throw error;
}
