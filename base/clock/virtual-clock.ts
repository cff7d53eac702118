import type { Clock } from "./clock.ts";

/** A clock that stands still until `advance` moves it; timers fire in order of their time. */
export interface VirtualClock extends Clock {
  advance(ms: number): void;
}

export function createVirtualClock(startMs = 1_700_000_000_000): VirtualClock {
  let elapsedMs = 0;
  let serial = 0;
  const pending = new Map<number, { at: number; fire: () => void }>();

  const after: Clock["after"] = (afterMs, fire) => {
    const id = serial++;
    pending.set(id, { at: elapsedMs + Math.max(0, afterMs), fire });
    return { stop: () => pending.delete(id) };
  };

  const nextDue = (until: number) => {
    let due: [number, { at: number; fire: () => void }] | undefined;
    for (const entry of pending) {
      if (entry[1].at <= until && (due === undefined || entry[1].at < due[1].at)) due = entry;
    }
    return due;
  };

  return {
    now: () => startMs + elapsedMs,
    monotonicMs: () => elapsedMs,
    after,
    sleep: (ms) => new Promise((resolve) => after(ms, resolve)),
    advance(ms) {
      const until = elapsedMs + ms;
      for (let due = nextDue(until); due !== undefined; due = nextDue(until)) {
        pending.delete(due[0]);
        elapsedMs = due[1].at;
        due[1].fire();
      }
      elapsedMs = until;
    },
  };
}
