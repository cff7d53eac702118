/** Switches on a store in memory, for tests of what stands on it. */
export interface Failing {
  /** The next call, or the next call of this name, rejects with `error`, having changed nothing. */
  failNext(error: Error, method?: string): void;
}

/** The same store with switches. */
export function withFailures<T extends object>(store: T): T & Failing {
  const failures: { error: Error; method: string | undefined }[] = [];
  const switched: Record<string, unknown> = {};
  for (const [name, method] of Object.entries(store)) {
    if (typeof method !== "function") throw new TypeError(`${name} is not a method`);
    switched[name] = (...args: unknown[]) => {
      const at = failures.findIndex((failure) => (failure.method ?? name) === name);
      const failure = failures[at];
      if (failure === undefined) return method(...args);
      failures.splice(at, 1);
      return Promise.reject(failure.error);
    };
  }
  return { ...(switched as T), failNext: (error, method) => failures.push({ error, method }) };
}
