import type { Interruption } from "./requests.ts";

/** Whether a request that is being worked on is to end early. */
export interface Interruptions {
  why(): Interruption | undefined;
  /** Aborted by the first interruption. */
  readonly signal: AbortSignal;
  /** The promise, or undefined as soon as there is an interruption. Its rejection after that is nobody's. */
  or<T>(promise: Promise<T>): Promise<T | undefined>;
  interrupt(why: Interruption): void;
}

export function createInterruptions(): Interruptions {
  const waiting = new Set<() => void>();
  const ending = new AbortController();
  let why: Interruption | undefined;
  return {
    why: () => why,
    signal: ending.signal,
    or<T>(promise: Promise<T>) {
      return new Promise<T | undefined>((resolve, reject) => {
        const wake = () => resolve(undefined);
        if (why) wake();
        else waiting.add(wake);
        promise.then(resolve, reject).finally(() => waiting.delete(wake));
      });
    },
    interrupt(reason) {
      why = reason;
      for (const wake of waiting) wake();
      waiting.clear();
      ending.abort();
    },
  };
}
