import type { Kysely } from "kysely";
import type { IdentityProvider, IdentityProviderStore } from "#trust/access";
import { storedText as text } from "./stored-text.ts";
import type { IdentityProviderTable, Tables } from "./tables.ts";

export function identityProviders(database: Kysely<Tables>): IdentityProviderStore {
  return {
    async putIdentityProvider(provider) {
      const { id, ...changed } = fromProvider(provider);
      await database
        .insertInto("identity_providers")
        .values({ id, ...changed })
        .onConflict((conflict) => conflict.column("id").doUpdateSet(changed))
        .execute();
    },
    identityProviders: async () =>
      (await database.selectFrom("identity_providers").selectAll().orderBy("created_at").orderBy("id").execute()).map(
        toProvider,
      ),
    removeIdentityProvider: (id) =>
      database.transaction().execute(async (tx) => {
        await tx.deleteFrom("provided_accounts").where("provider_id", "=", text(id)).execute();
        const gone = await tx.deleteFrom("identity_providers").where("id", "=", text(id)).executeTakeFirst();
        return gone.numDeletedRows === 1n;
      }),
    async accountOfSubject(digest) {
      const row = await database
        .selectFrom("provided_accounts")
        .select("account_id")
        .where("digest", "=", text(digest))
        .executeTakeFirst();
      return row?.account_id;
    },
    async providerOfAccount(accountId) {
      const row = await database
        .selectFrom("provided_accounts")
        .select("provider_id")
        .where("account_id", "=", text(accountId))
        .executeTakeFirst();
      return row?.provider_id;
    },
    async putSubject({ digest, providerId, accountId }) {
      await database
        .insertInto("provided_accounts")
        .values({ digest, provider_id: providerId, account_id: accountId })
        .onConflict((conflict) => conflict.column("digest").doUpdateSet({ account_id: accountId }))
        .execute();
    },
  };
}

/** Lists rest as JSON: they are read whole, never searched. */
type Lists = Pick<IdentityProvider, "scopes" | "rules" | "strongAcr" | "strongAmr">;

const toProvider = (row: IdentityProviderTable): IdentityProvider => ({
  id: row.id,
  label: row.label,
  issuer: row.issuer,
  clientId: row.client_id,
  clientSecretSealed: Uint8Array.from(row.client_secret_sealed),
  groupsClaim: row.groups_claim,
  ...(JSON.parse(row.lists) as Lists),
  createdAt: row.created_at,
});

const fromProvider = (provider: IdentityProvider): IdentityProviderTable => {
  const { scopes, rules, strongAcr, strongAmr } = provider;
  return {
    id: text(provider.id),
    label: text(provider.label),
    issuer: text(provider.issuer),
    client_id: text(provider.clientId),
    client_secret_sealed: Buffer.from(provider.clientSecretSealed),
    groups_claim: text(provider.groupsClaim),
    lists: JSON.stringify({ scopes, rules, strongAcr, strongAmr } satisfies Lists),
    created_at: provider.createdAt,
  };
};
