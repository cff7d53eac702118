import type { Log } from "#base/log";
import type { RecoveredObject, SealedPlace, Vault } from "#trust/vault";
import type { Arrival } from "./arrivals.ts";
import type { Corrections, FoundCorrection } from "./corrections.ts";
import type { Indexer } from "./indexer.ts";
import type { MissingEntries } from "./missing-entries.ts";
import { parseStored, type StoredRecord } from "./stored-record.ts";
import type { InstanceRecord, PackMark, StudyIndex } from "./study-index.ts";

export interface RecoverySummary {
  readonly objects: number;
  readonly instances: number;
  /**
   * Identity halves whose image half is not there: a crash between the two, before anybody was told that it is stored; in a
   * rebuild also an image half that was lost.
   */
  readonly withoutImage: number;
}

type StoredInstance = Extract<StoredRecord, { kind: "instance" }>;

interface Waiting {
  readonly object: RecoveredObject;
  readonly stored: StoredInstance;
  /** Keeps the mark of its pack behind it until it is in the index, or known to be nowhere. */
  readonly arrival: Arrival;
}

/** Takes what the identity store holds behind some marks into the index, each with its image half. */
export async function takeIn(
  parts: {
    readonly vault: Vault;
    readonly index: StudyIndex;
    readonly indexer: Indexer;
    readonly corrections: Corrections;
    readonly entries: MissingEntries;
    readonly log: Log;
  },
  from: ReadonlyMap<string, number>,
  progress: (objects: number) => void,
): Promise<RecoverySummary> {
  const { vault, index, indexer, log } = parts;
  let objects = 0;
  let instances = 0;
  const reached = new Map<string, PackMark>();
  const moved: Waiting[] = [];
  const corrected: FoundCorrection[] = [];

  const take = async ({ object, stored, arrival }: Waiting, image: SealedPlace): Promise<void> => {
    instances++;
    await parts.entries.makeFor({ id: stored.image.id, receivedAt: stored.record.receivedAt });
    await indexer.push(recordOf(object, stored, image), arrival);
  };
  for await (const object of vault.recover(from)) {
    objects++;
    const stored = parseStored(object);
    const mark = { pack: object.place.pack, position: object.endPosition };
    if (stored?.kind === "instance") {
      const { image } = stored;
      const waiting = { object, stored, arrival: indexer.arrived(mark) };
      if ((await vault.imageAt(image.place)) === image.id) await take(waiting, image.place);
      else moved.push(waiting);
    } else if (stored?.kind === "series-blob") {
      await indexer.settled();
      const { studyUid, seriesUid, instanceCount, corrections = 0, instances } = stored;
      await index.putSeriesBlob(studyUid, seriesUid, { place: object.place, instanceCount }, corrections, instances);
    } else if (stored?.kind === "correction") {
      corrected.push({ studyToken: object.studyToken, stored, arrival: indexer.arrived(mark) });
    }
    reached.set(mark.pack, mark);
    progress(objects);
  }
  const nowhere = await findMoved(vault, moved, take);
  for (const { arrival } of nowhere) indexer.drop(arrival);
  const withoutImage = nowhere.length;
  await indexer.settled();
  // Packs are read one after the other: a correction may come before the instances that it is about.
  await parts.corrections.takeUp(corrected);
  // Also past what is no instance, or every start would read it again.
  if (reached.size > 0) await index.add([], [...reached.values()]);
  if (withoutImage > 0) log.warn("identity halves without an image half were passed over", { count: withoutImage });
  return { objects, instances, withoutImage };
}

/** Those whose image half compaction has put elsewhere are found by its token; gives back those that are nowhere. */
async function findMoved(
  vault: Vault,
  moved: readonly Waiting[],
  take: (waiting: Waiting, image: SealedPlace) => Promise<void>,
): Promise<Waiting[]> {
  if (moved.length === 0) return [];
  const wanted = new Map(moved.map((waiting) => [waiting.stored.image.id, waiting]));
  for await (const { id, place } of vault.images()) {
    const waiting = wanted.get(id);
    if (waiting === undefined || (await vault.imageAt(place)) !== id) continue;
    wanted.delete(id);
    await take(waiting, place);
    if (wanted.size === 0) break;
  }
  return [...wanted.values()];
}

function recordOf(object: RecoveredObject, stored: StoredInstance, image: SealedPlace): InstanceRecord {
  const { studyToken, place } = object;
  return { ...stored.record, id: stored.image.id, studyToken, places: { image, identity: place } };
}
