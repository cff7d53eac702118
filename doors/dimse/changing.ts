/** Something that may have changed: who waits looks again. */
export interface Changing {
  changed(): void;
  /** Resolves with the next change. */
  next(): Promise<void>;
}

export function createChanging(): Changing {
  let change = Promise.withResolvers<void>();
  return {
    changed() {
      change.resolve();
      change = Promise.withResolvers();
    },
    next: () => change.promise,
  };
}
