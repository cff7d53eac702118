import type { PackMark } from "./study-index.ts";

/** An object of a pack that is on stable storage, on its way into the index. */
export interface Arrival {
  readonly mark: PackMark;
  /** It is in the index, or never will be: nobody was told that it was stored. */
  isSettled: boolean;
}

/**
 * Knows how far the index holds all of each pack. Objects that share a sync are acknowledged in any order, as the log's entry
 * of each becomes durable; a mark must not pass one that waits, or a crash between the two would keep that one from the index.
 */
export interface Arrivals {
  /** To be called as soon as the object is on stable storage, before it is acknowledged. */
  add(mark: PackMark): Arrival;
  /** The marks that hold once `batch` is in the index as well. */
  marksWith(batch: readonly Arrival[]): PackMark[];
  settle(batch: readonly Arrival[]): void;
  /** All that are not settled. */
  waiting(): Arrival[];
}

export function createArrivals(): Arrivals {
  /** Of each pack, in the order in which they lie; those in front that are settled are let go. */
  const lines = new Map<string, Arrival[]>();

  return {
    add(mark) {
      const arrival = { mark, isSettled: false };
      const line = lines.get(mark.pack) ?? [];
      lines.set(mark.pack, line);
      let at = line.length;
      while (at > 0 && (line[at - 1] as Arrival).mark.position > mark.position) at--;
      line.splice(at, 0, arrival);
      return arrival;
    },
    marksWith(batch) {
      const taken = new Set(batch);
      return [...new Set(batch.map(({ mark }) => mark.pack))].flatMap((pack) => {
        const line = lines.get(pack) ?? [];
        const waiting = line.findIndex((arrival) => !arrival.isSettled && !taken.has(arrival));
        const last = line[(waiting < 0 ? line.length : waiting) - 1];
        return last === undefined ? [] : [last.mark];
      });
    },
    settle(batch) {
      for (const arrival of batch) arrival.isSettled = true;
      for (const pack of new Set(batch.map(({ mark }) => mark.pack))) {
        const line = lines.get(pack) ?? [];
        const waiting = line.findIndex(({ isSettled }) => !isSettled);
        if (waiting < 0) lines.delete(pack);
        else line.splice(0, waiting);
      }
    },
    waiting: () => [...lines.values()].flat().filter(({ isSettled }) => !isSettled),
  };
}
