import type { Clock } from "#base/clock";
import type { Log, LogFields } from "#base/log";

const tellEveryMs = 10_000;

/**
 * Tells the log of what outsiders try: the first of a kind at once, those that follow by their number, so that who sends a
 * million of them does not fill the disk.
 */
export type Tally = (kind: string, fields?: LogFields) => void;

export function createTally({ clock, log }: { readonly clock: Clock; readonly log: Log }): Tally {
  const more = new Map<string, number>();
  return (kind, fields = {}) => {
    const count = more.get(kind);
    if (count !== undefined) {
      more.set(kind, count + 1);
      return;
    }
    more.set(kind, 0);
    log.warn(`refused: ${kind}`, fields);
    clock.after(tellEveryMs, () => {
      const times = more.get(kind) ?? 0;
      more.delete(kind);
      if (times > 0) log.warn(`refused again: ${kind}`, { times });
    });
  };
}
