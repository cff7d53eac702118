import type { Kysely } from "kysely";
import type { OauthRecordsStore } from "#trust/access";
import { storedText as text } from "./stored-text.ts";
import type { Tables } from "./tables.ts";

export function oauthRecords(database: Kysely<Tables>): OauthRecordsStore {
  return {
    async putOauthRecord({ kind, digest, sealed, endsAt }) {
      const changed = { sealed: Buffer.from(sealed), ends_at: endsAt };
      await database
        .insertInto("oauth_records")
        .values({ kind, digest: text(digest), ...changed })
        .onConflict((conflict) => conflict.columns(["kind", "digest"]).doUpdateSet(changed))
        .execute();
    },
    oauthRecords: async () =>
      (await database.selectFrom("oauth_records").selectAll().execute()).map(({ kind, digest, sealed, ends_at }) => ({
        ...{ kind, digest, endsAt: ends_at },
        sealed: Uint8Array.from(sealed),
      })),
    removeOauthRecords: (records) =>
      database.transaction().execute(async (tx) => {
        for (const { kind, digest } of records) {
          await tx.deleteFrom("oauth_records").where("kind", "=", kind).where("digest", "=", text(digest)).execute();
        }
      }),
    async putOauthClient({ clientId, registration }) {
      await database
        .insertInto("oauth_clients")
        .values({ client_id: clientId, registration })
        .onConflict((conflict) => conflict.column("client_id").doUpdateSet({ registration }))
        .execute();
    },
    oauthClients: async () =>
      (await database.selectFrom("oauth_clients").selectAll().orderBy("client_id").execute()).map(
        ({ client_id, registration }) => ({ clientId: client_id, registration }),
      ),
    removeClient: (clientId) =>
      database.transaction().execute(async (tx) => {
        await tx.deleteFrom("oauth_clients").where("client_id", "=", text(clientId)).execute();
        await tx.deleteFrom("client_tokens").where("client_id", "=", text(clientId)).execute();
        const { numDeletedRows } = await tx.deleteFrom("clients").where("id", "=", text(clientId)).executeTakeFirst();
        return numDeletedRows === 1n;
      }),
  };
}
