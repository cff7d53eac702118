import type { Clock } from "#base/clock";
import { Problem } from "#base/problem";

const freeFailures = 5;
const firstPauseMs = 2_000;
const longestPauseMs = 15 * 60_000;
const remembered = 10_000;

/** Slows guessing down: after five failures under a key, each further one doubles the wait, up to a quarter of an hour. */
export interface Attempts {
  /** Throws Problem `busy` while the key has to wait. */
  check(key: string): void;
  failed(key: string): void;
  succeeded(key: string): void;
}

export function createAttempts(clock: Clock): Attempts {
  const failures = new Map<string, { count: number; waitUntil: number }>();
  return {
    check(key) {
      const entry = failures.get(key);
      const waitMs = (entry?.waitUntil ?? 0) - clock.monotonicMs();
      if (waitMs <= 0) return;
      const remedy = `try again in ${Math.ceil(waitMs / 1000)} s`;
      throw new Problem("busy", "too many failed attempts", { remedy });
    },
    failed(key) {
      const count = (failures.get(key)?.count ?? 0) + 1;
      const pauseMs = count < freeFailures ? 0 : Math.min(longestPauseMs, firstPauseMs * 2 ** (count - freeFailures));
      failures.delete(key);
      failures.set(key, { count, waitUntil: clock.monotonicMs() + pauseMs });
      const oldest = failures.keys().next().value;
      if (failures.size > remembered && oldest !== undefined) failures.delete(oldest);
    },
    succeeded: (key) => failures.delete(key),
  };
}
