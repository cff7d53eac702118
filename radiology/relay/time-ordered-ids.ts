import type { Clock } from "#base/clock";

const countMost = 0xffff;

export interface TimeOrderedIds {
  next(): string;
  /** All that come now come behind this one, whatever the clock was set to since it was made. */
  startAfter(id: string): void;
}

/** Ids of 32 hexadecimal digits that come in the order in which they were made, in this process and after it; the second half is random. */
export function timeOrderedIds(clock: Pick<Clock, "now">, token: () => string): TimeOrderedIds {
  let last = 0;
  let count = 0;
  return {
    next() {
      // A clock that is set back does not undo the order.
      const now = Math.max(clock.now(), last);
      count = now === last ? count + 1 : 0;
      last = now;
      if (count > countMost) {
        last++;
        count = 0;
      }
      return last.toString(16).padStart(12, "0") + count.toString(16).padStart(4, "0") + token().slice(0, 16);
    },
    startAfter(id) {
      last = Math.max(last, Number.parseInt(id.slice(0, 12), 16) + 1);
    },
  };
}
