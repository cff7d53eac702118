import { indexSchemaName } from "./index-statements.ts";
import { ints, type Schema, texts, type Words } from "./schema.ts";

/** The blind index: digests, sealed rows and sealed blocks. Migrations that were released are never changed. */
export const indexSchema: Schema = {
  name: "index",
  namespace: indexSchemaName,
  migrations: [(words) => [...tables(words), ...indexes(words), ...settings(words)], whereStudiesLie, rejections],
};

function tables(words: Words): string[] {
  const { int, bytes, end, serial, clustered, schema } = words;
  const copy = `${texts(words, "token", "study_token")}, sop_digest ${bytes}, content_digest ${bytes}, identity ${bytes},
    ${texts(words, "sop_class_uid", "transfer_syntax_uid")},
    ${ints(words, "image_pack", "image_offset", "identity_pack", "identity_offset", "size_bytes", "data_set_offset")},
    pixel_offset ${int}, pixel_length ${int}, ${ints(words, "received_at")}, ${texts(words, "received_from")}`;
  return [
    // One row. A number that a removed study had is not given out again: blocks may still name it.
    `create table ${schema}totals (${ints(words, "study_count", "last_study")}) ${end}`,
    `insert into ${schema}totals (study_count, last_study) values (0, 0)`,
    // How far a pack was taken in, and its number.
    `create table ${schema}packs (id ${serial}, ${texts(words, "name")} unique, position ${int}) ${end}`,
    `create table ${schema}studies (id ${int} primary key, ${texts(words, "study_token")}, uid_digest ${bytes},
      identity ${bytes}, ${texts(words, "modalities", "sop_classes")},
      ${ints(words, "series_count", "instance_count", "conflict_count", "changed_at")}) ${end}`,
    `create table ${schema}series (id ${int} primary key, ${ints(words, "study_id")}, uid_digest ${bytes},
      identity ${bytes}, ${texts(words, "modality")},
      ${ints(words, "series_number", "instance_count", "changed_at", "blob_instance_count")},
      blob_pack ${int}, blob_offset ${int}) ${end}`,
    `create table ${schema}instances (id ${int} primary key,
      ${ints(words, "study_id", "series_id", "instance_number")}, ${copy}) ${end}`,
    `create table ${schema}conflicts (id ${int} primary key, ${ints(words, "instance_id")}, ${copy}) ${end}`,
    `create table ${schema}blocks (name ${bytes}, ${ints(words, "serial")}, sealed ${bytes},
      primary key (name, serial)) ${clustered}`,
  ];
}

/** What was indexed without it is taken in again from the packs, at the start that follows. */
function whereStudiesLie({ schema, bytes, engine }: Words): string[] {
  const emptied = ["studies", "series", "instances", "conflicts", "blocks", "packs"];
  return [
    ...emptied.map((table) => `delete from ${schema}${table}`),
    `update ${schema}totals set study_count = 0, last_study = 0`,
    `alter table ${schema}studies add column facts ${bytes} default ${engine === "sqlite" ? "x''" : "''"}`,
  ];
}

function rejections(words: Words): string[] {
  const { schema, bytes, clustered } = words;
  return [
    `alter table ${schema}instances add column ${ints(words, "rejected")} default 0`,
    `alter table ${schema}studies add column ${ints(words, "rejected_count")} default 0`,
    `create table ${schema}rejections (sop_digest ${bytes} primary key, ${texts(words, "note")},
      ${ints(words, "noted_at")}, ${texts(words, "code")}) ${clustered}`,
    `create index studies_by_absence on ${schema}studies (id) where instance_count = 0`,
  ];
}

function indexes({ schema, id }: Words): string[] {
  const index = (table: string, name: string, columns: string) =>
    `index ${table}_by_${name} on ${schema}${table} (${columns})`;
  const unique = (...of: Parameters<typeof index>) => `create unique ${index(...of)}`;
  const plain = (...of: Parameters<typeof index>) => `create ${index(...of)}`;
  return [
    unique("studies", "digest", "uid_digest"),
    unique("studies", "token", "study_token"),
    plain("studies", "change", `changed_at${id}`),
    unique("series", "digest", "uid_digest, study_id"),
    plain("series", "study", `study_id, series_number${id}`),
    `${plain("series", "lack_of_blob", "changed_at")} where blob_instance_count <> instance_count`,
    `${plain("series", "blob", "blob_pack, blob_offset")} where blob_pack is not null`,
    unique("instances", "digest", "sop_digest"),
    plain("instances", "study", `study_id, series_id, instance_number${id}`),
    plain("instances", "image", "image_pack, image_offset"),
    plain("instances", "identity", "identity_pack, identity_offset"),
    unique("conflicts", "digest", "sop_digest, content_digest"),
    plain("conflicts", "instance", "instance_id"),
    plain("conflicts", "image", "image_pack, image_offset"),
    plain("conflicts", "identity", "identity_pack, identity_offset"),
  ];
}

/** What is sealed does not compress: PostgreSQL is told not to try. */
function settings({ engine, schema }: Words): string[] {
  if (engine === "sqlite") return [];
  return [
    `alter table ${schema}blocks alter column sealed set storage external`,
    ...["studies", "series", "instances", "conflicts"].map(
      (table) => `alter table ${schema}${table} alter column identity set storage external`,
    ),
  ];
}
