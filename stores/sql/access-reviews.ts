import type { Kysely } from "kysely";
import type { ReviewStore, ShareStore, StoredReview, StoredShare, WatchedStore } from "#trust/access";
import { insertGrants } from "./access-grants.ts";
import { storedText as text } from "./stored-text.ts";
import type { ReviewTable, ShareTable, Tables } from "./tables.ts";

export function shares(database: Kysely<Tables>): ShareStore {
  return {
    addShare: (share, grants) =>
      database.transaction().execute(async (tx) => {
        await tx.insertInto("shares").values(fromShare(share)).execute();
        await insertGrants(tx, grants);
      }),
    shares: async () =>
      (await database.selectFrom("shares").selectAll().orderBy("made_at", "desc").orderBy("id").execute()).map(toShare),
    async shareOf(digest) {
      const found = database.selectFrom("shares").selectAll().where("digest", "=", text(digest));
      const row = await found.executeTakeFirst();
      return row === undefined ? undefined : toShare(row);
    },
    async useShare(id, at) {
      await database
        .updateTable("shares")
        .set(({ eb }) => ({ uses: eb("uses", "+", 1), last_used_at: at }))
        .where("id", "=", text(id))
        .execute();
    },
  };
}

export function reviews(database: Kysely<Tables>): ReviewStore {
  return {
    noteReview: ({ id, kind, actor, patient, study, day, at, count }) =>
      database.transaction().execute(async (tx) => {
        const { numUpdatedRows } = await tx
          .updateTable("reviews")
          .set(({ eb }) => ({ count: eb("count", "+", count), last_at: at }))
          .where("kind", "=", kind)
          .where("actor", "=", text(actor))
          .where("patient", "=", text(patient))
          .where("day", "=", day)
          .where("outcome", "=", "")
          .executeTakeFirst();
        if (numUpdatedRows > 0n) return false;
        const named = { id, kind, actor: text(actor), patient: text(patient), study: text(study) };
        const undecided = { reviewer: "", outcome: "", note_sealed: Buffer.alloc(0), decided_at: 0 } as const;
        await tx
          .insertInto("reviews")
          .values({ ...named, day, first_at: at, last_at: at, count, ...undecided })
          .execute();
        return true;
      }),
    async reviews({ state, before, limit }) {
      let query = database.selectFrom("reviews").selectAll();
      if (state !== undefined) query = query.where("outcome", state === "open" ? "=" : "<>", "");
      if (before !== undefined) {
        query = query.where(({ eb, and, or }) =>
          or([
            eb("last_at", "<", before.lastAt),
            and([eb("last_at", "=", before.lastAt), eb("id", ">", text(before.id))]),
          ]),
        );
      }
      return (await query.orderBy("last_at", "desc").orderBy("id").limit(limit).execute()).map(toReview);
    },
    async review(id) {
      const row = await database.selectFrom("reviews").selectAll().where("id", "=", text(id)).executeTakeFirst();
      return row === undefined ? undefined : toReview(row);
    },
    async decideReview(id, { reviewer, outcome, noteSealed, decidedAt }) {
      const { numUpdatedRows } = await database
        .updateTable("reviews")
        .set({ reviewer, outcome, note_sealed: Buffer.from(noteSealed), decided_at: decidedAt })
        .where("id", "=", text(id))
        .where("outcome", "=", "")
        .executeTakeFirst();
      return numUpdatedRows === 1n;
    },
  };
}

export function watched(database: Kysely<Tables>): WatchedStore {
  return {
    async markPatient({ patient, reasonSealed, markedBy, markedAt }) {
      const changed = { reason_sealed: Buffer.from(reasonSealed), marked_by: markedBy, marked_at: markedAt };
      await database
        .insertInto("marked_patients")
        .values({ patient, ...changed })
        .onConflict((conflict) => conflict.column("patient").doUpdateSet(changed))
        .execute();
    },
    markedPatients: async () =>
      (
        await database
          .selectFrom("marked_patients")
          .selectAll()
          .orderBy("marked_at", "desc")
          .orderBy("patient")
          .execute()
      ).map((row) => ({
        patient: row.patient,
        reasonSealed: Uint8Array.from(row.reason_sealed),
        markedBy: row.marked_by,
        markedAt: row.marked_at,
      })),
    async unmarkPatient(patient) {
      const done = await database.deleteFrom("marked_patients").where("patient", "=", text(patient)).executeTakeFirst();
      return done.numDeletedRows === 1n;
    },
    async putPersonFacts({ accountId, sealed }) {
      const changed = { sealed: Buffer.from(sealed) };
      await database
        .insertInto("person_facts")
        .values({ account_id: accountId, ...changed })
        .onConflict((conflict) => conflict.column("account_id").doUpdateSet(changed))
        .execute();
    },
    personFacts: async () =>
      (await database.selectFrom("person_facts").selectAll().execute()).map(({ account_id, sealed }) => ({
        accountId: account_id,
        sealed: Uint8Array.from(sealed),
      })),
  };
}

const toShare = (row: ShareTable): StoredShare => ({
  id: row.id,
  digest: row.digest,
  codeDigest: row.code_digest,
  study: row.study,
  mode: row.mode,
  purpose: row.purpose,
  madeBy: row.made_by,
  madeAt: row.made_at,
  endsAt: row.ends_at,
  uses: row.uses,
  lastUsedAt: row.last_used_at,
  aboutSealed: Uint8Array.from(row.about_sealed),
});

const fromShare = (share: StoredShare): ShareTable => ({
  id: share.id,
  digest: share.digest,
  code_digest: share.codeDigest,
  study: share.study,
  mode: share.mode,
  purpose: share.purpose,
  made_by: share.madeBy,
  made_at: share.madeAt,
  ends_at: share.endsAt,
  uses: share.uses,
  last_used_at: share.lastUsedAt,
  about_sealed: Buffer.from(share.aboutSealed),
});

const toReview = (row: ReviewTable): StoredReview => ({
  id: row.id,
  kind: row.kind,
  actor: row.actor,
  patient: row.patient,
  study: row.study,
  day: row.day,
  firstAt: row.first_at,
  lastAt: row.last_at,
  count: row.count,
  reviewer: row.reviewer,
  outcome: row.outcome,
  noteSealed: Uint8Array.from(row.note_sealed),
  decidedAt: row.decided_at,
});
