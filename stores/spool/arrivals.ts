import type { Clock, Timer } from "#base/clock";
import type { Log } from "#base/log";
import { putBackMsMost, type Urgency, urgencies } from "#radiology/uplink";

/** Tells who waits that there may be something to take. */
export interface Arrivals {
  listen(listener: () => void): () => void;
  /** Of one urgency, or of any. */
  tell(urgency?: Urgency): void;
  /** How often something of an urgency may have come: while it stays the same there is nothing new to take. */
  count(urgency: Urgency): number;
  /** When this time has come. */
  tellAt(time: number): void;
  /** From now on also of what was put back for later by a former process. */
  watch(): Promise<void>;
  stop(): void;
}

/** A timer runs at most so long: the wall clock may be set meanwhile. */
const timerMsMost = 60_000;

export function createArrivals(parts: {
  readonly clock: Clock;
  readonly log: Log;
  /** When the next of those put back is due. */
  readonly nextDue: () => Promise<number | undefined>;
}): Arrivals {
  const { clock, log, nextDue } = parts;
  const listeners = new Set<() => void>();
  let timer: { readonly timer: Timer; readonly due: number } | undefined;
  const counts = new Map<Urgency, number>();
  let isStopped = false;

  const count = (urgency: Urgency) => counts.get(urgency) ?? 0;
  const tell = (urgency?: Urgency) => {
    for (const each of urgency === undefined ? urgencies : [urgency]) counts.set(each, count(each) + 1);
    if (!isStopped) for (const listener of listeners) listener();
  };
  const watch = async () => {
    const due = await nextDue();
    if (due !== undefined) tellAt(due);
  };
  const tellAt = (due: number) => {
    if (isStopped || (timer !== undefined && timer.due <= due)) return;
    timer?.timer.stop();
    const afterMs = Math.min(timerMsMost, Math.max(0, due - clock.now()));
    timer = { due, timer: clock.after(afterMs, () => fire(due)) };
  };
  const fire = (due: number) => {
    timer = undefined;
    const early = due - clock.now();
    if (early > 0 && early <= putBackMsMost) return tellAt(due);
    tell();
    // Those whose time has come are not found any more once they were asked for; the next is looked for a little later.
    timer = {
      due: clock.now() + 1000,
      timer: clock.after(1000, () => {
        timer = undefined;
        watch().catch((error) => log.warn("when parcels are due is not known", {}, error));
      }),
    };
  };
  return {
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    tell,
    count,
    tellAt,
    watch,
    stop() {
      isStopped = true;
      timer?.timer.stop();
    },
  };
}
