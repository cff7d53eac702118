import { type Kysely, sql } from "kysely";
import { Problem } from "#base/problem";
import type { Tables } from "./tables.ts";

export type Engine = "sqlite" | "postgres";

/** What the two databases name differently. Text sorts and compares by bytes on both. */
interface Words {
  readonly text: string;
  readonly int: string;
  readonly bytes: string;
  /** Behind the closing bracket of a table. */
  readonly end: string;
  /** Behind the columns of an index that pages are read from: SQLite has the row id in every index. */
  readonly id: string;
}

const wordsOf: Record<Engine, Words> = {
  sqlite: { text: "text not null", int: "integer", bytes: "blob not null", end: "strict", id: "" },
  postgres: { text: 'text collate "C" not null', int: "bigint", bytes: "bytea not null", end: "", id: ", id" },
};

const texts = (words: Words, ...columns: string[]) => columns.map((column) => `${column} ${words.text}`).join(", ");
const ints = (words: Words, ...columns: string[]) =>
  columns.map((column) => `${column} ${words.int} not null`).join(", ");

/** Each runs once, in order, in the transaction that notes its number. Never change one that was released. */
const migrations: readonly ((words: Words) => string[])[] = [
  (words) => [...studyTables(words), ...studyIndexes(words), ...copyTables(words), ...accessTables(words)],
  peopleTables,
];

export const schemaVersion = migrations.length;

/**
 * Brings the schema up to this program's version, in one transaction. Rejects with Problem "conflict" when the database was
 * written by a newer program: nothing is changed then.
 */
export async function migrate(database: Kysely<Tables>, engine: Engine): Promise<void> {
  await database.transaction().execute(async (tx) => {
    // Two programs that start at once on one PostgreSQL database.
    if (engine === "postgres") await sql`select pg_advisory_xact_lock(5326801)`.execute(tx);
    await sql`create table if not exists schema_version (version ${sql.raw(wordsOf[engine].int)} not null)`.execute(tx);
    const found = await tx.selectFrom("schema_version").select("version").executeTakeFirst();
    const from = found?.version ?? 0;
    if (from > schemaVersion) {
      throw new Problem("conflict", `the database has schema ${from}, this program knows ${schemaVersion}`, {
        remedy: "start the version of Leadglass that wrote it, or a newer one",
      });
    }
    if (from === schemaVersion) return;
    for (const migration of migrations.slice(from)) {
      for (const statement of migration(wordsOf[engine])) await sql.raw(statement).execute(tx);
    }
    if (found === undefined) await tx.insertInto("schema_version").values({ version: schemaVersion }).execute();
    else await tx.updateTable("schema_version").set({ version: schemaVersion }).execute();
  });
}

function studyTables(words: Words): string[] {
  const { int, end } = words;
  return [
    `create table studies (id ${int} primary key, ${texts(
      words,
      ...["study_token", "study_uid", "study_date", "study_time", "accession_number", "study_code"],
      ...["description", "description_folded", "referrer", "referrer_ideographic", "referrer_phonetic"],
      ...["patient_name", "patient_name_ideographic", "patient_name_phonetic"],
      ...["patient_id", "patient_id_issuer", "birth_date", "sex", "modalities"],
    )}, ${ints(words, "series_count", "instance_count", "conflict_count", "changed_at")},
      ${texts(words, "sop_classes", "attributes")}) ${end}`,
    `create table series (id ${int} primary key, study_id ${int} not null references studies(id),
      ${texts(words, "series_uid", "modality")}, series_number ${int} not null,
      ${texts(
        words,
        ...["description", "description_folded", "series_date", "series_time"],
        ...["body_part", "station", "step_date", "step_time"],
      )}, ${ints(words, "instance_count", "changed_at")}, blob_pack text, blob_offset ${int},
      blob_instance_count ${int} not null, ${texts(words, "attributes")}) ${end}`,
    `create table totals (name ${words.text} primary key, total ${int} not null) ${end}`,
    "insert into totals (name, total) values ('studies', 0)",
    `create table pack_marks (pack ${words.text} primary key, position ${int} not null) ${end}`,
  ];
}

