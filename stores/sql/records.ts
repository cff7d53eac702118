import type { Kysely, Transaction } from "kysely";
import type { RecordChange, RecordRow, RecordStore } from "#trust/vault";
import { storedText as text } from "./stored-text.ts";
import type { RecordTable, Tables } from "./tables.ts";

/** Small sealed records, in the access database: a table of their own. */
export function createSqlRecordStore(database: Kysely<Tables>): RecordStore {
  const ofKind = (kind: string) => database.selectFrom("records").selectAll().where("kind", "=", text(kind));
  return {
    async get(kind, id) {
      const row = await ofKind(kind).where("id", "=", text(id)).executeTakeFirst();
      return row && toRow(row);
    },
    list: async (kind, after, limit) =>
      (await ofKind(kind).where("id", ">", text(after)).orderBy("id").limit(limit).execute()).map(toRow),
    due: async (kind, until, limit) =>
      (await ofKind(kind).where("due_at", "<=", until).orderBy("due_at").orderBy("id").limit(limit).execute()).map(
        toRow,
      ),
    async change(changes) {
      try {
        await database.transaction().execute(async (tx) => {
          for (const change of changes) if (!(await made(tx, change))) throw notAsKnown;
        });
        return true;
      } catch (error) {
        if (error === notAsKnown) return false;
        throw error;
      }
    },
  };
}

/** Thrown to take a transaction back. */
const notAsKnown = new Error("a record is not as it was known");

async function made(tx: Transaction<Tables>, change: RecordChange): Promise<boolean> {
  if ("put" in change && change.replaces === 0) {
    const inserted = await tx
      .insertInto("records")
      .values(fromRow(change.put))
      .onConflict((conflict) => conflict.doNothing())
      .executeTakeFirst();
    return inserted.numInsertedOrUpdatedRows === 1n;
  }
  const { kind, id } = "put" in change ? change.put : change.remove;
  if ("put" in change) {
    const { version, due_at, sealed } = fromRow(change.put);
    const updated = await tx
      .updateTable("records")
      .set({ version, due_at, sealed })
      .where("kind", "=", text(kind))
      .where("id", "=", text(id))
      .where("version", "=", change.replaces)
      .executeTakeFirst();
    return updated.numUpdatedRows === 1n;
  }
  const removed = await tx
    .deleteFrom("records")
    .where("kind", "=", text(kind))
    .where("id", "=", text(id))
    .where("version", "=", change.replaces)
    .executeTakeFirst();
  return removed.numDeletedRows === 1n;
}

const toRow = ({ kind, id, version, due_at, sealed }: RecordTable): RecordRow => ({
  ...{ kind, id, version },
  dueAt: due_at ?? undefined,
  sealed: Uint8Array.from(sealed),
});

const fromRow = ({ kind, id, version, dueAt, sealed }: RecordRow): RecordTable => ({
  kind: text(kind),
  id: text(id),
  version,
  due_at: dueAt ?? null,
  sealed: Buffer.from(sealed),
});
