import type { Kysely } from "kysely";
import type { SavedViewStore } from "#trust/access";
import { storedText as text } from "./stored-text.ts";
import type { Tables } from "./tables.ts";

export function savedViews(database: Kysely<Tables>): SavedViewStore {
  return {
    async addSavedView({ id, accountId, sealed, createdAt }) {
      const row = { id, account_id: accountId, sealed: Buffer.from(sealed), created_at: createdAt };
      await database.insertInto("saved_views").values(row).execute();
    },
    savedViewsOf: async (accountId) =>
      (
        await database
          .selectFrom("saved_views")
          .selectAll()
          .where("account_id", "=", text(accountId))
          .orderBy("created_at")
          .orderBy("id")
          .execute()
      ).map((row) => ({
        id: row.id,
        accountId: row.account_id,
        sealed: Uint8Array.from(row.sealed),
        createdAt: row.created_at,
      })),
    async removeSavedView(accountId, id) {
      const done = await database
        .deleteFrom("saved_views")
        .where("account_id", "=", text(accountId))
        .where("id", "=", text(id))
        .executeTakeFirst();
      return done.numDeletedRows === 1n;
    },
  };
}
