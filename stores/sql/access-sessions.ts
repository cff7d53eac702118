import type { Kysely } from "kysely";
import type { Session, SessionStore } from "#trust/access";
import { storedText as text } from "./stored-text.ts";
import type { SessionTable, Tables } from "./tables.ts";

export function sessions(database: Kysely<Tables>): SessionStore {
  return {
    async addSession(session) {
      await database.insertInto("sessions").values(fromSession(session)).execute();
    },
    sessions: async () =>
      (await database.selectFrom("sessions").selectAll().orderBy("created_at").orderBy("digest").execute()).map(
        toSession,
      ),
    async touchSession(digest, { lastSeenAt, authenticatedAt }) {
      await database
        .updateTable("sessions")
        .set({ last_seen_at: lastSeenAt, authenticated_at: authenticatedAt })
        .where("digest", "=", text(digest))
        .execute();
    },
    async endSession(digest) {
      await database.deleteFrom("sessions").where("digest", "=", text(digest)).execute();
    },
  };
}

const toSession = (row: SessionTable): Session => ({
  digest: row.digest,
  holder: row.holder,
  createdAt: row.created_at,
  authenticatedAt: row.authenticated_at,
  lastSeenAt: row.last_seen_at,
  endsAt: row.ends_at,
  fromSealed: Uint8Array.from(row.from_sealed),
});

const fromSession = (session: Session): SessionTable => ({
  digest: session.digest,
  holder: session.holder,
  created_at: session.createdAt,
  authenticated_at: session.authenticatedAt,
  last_seen_at: session.lastSeenAt,
  ends_at: session.endsAt,
  from_sealed: Buffer.from(session.fromSealed),
});
