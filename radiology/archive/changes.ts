import type { Clock } from "#base/clock";
import type { Log } from "#base/log";
import type { Indexed, Indexer } from "./indexer.ts";

/** A study that is receiving images is told about at most this often. */
const tellEveryMs = 1_000;

/** Tells who watches which studies are new or have changed, by their tokens: who they are is asked for with a right to know. */
export interface Changes {
  /** Returns how to stop watching. */
  watch(listener: (studyToken: string) => void): () => void;
}

export interface ToldChanges extends Changes {
  /** A study was changed otherwise than by what has arrived. */
  changed(studyToken: string): void;
}

export function createChanges(parts: { indexer: Indexer; clock: Clock; log: Log }): ToldChanges {
  const { indexer, clock, log } = parts;
  const listeners = new Set<(studyToken: string) => void>();
  const changed = new Set<string>();
  let telling = false;
  let lastToldMs = Number.NEGATIVE_INFINITY;

  const tell = (): void => {
    const tokens = [...changed];
    changed.clear();
    lastToldMs = clock.monotonicMs();
    for (const token of tokens) for (const listener of listeners) listener(token);
  };

  const tellSoon = (): void => {
    if (telling || changed.size === 0) return;
    telling = true;
    clock.after(Math.max(0, lastToldMs + tellEveryMs - clock.monotonicMs()), () => {
      try {
        tell();
      } catch (error) {
        log.warn("watchers were not told of a changed study", {}, error);
      }
      telling = false;
      tellSoon();
    });
  };

  const note = (studyTokens: readonly string[]): void => {
    if (listeners.size === 0) return;
    for (const token of studyTokens) changed.add(token);
    tellSoon();
  };
  indexer.onIndexed((batch: readonly Indexed[]) => note(batch.map(({ record }) => record.studyToken)));

  return {
    changed: (studyToken) => note([studyToken]),
    watch(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
