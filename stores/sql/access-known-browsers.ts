import type { Kysely } from "kysely";
import type { KnownBrowserStore } from "#trust/access";
import { storedText as text } from "./stored-text.ts";
import type { Tables } from "./tables.ts";

export function knownBrowsers(database: Kysely<Tables>): KnownBrowserStore {
  return {
    addKnownBrowser: ({ digest, accountId, createdAt }, keepMost) =>
      database.transaction().execute(async (tx) => {
        const row = { digest, account_id: accountId, created_at: createdAt };
        await tx.insertInto("known_browsers").values(row).execute();
        const beyond = await tx
          .selectFrom("known_browsers")
          .select("digest")
          .where("account_id", "=", accountId)
          .orderBy("created_at", "desc")
          .orderBy("digest")
          .limit(1000)
          .offset(keepMost)
          .execute();
        for (const old of beyond) {
          await tx
            .deleteFrom("known_browsers")
            .where("digest", "=", old.digest)
            .where("account_id", "=", accountId)
            .execute();
        }
      }),
    async isKnownBrowser(digest, accountId) {
      const row = await database
        .selectFrom("known_browsers")
        .select("digest")
        .where("digest", "=", text(digest))
        .where("account_id", "=", text(accountId))
        .executeTakeFirst();
      return row !== undefined;
    },
    async forgetKnownBrowsers(accountId) {
      await database.deleteFrom("known_browsers").where("account_id", "=", text(accountId)).execute();
    },
  };
}
