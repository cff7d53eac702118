/** A counter of free permits; who finds none waits, first come first served. */
export interface Permits {
  take(): Promise<void>;
  /** Once for each that was taken. */
  give(): void;
}

/** For what is held from one call to another. Work that ends where it begins takes its turn (`createTurns`). */
export function createPermits(count: number): Permits {
  let free = count;
  const waiting: (() => void)[] = [];
  return {
    take() {
      if (free > 0) {
        free--;
        return Promise.resolve();
      }
      return new Promise((resolve) => waiting.push(resolve));
    },
    give() {
      const next = waiting.shift();
      if (next === undefined) free++;
      else next();
    },
  };
}
