import type { Clock } from "#base/clock";
import type { Log } from "#base/log";
import type { Indexed, Indexer } from "./indexer.ts";
import type { StudyIndex, StudyRow } from "./study-index.ts";

/** A study that is receiving images is told about at most this often. */
const tellEveryMs = 1_000;

/** Tells who watches which studies are new or have changed. */
export interface Changes {
  /** Returns how to stop watching. */
  watch(listener: (study: StudyRow) => void): () => void;
}

export function createChanges(parts: { indexer: Indexer; index: StudyIndex; clock: Clock; log: Log }): Changes {
  const { indexer, index, clock, log } = parts;
  const listeners = new Set<(study: StudyRow) => void>();
  const changed = new Set<string>();
  let telling = false;
  let lastToldMs = Number.NEGATIVE_INFINITY;

  const tell = async (): Promise<void> => {
    const uids = [...changed];
    changed.clear();
    lastToldMs = clock.monotonicMs();
    for (const uid of uids) {
      const study = listeners.size > 0 ? await index.study(uid) : undefined;
      if (study !== undefined) for (const listener of listeners) listener(study);
    }
  };

  const tellSoon = (): void => {
    if (telling || changed.size === 0) return;
    telling = true;
    clock.after(Math.max(0, lastToldMs + tellEveryMs - clock.monotonicMs()), () => {
      tell()
        .catch((error) => log.warn("watchers were not told of a changed study", {}, error))
        .finally(() => {
          telling = false;
          tellSoon();
        });
    });
  };

  indexer.onIndexed((batch: readonly Indexed[]) => {
    if (listeners.size === 0) return;
    for (const { record } of batch) changed.add(record.studyUid);
    tellSoon();
  });

  return {
    watch(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
