import type { Kysely } from "kysely";
import { Problem } from "#base/problem";
import type { Edge, EdgeStore } from "#trust/access";
import { storedText as text } from "./stored-text.ts";
import type { EdgeTable, Tables } from "./tables.ts";

export function edges(database: Kysely<Tables>): EdgeStore {
  return {
    async addEdge(edge) {
      const { numInsertedOrUpdatedRows } = await database
        .insertInto("edges")
        .values(fromEdge(edge))
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst();
      if (numInsertedOrUpdatedRows === 1n) return;
      throw new Problem("conflict", "an edge of this name is there already", { remedy: "choose another name" });
    },
    edges: async () =>
      (await database.selectFrom("edges").selectAll().orderBy("created_at").orderBy("id").execute()).map(toEdge),
    async edge(id) {
      const row = await database.selectFrom("edges").selectAll().where("id", "=", text(id)).executeTakeFirst();
      return row === undefined ? undefined : toEdge(row);
    },
    changeEdge: (known, to) =>
      database.transaction().execute(async (tx) => {
        const row = await tx
          .selectFrom("edges")
          .selectAll()
          .where("id", "=", text(known.id))
          .where("version", "=", known.version)
          .executeTakeFirst();
        if (row === undefined) return false;
        const { id, created_at: _, last_seen_at: __, ...changed } = fromEdge({ ...toEdge(row), ...to });
        const { numUpdatedRows } = await tx
          .updateTable("edges")
          .set({ ...changed, version: known.version + 1 })
          .where("id", "=", id)
          .where("version", "=", known.version)
          .executeTakeFirst();
        return numUpdatedRows === 1n;
      }),
    async touchEdge(id, lastSeenAt) {
      await database.updateTable("edges").set({ last_seen_at: lastSeenAt }).where("id", "=", text(id)).execute();
    },
    async removeEdge(id) {
      const { numDeletedRows } = await database.deleteFrom("edges").where("id", "=", text(id)).executeTakeFirst();
      return numDeletedRows === 1n;
    },
    async addSigningKey({ edge, publicKey, since }) {
      await database
        .insertInto("edge_signing_keys")
        .values({ edge: text(edge), public_key: text(publicKey), since })
        .onConflict((conflict) => conflict.doNothing())
        .execute();
    },
    async signingKeys(edge) {
      const rows = await database
        .selectFrom("edge_signing_keys")
        .selectAll()
        .where("edge", "=", text(edge))
        .orderBy("since", "desc")
        .orderBy("public_key")
        .execute();
      return rows.map(({ public_key, ...rest }) => ({ ...rest, publicKey: public_key }));
    },
  };
}

const toEdge = (row: EdgeTable): Edge => ({
  ...{ id: row.id, name: row.name, facility: row.facility, state: row.state, version: row.version },
  ...{ codeDigest: row.code_digest, codeEndsAt: row.code_ends_at },
  ...{ serial: row.serial, nextSerial: row.next_serial, notAfter: row.not_after, software: row.software },
  ...{ createdAt: row.created_at, enrolledAt: row.enrolled_at, lastSeenAt: row.last_seen_at },
  revokedAt: row.revoked_at,
});

const fromEdge = (edge: Edge): EdgeTable => ({
  ...{ id: edge.id, name: text(edge.name), facility: text(edge.facility), state: edge.state, version: edge.version },
  ...{ code_digest: edge.codeDigest, code_ends_at: edge.codeEndsAt },
  ...{ serial: edge.serial, next_serial: edge.nextSerial, not_after: edge.notAfter, software: text(edge.software) },
  ...{ created_at: edge.createdAt, enrolled_at: edge.enrolledAt, last_seen_at: edge.lastSeenAt },
  revoked_at: edge.revokedAt,
});
