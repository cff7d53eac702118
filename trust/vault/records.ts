import { createHmac } from "node:crypto";
import { Problem } from "#base/problem";
import type { RecordChange, RecordRow, RecordStore } from "./record-store.ts";
import type { Vault } from "./vault.ts";

/** One record, opened. */
export interface Kept<T> {
  readonly id: string;
  readonly version: number;
  readonly dueAt: number | undefined;
  readonly value: T;
}

/**
 * Small records of one kind, each sealed for itself: what a facility's work needs beside images (orders for a scanner, steps that were
 * performed, what is still to be sent). A value is whatever JSON holds, up to 1 MiB of it.
 */
export interface Shelf<T> {
  get(id: string): Promise<Kept<T> | undefined>;
  /** In order of their ids, read in pages. */
  all(): AsyncIterable<Kept<T>>;
  /** Those whose time has come, the longest due first. */
  due(until: number, limit: number): Promise<Kept<T>[]>;
  /** For `Records.change`: a new record, or another value of `known`. Without `dueAt` it is never due. */
  put(id: string, value: T, more?: { readonly known?: Kept<T> | undefined; readonly dueAt?: number }): RecordChange;
  remove(known: Kept<T>): RecordChange;
}

export interface Records {
  /** The shelf of a kind: a short fixed word. */
  shelf<T>(kind: string): Shelf<T>;
  /** A record id that stands for a text that identifies (a UID, an accession number): a keyed digest, 32 hexadecimal digits. */
  idOf(kind: string, text: string): string;
  /** All of them or none. False when a record is not the one that was known: somebody changed it meanwhile; look again. */
  change(...changes: readonly RecordChange[]): Promise<boolean>;
}

const recordBytesMax = 1024 * 1024;
const pageRecords = 500;

/** Records of one tenant. A record that was exchanged for another, or for one of another version, opens with Problem "damaged". */
export function createRecords({
  store,
  vault,
}: {
  store: RecordStore;
  vault: Pick<Vault, "secrets" | "derive">;
}): Records {
  const idKey = vault.derive("record ids", 32);
  const purposeOf = ({ kind, id, version }: Pick<RecordRow, "kind" | "id" | "version">) =>
    `record ${kind} ${id} ${version}`;

  const open = <T>(row: RecordRow): Kept<T> => {
    const text = vault.secrets.open(purposeOf(row), row.sealed).toString("utf8");
    return { id: row.id, version: row.version, dueAt: row.dueAt, value: JSON.parse(text) as T };
  };

  return {
    shelf<T>(kind: string): Shelf<T> {
      return {
        async get(id) {
          const row = await store.get(kind, id);
          return row && open(row);
        },
        async *all() {
          for (let after = ""; ; ) {
            const rows = await store.list(kind, after, pageRecords);
            for (const row of rows) yield open<T>(row);
            const last = rows.at(-1);
            if (last === undefined || rows.length < pageRecords) return;
            after = last.id;
          }
        },
        due: async (until, limit) => (await store.due(kind, until, limit)).map((row) => open<T>(row)),
        put(id, value, { known, dueAt } = {}) {
          const replaces = known?.version ?? 0;
          const head = { kind, id, version: replaces + 1 };
          const text = Buffer.from(JSON.stringify(value), "utf8");
          if (text.length > recordBytesMax) throw new Problem("too-large", "a record is larger than records may be");
          return { replaces, put: { ...head, dueAt, sealed: vault.secrets.seal(purposeOf(head), text) } };
        },
        remove: (known) => ({ replaces: known.version, remove: { kind, id: known.id } }),
      };
    },
    idOf: (kind, text) => createHmac("sha256", idKey).update(`${kind}\0${text}`).digest("hex").slice(0, 32),
    change: (...changes) => store.change(changes),
  };
}
