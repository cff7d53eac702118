import type { Kysely } from "kysely";
import { Problem } from "#base/problem";
import type { Passkey, PasskeyStore } from "#trust/access";
import { storedText as text } from "./stored-text.ts";
import type { PasskeyTable, Tables } from "./tables.ts";

export function passkeys(database: Kysely<Tables>): PasskeyStore {
  return {
    addPasskey: (passkey) => insertPasskey(database, passkey),
    async passkey(id) {
      const row = await database.selectFrom("passkeys").selectAll().where("id", "=", text(id)).executeTakeFirst();
      return row === undefined ? undefined : toPasskey(row);
    },
    async passkeysOf(accountId) {
      const found = database.selectFrom("passkeys").selectAll().where("account_id", "=", text(accountId));
      return (await found.orderBy("created_at").orderBy("id").execute()).map(toPasskey);
    },
    async passkeyCounts() {
      const counted = database
        .selectFrom("passkeys")
        .select(["account_id", (of) => of.fn.countAll<number>().as("count")]);
      const rows = await counted.groupBy("account_id").execute();
      return new Map(rows.map(({ account_id, count }) => [account_id, Number(count)]));
    },
    async usePasskey({ id, counter: known }, { counter, lastUsedAt }) {
      const { numUpdatedRows } = await database
        .updateTable("passkeys")
        .set({ counter, last_used_at: lastUsedAt })
        .where("id", "=", text(id))
        .where("counter", "=", known)
        .executeTakeFirst();
      return numUpdatedRows === 1n;
    },
    async renamePasskey(accountId, id, name) {
      const { numUpdatedRows } = await database
        .updateTable("passkeys")
        .set({ name: text(name) })
        .where("id", "=", text(id))
        .where("account_id", "=", text(accountId))
        .executeTakeFirst();
      return numUpdatedRows === 1n;
    },
    async removePasskey(accountId, id) {
      const { numDeletedRows } = await database
        .deleteFrom("passkeys")
        .where("id", "=", text(id))
        .where("account_id", "=", text(accountId))
        .executeTakeFirst();
      return numDeletedRows === 1n;
    },
  };
}

/** Within the transaction that is open, or by itself. */
export async function insertPasskey(within: Kysely<Tables>, passkey: Passkey): Promise<void> {
  const { numInsertedOrUpdatedRows } = await within
    .insertInto("passkeys")
    .values(fromPasskey(passkey))
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  if (numInsertedOrUpdatedRows !== 1n) throw new Problem("conflict", "this passkey is there already");
}

const toPasskey = (row: PasskeyTable): Passkey => ({
  id: row.id,
  accountId: row.account_id,
  name: row.name,
  publicKey: Uint8Array.from(row.public_key),
  counter: row.counter,
  transports: row.transports === "" ? [] : row.transports.split(" "),
  isSynced: row.is_synced === 1,
  createdAt: row.created_at,
  lastUsedAt: row.last_used_at,
});

const fromPasskey = (passkey: Passkey): PasskeyTable => ({
  id: text(passkey.id),
  account_id: passkey.accountId,
  name: text(passkey.name),
  public_key: Buffer.from(passkey.publicKey),
  counter: passkey.counter,
  transports: passkey.transports.join(" "),
  is_synced: passkey.isSynced ? 1 : 0,
  created_at: passkey.createdAt,
  last_used_at: passkey.lastUsedAt,
});
