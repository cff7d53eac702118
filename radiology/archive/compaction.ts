import type { Clock } from "#base/clock";
import type { Log } from "#base/log";
import { isProblem } from "#base/problem";
import { createTurns } from "#base/turns";
import type { Compacting, Half, ObjectMove, PackState, SealedObjects } from "#trust/vault";
import { createPace } from "./scrub-pace.ts";

/** One store of sealed objects, and who knows of what is in it. */
export interface CompactedStore {
  readonly half: Half;
  readonly objects: SealedObjects;
  /** As `Compacting.keeps`: false for what was deleted on purpose, Problem "damaged" for what does not prove. */
  readonly keeps: Compacting["keeps"];
  /** As `Compacting.moved`: relocates in the index, and marks the new pack as taken in. */
  readonly moved: Compacting["moved"];
  /**
   * Whether all that the pack holds is in the index. Before, an object on its way there would arrive with the place of a pack that is
   * gone by then.
   */
  isTakenIn(pack: PackState): Promise<boolean>;
}

export interface CompactionSummary {
  readonly packs: number;
  readonly objects: number;
  readonly freedBytes: number;
  /** Packs that hold something damaged: they wait for the scrub, or for whoever gives it up. */
  readonly damagedPacks: number;
}

/** Gives back the room of what was discarded. */
export interface Compaction {
  /** First ends what the last process left half done, then compacts packs that are worth it. To be called every few minutes. */
  run(): Promise<CompactionSummary>;
  /** Every pack in which something was discarded, whatever it costs: for who wants to see it gone. */
  runAll(): Promise<CompactionSummary>;
  close(): Promise<void>;
}

export interface CompactionParts {
  readonly stores: readonly CompactedStore[];
  readonly clock: Clock;
  readonly log: Log;
  readonly bytesPerSecond: number;
  /** Less than this in a pack is left where it is: everything else in the pack would have to be written again. */
  readonly discardedShareMin?: number;
  readonly discardedBytesMin?: number;
  /**
   * For so long nothing may have come into a pack, by what `run` has seen. An instance is on its way from its pack to the index for
   * milliseconds; one that arrived there with the place of a pack that is gone would be lost to the next process.
   */
  readonly quietMs?: number;
}

export function createCompaction(parts: CompactionParts): Compaction {
  const { stores, clock, log, discardedShareMin = 0.25, discardedBytesMin = 16 * 1024 * 1024 } = parts;
  const { quietMs = 10 * 60 * 1000 } = parts;
  const pace = createPace(parts);
  /** The one that waits or is under way for whoever calls every few minutes. */
  let running: Promise<CompactionSummary> | undefined;
  const turns = createTurns();

  const seen = new Map<string, { readonly endPosition: number; readonly atMs: number }>();

  const isQuiet = (half: Half, { pack, endPosition, isMoving }: PackState): boolean => {
    const name = `${half} ${pack}`;
    const before = seen.get(name);
    if (before?.endPosition !== endPosition) seen.set(name, { endPosition, atMs: clock.monotonicMs() });
    return isMoving || clock.monotonicMs() - (seen.get(name)?.atMs ?? 0) >= quietMs;
  };
  const isWorthIt = ({ discardedBytes, endPosition, isEnded, isMoving }: PackState): boolean => {
    if (isMoving || (isEnded && discardedBytes > 0 && discardedBytes === endPosition)) return true;
    return discardedBytes >= discardedBytesMin && discardedBytes >= endPosition * discardedShareMin;
  };
  const compactOne = async (store: CompactedStore, state: PackState, sum: Sum): Promise<void> => {
    const { half, objects } = store;
    const { pack } = state;
    try {
      if (!(await store.isTakenIn(state))) return;
      const compacted = await objects.compact(pack, {
        async keeps(found) {
          await pace.spend(found.endPosition - found.start);
          return store.keeps(found);
        },
        moved: (moves: readonly ObjectMove[], into) => store.moved(moves, into),
      });
      if (compacted.damaged.length > 0) {
        sum.damagedPacks++;
        log.error("a pack is not compacted: something in it does not prove", { half, pack });
        return;
      }
      sum.packs++;
      sum.objects += compacted.objects;
      sum.freedBytes += compacted.freedBytes;
    } catch (error) {
      if (pace.isStopped()) throw error;
      // It is as it was, and its turn comes again.
      if (isProblem(error, "busy") || isProblem(error, "absent")) return;
      log.warn("a pack could not be compacted", { half, pack }, error);
    }
  };
  const run = async (which: "worth it" | "all"): Promise<CompactionSummary> => {
    const sum: Sum = { packs: 0, objects: 0, freedBytes: 0, damagedPacks: 0 };
    for (const store of stores) {
      const all = await store.objects.packs();
      for (const name of [...seen.keys()]) {
        const isThere = all.some(({ pack }) => name === `${store.half} ${pack}`);
        if (name.startsWith(`${store.half} `) && !isThere) seen.delete(name);
      }
      const quiet = all.filter((state) => isQuiet(store.half, state));
      const states = which === "all" ? all.filter(holdsDiscarded) : quiet.filter(isWorthIt);
      // Most room first: it may be what the next one needs for its copy.
      states.sort((a, b) => Number(b.isMoving) - Number(a.isMoving) || b.discardedBytes - a.discardedBytes);
      for (const state of states) await compactOne(store, state, sum);
    }
    if (sum.packs > 0) log.info("packs were compacted", { ...sum });
    return sum;
  };
  return {
    run() {
      running ??= turns
        .take(() => run("worth it"))
        .finally(() => {
          running = undefined;
        });
      return running;
    },
    runAll: () => turns.take(() => run("all")),
    async close() {
      pace.stop();
      await turns.idle();
    },
  };
}

const holdsDiscarded = ({ discardedBytes, isMoving }: PackState) => isMoving || discardedBytes > 0;

type Sum = { -readonly [Key in keyof CompactionSummary]: CompactionSummary[Key] };
