import type { Clock } from "#base/clock";
import type { Log } from "#base/log";
import { createTurns } from "#base/turns";
import type { BlindMemory } from "./blind-memory.ts";

/** What the index holds in memory, and the turns in which it is changed. */
export interface Held {
  memory(): Promise<BlindMemory>;
  /** One change after the other; when it fails, memory is read again: it is not known what stands. */
  inTurn<T>(work: () => Promise<T>): Promise<T>;
  /** Forgets memory: what was read of the store is not so any more. */
  forget(): void;
  /**
   * Beside whatever else happens, unless it is under way: work in turns, which end when this memory is forgotten. What fails is
   * told to the log, and tried again when this is called half a minute later.
   */
  merge(memory: BlindMemory, work: (inTurn: Held["inTurn"]) => Promise<void>): void;
  /** After the turn that is under way. */
  close(): Promise<void>;
}

/** A list that is damaged would be met again at once. */
const retryAfterMs = 30_000;

export function createHeld(
  { clock, log }: { readonly clock: Clock; readonly log: Log },
  load: () => Promise<BlindMemory>,
  forgotten: () => void,
): Held {
  let loading: Promise<BlindMemory> | undefined;
  let current: BlindMemory | undefined;
  const turns = createTurns();
  let isMerging = false;
  let isClosed = false;
  let mergeFrom = Number.NEGATIVE_INFINITY;

  const forget = () => {
    current?.release();
    current = undefined;
    loading = undefined;
    forgotten();
  };
  const memory = (): Promise<BlindMemory> => {
    const mine = loading ?? load();
    if (loading === undefined) {
      loading = mine;
      mine.then(
        (loaded) => {
          if (loading === mine) current = loaded;
        },
        () => {
          if (loading === mine) loading = undefined;
        },
      );
    }
    return mine;
  };
  const orForget = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      forget();
      throw error;
    }
  };
  return {
    memory,
    inTurn: (work) => turns.take(() => orForget(work)),
    forget,
    merge(merged, work) {
      if (isMerging || isClosed || clock.monotonicMs() < mergeFrom) return;
      isMerging = true;
      const isOver = () => isClosed || current !== merged;
      const inTurnOfMemory: Held["inTurn"] = (slice) =>
        turns.take(async () => {
          if (isOver()) throw new Error("there is nothing to merge any more");
          return orForget(slice);
        });
      const failed = (error: unknown) => {
        if (isClosed) return;
        mergeFrom = clock.monotonicMs() + retryAfterMs;
        log.error("the log of the index was not merged; it is tried again", {}, error);
      };
      work(inTurnOfMemory)
        .catch(failed)
        .finally(() => {
          isMerging = false;
        });
    },
    async close() {
      isClosed = true;
      await turns.idle();
      forget();
    },
  };
}