/** Each sort of the study list has an index whose order is the page's order, ties by row id in the same direction. */
function studyIndexes({ id }: Words): string[] {
  const index = (name: string, columns: string) => `create index studies_by_${name} on studies (${columns})`;
  const sparse = (column: string) => `${index(column, `${column}${id}`)} where ${column} <> ''`;
  return [
    "create unique index studies_by_uid on studies (study_uid)",
    "create unique index studies_by_token on studies (study_token)",
    // With the modalities, so that a page of one modality passes over the others without their rows.
    index("date", "study_date, study_time, id, modalities"),
    index("accession", `accession_number${id}`),
    index("patient_id", `patient_id${id}`),
    index("patient_name", `patient_name${id}`),
    index("description", `description_folded${id}`),
    index("change", `changed_at${id}`),
    sparse("patient_name_ideographic"),
    sparse("patient_name_phonetic"),
    sparse("referrer"),
    sparse("referrer_ideographic"),
    sparse("referrer_phonetic"),
    sparse("study_code"),
    "create unique index series_by_uid on series (series_uid, study_id)",
    `create index series_by_study on series (study_id, modality)`,
    "create index series_without_blob on series (changed_at) where blob_instance_count <> instance_count",
  ];
}

function copyTables(words: Words): string[] {
  const { int, end } = words;
  const copy = `${texts(words, "token", "sop_uid", "sop_class_uid", "transfer_syntax_uid", "pack")},
    ${ints(words, "pack_offset", "size_bytes", "data_set_offset")}, pixel_offset ${int}, pixel_length ${int},
    ${texts(words, "data_set_sha256")}, ${ints(words, "received_at")}, ${texts(words, "received_from", "attributes")}`;
  return [
    `create table instances (id ${int} primary key, series_id ${int} not null references series(id), ${copy},
      instance_number ${int} not null, ${texts(words, "content_date", "content_time")}) ${end}`,
    "create unique index instances_by_sop_uid on instances (sop_uid)",
    `create index instances_by_series on instances (series_id, instance_number${words.id})`,
    `create table conflicts (id ${int} primary key, instance_id ${int} not null references instances(id), ${copy},
      ${texts(words, "study_token", "study_uid", "series_uid")}) ${end}`,
    "create unique index conflicts_by_copy on conflicts (sop_uid, data_set_sha256)",
    "create index conflicts_by_instance on conflicts (instance_id)",
  ];
}

function accessTables(words: Words): string[] {
  const { text, int, bytes, end } = words;
  return [
    `create table accounts (id ${text} primary key, ${texts(words, "name", "password_hash")}, totp_sealed ${bytes},
      ${ints(words, "totp_step")}, ${texts(words, "role")}, ${ints(words, "created_at")}) ${end}`,
    "create unique index accounts_by_name on accounts (name)",
    `create table recovery_codes (account_id ${text} references accounts(id), digest ${text},
      primary key (account_id, digest)) ${end}`,
    `create table sessions (digest ${text} primary key, account_id ${text} references accounts(id),
      ${ints(words, "created_at", "last_seen_at", "ends_at")}) ${end}`,
    `create table clients (id ${text} primary key, ${texts(words, "name")}, created_at ${int} not null) ${end}`,
    "create unique index clients_by_name on clients (name)",
    `create table client_tokens (digest ${text} primary key, client_id ${text} references clients(id),
      ${ints(words, "created_at", "ends_at")}) ${end}`,
    `create table devices (id ${text} primary key, ${texts(words, "ae", "address")},
      ${ints(words, "created_at", "last_seen_at")}) ${end}`,
    "create unique index devices_by_ae on devices (ae, address)",
    `create table waiting_callers (${texts(words, "ae", "address")}, ${ints(words, "first_at", "last_at", "attempts")},
      primary key (ae, address)) ${end}`,
  ];
}

/** More than one person: who is invited, who sees less, and what two decide together. */
function peopleTables(words: Words): string[] {
  const { text, int, bytes, end } = words;
  return [
    `create table invitations (digest ${text} primary key, ${texts(words, "name", "role")},
      ${ints(words, "created_at", "ends_at")}) ${end}`,
    "create unique index invitations_by_name on invitations (name)",
    `create table requests (id ${text} primary key,
      ${texts(words, "act", "subject_kind", "subject_id", "requested_by", "state", "decided_by")},
      ${ints(words, "requested_at", "ends_at", "decided_at", "begun")},
      detail_sealed ${bytes}, result_sealed ${bytes}) ${end}`,
    `alter table client_tokens add column masked ${int} not null default 0`,
  ];
}
