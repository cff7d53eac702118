/** Handle of one pending timer; stopping it twice, or after it fired, does nothing. */
export interface Timer {
  stop(): void;
}

/** The only way to time. Injected, so that a test moves the clock instead of waiting. */
export interface Clock {
  /** Wall time, epoch milliseconds. May jump. */
  now(): number;
  /** Milliseconds from an arbitrary start, never backwards, with fractions. For durations. */
  monotonicMs(): number;
  /** Calls `fire` once, `afterMs` from now. A pending timer does not keep the process alive. */
  after(afterMs: number, fire: () => void): Timer;
  /** Resolves `ms` from now. */
  sleep(ms: number): Promise<void>;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(afterMs, fire) {
    const handle = setTimeout(fire, afterMs);
    (handle as { unref?: () => void }).unref?.();
    return { stop: () => clearTimeout(handle) };
  },
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
};
