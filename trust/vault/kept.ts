/** The values used last, up to a number: older ones are let go. */
export interface Kept<Value> {
  get(name: string): Value | undefined;
  put(name: string, value: Value): void;
  delete(name: string): void;
  clear(): void;
}

export function createKept<Value>(most: number): Kept<Value> {
  const kept = new Map<string, Value>();
  return {
    get(name) {
      const value = kept.get(name);
      if (value === undefined) return undefined;
      kept.delete(name);
      kept.set(name, value);
      return value;
    },
    put(name, value) {
      kept.delete(name);
      kept.set(name, value);
      if (kept.size > most) kept.delete(kept.keys().next().value as string);
    },
    delete: (name) => void kept.delete(name),
    clear: () => kept.clear(),
  };
}
