/** Work that is done one after the other: whatever looks before it changes. */
export interface Turns {
  /** Begins the work when all that was taken before has ended, well or not, and gives what it gives. Never at once. */
  take<T>(work: () => T | Promise<T>): Promise<T>;
  /** Resolves when all that was taken before has ended. */
  idle(): Promise<void>;
}

export function createTurns(): Turns {
  let last = Promise.resolve();
  return {
    take(work) {
      const turn = last.then(work);
      // Without its result, which would else be held until the next turn.
      last = turn.then(nothing, nothing);
      return turn;
    },
    idle: () => last,
  };
}

/** Turns for each of many keys: work on one waits for nothing that is done on another. */
export interface KeyedTurns {
  /** As of `Turns`, among the work on this key. */
  take<T>(key: string, work: () => T | Promise<T>): Promise<T>;
  /** Resolves when all that was taken before has ended, whatever its key. */
  idle(): Promise<void>;
}

/** Holds a key while something is done or waits on it, and no longer. */
export function createKeyedTurns(): KeyedTurns {
  const lines = new Map<string, { readonly turns: Turns; taken: number }>();
  return {
    take(key, work) {
      const line = lines.get(key) ?? { turns: createTurns(), taken: 0 };
      lines.set(key, line);
      line.taken++;
      return line.turns.take(async () => {
        try {
          return await work();
        } finally {
          if (--line.taken === 0) lines.delete(key);
        }
      });
    },
    async idle() {
      await Promise.all([...lines.values()].map(({ turns }) => turns.idle()));
    },
  };
}

const nothing = (): void => {};
