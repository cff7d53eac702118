import type { Clock } from "#base/clock";
import { Problem } from "#base/problem";

/** How guessing is slowed down: so many failures are free, each further one doubles the wait up to the longest. */
export interface Slowing {
  readonly free: number;
  readonly firstPauseMs: number;
  readonly longestPauseMs: number;
}

/** One thing that guesses are counted under. */
export interface Counted {
  readonly key: string;
  readonly slowing: Slowing;
}

export interface Attempts {
  /**
   * Does one attempt, which resolves to undefined when it failed. Counted before it is made, so that many at once are no way round. Rejects
   * with Problem `busy`, making none, while any of the keys has to wait.
   */
  make<T>(counted: readonly Counted[], attempt: () => Promise<T | undefined>): Promise<T | undefined>;
}

const remembered = 10_000;
/** Failures are forgotten when there was none for so long. */
const forgottenAfterMs = 60 * 60_000;

interface Failures {
  readonly count: number;
  readonly at: number;
  readonly waitUntil: number;
}

export function createAttempts(clock: Clock): Attempts {
  const failures = new Map<string, Failures>();
  const check = ({ key }: Counted) => {
    const waitMs = (failures.get(key)?.waitUntil ?? 0) - clock.monotonicMs();
    if (waitMs <= 0) return;
    throw new Problem("busy", "too many failed attempts", { remedy: `try again in ${Math.ceil(waitMs / 1000)} s` });
  };
  const count = ({ key, slowing }: Counted) => {
    const at = clock.monotonicMs();
    const before = failures.get(key);
    const counted = before === undefined || before.at + forgottenAfterMs < at ? 1 : before.count + 1;
    const { free, firstPauseMs, longestPauseMs } = slowing;
    const pauseMs = counted < free ? 0 : Math.min(longestPauseMs, firstPauseMs * 2 ** (counted - free));
    failures.delete(key);
    failures.set(key, { count: counted, at, waitUntil: at + pauseMs });
    const oldest = failures.keys().next().value;
    if (failures.size > remembered && oldest !== undefined) failures.delete(oldest);
  };
  return {
    async make(counted, attempt) {
      for (const one of counted) check(one);
      for (const one of counted) count(one);
      const made = await attempt();
      if (made !== undefined) for (const { key } of counted) failures.delete(key);
      return made;
    },
  };
}
