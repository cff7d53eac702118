/** A value that components watch: `useSyncExternalStore(store.watch, store.get)`. */
export interface Store<Value> {
  get(): Value;
  change(part: Partial<Value>): void;
  watch(listener: () => void): () => void;
}

export function createStore<Value extends object>(initial: Value): Store<Value> {
  let value = initial;
  const listeners = new Set<() => void>();
  return {
    get: () => value,
    change(part) {
      const keys = Object.keys(part) as (keyof Value)[];
      if (keys.every((key) => Object.is(value[key], part[key]))) return;
      value = { ...value, ...part };
      for (const listener of listeners) listener();
    },
    watch(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
