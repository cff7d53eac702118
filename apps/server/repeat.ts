import type { Clock, Timer } from "#base/clock";
import type { Log } from "#base/log";

/** Does work again and again, each time so long after the last has ended; what fails is logged and tried at the next. */
export function repeat(parts: {
  readonly clock: Clock;
  readonly log: Log;
  readonly what: string;
  /** Until the first; as long as between two when absent. */
  readonly firstMs?: number;
  readonly everyMs: number;
  readonly work: () => Promise<unknown>;
}): Timer {
  const { clock, log, what, everyMs, work } = parts;
  let isStopped = false;
  const run = async () => {
    try {
      await work();
    } catch (error) {
      if (!isStopped) log.warn("work in the background failed", { what }, error);
    }
    if (!isStopped) timer = clock.after(everyMs, run);
  };
  let timer = clock.after(parts.firstMs ?? everyMs, run);
  return {
    stop() {
      isStopped = true;
      timer.stop();
    },
  };
}
