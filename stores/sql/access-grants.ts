import type { Kysely } from "kysely";
import type { Grant, GrantStore, Place, Purpose, Role } from "#trust/access";
import { storedText as text } from "./stored-text.ts";
import type { GrantTable, Tables } from "./tables.ts";

export function grants(database: Kysely<Tables>): GrantStore {
  return {
    addGrants: (added) => database.transaction().execute((tx) => insertGrants(tx, added)),
    grants: async () =>
      (await database.selectFrom("grants").selectAll().orderBy("given_at").orderBy("id").execute()).map(toGrant),
    async endGrant(id, endedAt, endedBy) {
      const { numUpdatedRows } = await database
        .updateTable("grants")
        .set({ ended_at: endedAt, ended_by: endedBy })
        .where("id", "=", text(id))
        .where("ended_at", "=", 0)
        .executeTakeFirst();
      return numUpdatedRows === 1n;
    },
  };
}

/** Within the transaction that is open. */
export async function insertGrants(within: Kysely<Tables>, added: readonly Grant[]): Promise<void> {
  if (added.length > 0) await within.insertInto("grants").values(added.map(fromGrant)).execute();
}

const fromGrant = (grant: Grant): GrantTable => ({
  id: grant.id,
  holder: grant.holder,
  role: grant.role,
  place_kind: grant.place.kind,
  place_id: grant.place.kind === "tenant" ? "" : text(grant.place.id),
  purpose: grant.purpose,
  given_by: grant.givenBy,
  given_at: grant.givenAt,
  ends_at: grant.endsAt,
  ended_at: grant.endedAt,
  ended_by: grant.endedBy,
});

const toGrant = (row: GrantTable): Grant => ({
  id: row.id,
  holder: row.holder,
  role: row.role as Role,
  place: (row.place_kind === "tenant" ? { kind: "tenant" } : { kind: row.place_kind, id: row.place_id }) as Place,
  purpose: row.purpose as Purpose,
  givenBy: row.given_by,
  givenAt: row.given_at,
  endsAt: row.ends_at,
  endedAt: row.ended_at,
  endedBy: row.ended_by,
});
