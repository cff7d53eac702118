import type { Kysely } from "kysely";
import type { AccountLink, AccountLinkStore } from "#trust/access";
import { storedText as text } from "./stored-text.ts";
import type { AccountLinkTable, Tables } from "./tables.ts";

export function accountLinks(database: Kysely<Tables>): AccountLinkStore {
  return {
    putAccountLink: (link) =>
      database.transaction().execute(async (tx) => {
        const row = fromLink(link);
        await tx.deleteFrom("account_links").where("account_id", "=", row.account_id).execute();
        await tx.insertInto("account_links").values(row).execute();
      }),
    async accountLink(digest) {
      const found = database.selectFrom("account_links").selectAll().where("digest", "=", text(digest));
      const row = await found.executeTakeFirst();
      return row === undefined ? undefined : toLink(row);
    },
    async removeAccountLink(digest) {
      await database.deleteFrom("account_links").where("digest", "=", text(digest)).execute();
    },
  };
}

const toLink = (row: AccountLinkTable): AccountLink => ({
  digest: row.digest,
  accountId: row.account_id,
  kind: row.kind,
  issuedBy: row.issued_by,
  reasonSealed: Uint8Array.from(row.reason_sealed),
  createdAt: row.created_at,
  endsAt: row.ends_at,
});

const fromLink = (link: AccountLink): AccountLinkTable => ({
  digest: link.digest,
  account_id: link.accountId,
  kind: link.kind,
  issued_by: link.issuedBy,
  reason_sealed: Buffer.from(link.reasonSealed),
  created_at: link.createdAt,
  ends_at: link.endsAt,
});
