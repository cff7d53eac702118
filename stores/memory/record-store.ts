import type { RecordChange, RecordRow, RecordStore } from "#trust/vault";
import { type Failing, withFailures } from "./failing.ts";

export function createMemoryRecordStore(): RecordStore & Failing {
  const held = new Map<string, RecordRow>();
  const keyOf = ({ kind, id }: Pick<RecordRow, "kind" | "id">) => `${kind}\0${id}`;
  const named = (change: RecordChange) => keyOf("put" in change ? change.put : change.remove);
  const copyOf = (row: RecordRow): RecordRow => ({ ...row, sealed: Uint8Array.from(row.sealed) });
  const ofKind = (kind: string) =>
    [...held.values()].filter((row) => row.kind === kind).sort((a, b) => (a.id < b.id ? -1 : 1));
  return withFailures<RecordStore>({
    async get(kind, id) {
      const row = held.get(keyOf({ kind, id }));
      return row && copyOf(row);
    },
    list: async (kind, after, limit) =>
      ofKind(kind)
        .filter(({ id }) => id > after)
        .slice(0, limit)
        .map(copyOf),
    due: async (kind, until, limit) =>
      ofKind(kind)
        .filter(({ dueAt }) => dueAt !== undefined && dueAt <= until)
        .sort((a, b) => (a.dueAt ?? 0) - (b.dueAt ?? 0))
        .slice(0, limit)
        .map(copyOf),
    async change(changes) {
      if (changes.some((change) => (held.get(named(change))?.version ?? 0) !== change.replaces)) return false;
      for (const change of changes) {
        if ("put" in change) held.set(named(change), copyOf(change.put));
        else held.delete(named(change));
      }
      return true;
    },
  });
}
