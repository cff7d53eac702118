import type { Clock } from "#base/clock";
import { Problem } from "#base/problem";

/** Keeps background work on bytes to a rate, and ends its waiting at once when it is to stop. */
export interface Pace {
  /** To be called with what is about to be read; resolves when its time has come. Problem "unavailable" once stopped. */
  spend(bytes: number): Promise<void>;
  /** So long, or until stopped. */
  rest(ms: number): Promise<void>;
  /** Waits until `resume`. */
  pause(): void;
  resume(): void;
  isPaused(): boolean;
  stop(): void;
  isStopped(): boolean;
}

export function createPace(options: { readonly clock: Clock; readonly bytesPerSecond: number }): Pace {
  const { clock, bytesPerSecond } = options;
  let freeAt = clock.monotonicMs();
  let isStopped = false;
  let paused: PromiseWithResolvers<void> | undefined;
  const waking = new Set<() => void>();

  const wait = (ms: number) =>
    new Promise<void>((resolve) => {
      // What is shorter than a timer can be is made up for by the next.
      if (isStopped || ms < 1) return resolve();
      const wake = () => {
        timer.stop();
        waking.delete(wake);
        resolve();
      };
      const timer = clock.after(ms, wake);
      waking.add(wake);
    });
  return {
    async spend(bytes) {
      if (paused !== undefined && !isStopped) await paused.promise;
      const now = clock.monotonicMs();
      const early = freeAt - now;
      freeAt = Math.max(freeAt, now) + (bytes / bytesPerSecond) * 1000;
      await wait(early);
      if (isStopped) throw new Problem("unavailable", "background work was stopped");
    },
    rest: wait,
    pause() {
      paused ??= Promise.withResolvers<void>();
    },
    resume() {
      paused?.resolve();
      paused = undefined;
    },
    isPaused: () => paused !== undefined,
    stop() {
      isStopped = true;
      paused?.resolve();
      for (const wake of [...waking]) wake();
    },
    isStopped: () => isStopped,
  };
}
