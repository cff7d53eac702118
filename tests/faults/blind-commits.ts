import type { BlindChange, BlindStore } from "#radiology/archive";
import { createMemoryBlindStore } from "#stores/memory";

/** One transaction: it comes to the disk at some moment between two steps of the trace. */
interface Commit {
  readonly begunAt: number;
  endedAt: number;
  readonly does: readonly ((rows: BlindChange) => Promise<void>)[];
}

/**
 * The database of the index, which SQL keeps on files of its own: after a crash its transactions are there in their order, each
 * that had ended for certain.
 */
export interface BlindCommits {
  readonly store: BlindStore;
  /** How many there are after a crash behind so many steps: at least, and at most. */
  standingAt(steps: number): { readonly least: number; readonly most: number };
  /** A store as of the first `count` transactions. */
  asOf(count: number): Promise<BlindStore>;
  /** Does all of them again. */
  redo(rows: BlindChange, count?: number): Promise<void>;
}

/** `position` gives the length of the trace. */
export function createBlindCommits(position: () => number): BlindCommits {
  const inner = createMemoryBlindStore();
  const commits: Commit[] = [];
  const redo = async (rows: BlindChange, count = commits.length) => {
    for (const { does } of commits.slice(0, count)) for (const each of does) await each(rows);
  };
  return {
    redo,
    store: {
      ...inner,
      async change(work) {
        let commit: Commit | undefined;
        const result = await inner.change(async (rows) => {
          const does: ((rows: BlindChange) => Promise<void>)[] = [];
          const worked = await work(noting(rows, does));
          if (does.length > 0) {
            commit = { begunAt: position(), endedAt: Number.POSITIVE_INFINITY, does };
            commits.push(commit);
            await new Promise<void>((resolve) => setImmediate(resolve));
          }
          return worked;
        });
        if (commit !== undefined) commit.endedAt = position();
        return result;
      },
    },
    standingAt: (steps) => ({
      least: commits.filter(({ endedAt }) => endedAt <= steps).length,
      most: commits.filter(({ begunAt }) => begunAt <= steps).length,
    }),
    async asOf(count) {
      const store = createMemoryBlindStore();
      await store.change((rows) => redo(rows, count));
      return store;
    },
  };
}

function noting(rows: BlindChange, does: ((rows: BlindChange) => Promise<void>)[]): BlindChange {
  const note = (act: (rows: BlindChange) => Promise<void>) => {
    does.push(act);
    return act(rows);
  };
  return {
    ...rows,
    put: (given) => note((to) => to.put(given)),
    removeStudy: (studyId) => note((to) => to.removeStudy(studyId)),
    removeConflicts: (ids) => note((to) => to.removeConflicts(ids)),
    removeBlocks: (name, below) => note((to) => to.removeBlocks(name, below)),
    relocate: (half, moves) => note((to) => to.relocate(half, moves)),
    clear: () => note((to) => to.clear()),
  };
}
