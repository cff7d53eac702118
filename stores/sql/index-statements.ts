import {
  blocks,
  type ColumnKind,
  conflicts,
  instances,
  rejections,
  series,
  studies,
  type Table,
} from "./index-tables.ts";
import type { Row } from "./packed-rows.ts";
import type { Engine } from "./schema.ts";

/**
 * A statement of the index on one engine. One for a list takes many rows of parameters: SQLite runs it for each of them, which
 * is as quick as a list in the text and knows only one text; PostgreSQL takes each column of them as an array.
 */
export interface Statement {
  readonly text: string;
  readonly forList: boolean;
}

/** A statement with what it is run for. */
export interface Order {
  readonly statement: Statement;
  readonly rows: readonly Row[];
}

/** On PostgreSQL a schema of its own, so that the index can share a database with the accounts and rest elsewhere. */
export const indexSchemaName = "leadglass_index";

const postgresTypes: Record<ColumnKind, string> = { int: "bigint", text: "text", bytes: "bytea", pack: "text" };

export type IndexStatements = ReturnType<typeof indexStatements>;

/** Every statement of the index. Names of tables are written `@name`, the greater of two values `@greatest`, parameters `?`. */
export function indexStatements(engine: Engine) {
  const words = wordsOf(engine);
  return { ...readingStatements(words), ...changingStatements(words) };
}

interface Words {
  once(text: string): Statement;
  /** Rows of a table whose `by` is one of a list. */
  find<T>(table: Table<T>, by: string, order?: string): Statement;
  /** Takes the place of what has the same key. */
  put<T>(table: Table<T>): Statement;
  /** For a list whose members have these names and kinds; `text` is asked for the text of a value. */
  each(engines: { readonly sqlite: string; readonly postgres: string }): Statement;
}

function wordsOf(engine: Engine): Words {
  const textOf = (text: string) => {
    let serial = 0;
    if (engine === "sqlite") return text.replaceAll("@greatest", "max").replaceAll("@", "");
    const named = text.replaceAll("@greatest", "greatest").replaceAll("@", `${indexSchemaName}.`);
    return named.replaceAll("?", () => `$${++serial}`);
  };
  const each: Words["each"] = (texts) => ({ text: textOf(texts[engine]), forList: true });
  return {
    once: (text) => ({ text: textOf(text), forList: false }),
    each,
    find: (table, by, order = by) => {
      const from = `select ${selected(table)} from @${table.name} where ${by}`;
      const [, kind] = table.columns.find(([name]) => name === by) ?? [];
      if (kind === undefined) throw new Error(`no column ${by}`);
      return each({
        sqlite: `${from} = ? order by ${order}`,
        postgres: `${from} = any(?::${postgresTypes[kind]}[]) order by ${order}`,
      });
    },
    put: (table) => {
      const names = table.columns.map(([name]) => name);
      const { name, key } = table;
      const given = (kind: ColumnKind, value: string) =>
        kind === "pack" ? `(select id from @packs where name = ${value})` : value;
      const changed = names.filter((column) => !key.includes(column)).map((column) => `${column} = excluded.${column}`);
      const into = `insert into @${name} (${names.join(", ")})`;
      const instead = `on conflict (${key.join(", ")}) do update set ${changed.join(", ")}`;
      const lists = table.columns.map(([, kind]) => `?::${postgresTypes[kind]}[]`).join(", ");
      const taken = table.columns.map(([column, kind]) => given(kind, `given.${column}`)).join(", ");
      return each({
        sqlite: `${into} values (${table.columns.map(([, kind]) => given(kind, "?")).join(", ")}) ${instead}`,
        postgres: `${into} select ${taken} from unnest(${lists}) as given(${names.join(", ")}) ${instead}`,
      });
    },
  };
}

const selected = <T>({ columns }: Table<T>): string =>
  columns
    .map(([name, kind]) => (kind === "pack" ? `(select name from @packs where id = ${name}) as ${name}` : name))
    .join(", ");

function readingStatements({ once, find, each }: Words) {
  const instanceOrder = "order by series_id, instance_number, id";
  const ofStudy = `select ${selected(instances)} from @instances where study_id = ?`;
  const byChange = (direction: string) =>
    once(`select id from @studies order by changed_at ${direction}, id ${direction} limit ? offset ?`);
  const kept = `select ${selected(conflicts)} from @conflicts`;
  const lastOf = (name: string) =>
    `select ${selected(blocks)} from @blocks where name = ${name} order by serial desc limit 1`;
  return {
    studies: find(studies, "id"),
    studiesByDigest: find(studies, "uid_digest"),
    studiesByToken: find(studies, "study_token"),
    studiesAfter: once(`select ${selected(studies)} from @studies where id > ? order by id limit ?`),
    studiesByChangeAscending: byChange("asc"),
    studiesByChangeDescending: byChange("desc"),
    studyCount: once("select study_count - (select count(*) from @studies where instance_count = 0) from @totals"),
    seriesOfStudies: find(series, "study_id", "study_id, series_number, id"),
    seriesByDigest: find(series, "uid_digest", "uid_digest, study_id"),
    seriesWithoutBlob: once(
      `select ${selected(series)} from @series where blob_instance_count <> instance_count and changed_at <= ?
        order by changed_at desc, id desc limit ?`,
    ),
    instancesOfStudy: once(`${ofStudy} ${instanceOrder}`),
    instancesOfSeries: once(`${ofStudy} and series_id = ? ${instanceOrder}`),
    instancesByDigest: find(instances, "sop_digest"),
    instances: find(instances, "id"),
    conflicts: once(`${kept} order by instance_id, id`),
    conflictsByDigest: find(conflicts, "sop_digest"),
    conflictsOfStudy: once(
      `${kept} where instance_id in (select id from @instances where study_id = ?) order by instance_id, id`,
    ),
    rejections: find(rejections, "sop_digest"),
    blocks: find(blocks, "name", "name, serial"),
    lastBlocks: each({
      sqlite: lastOf("?"),
      postgres: `select last.* from unnest(?::bytea[]) as asked(name) cross join lateral (${lastOf("asked.name")}) last`,
    }),
    marks: once("select name, position from @packs where position is not null order by name"),
  };
}

function changingStatements({ once, put, each }: Words) {
  return {
    putStudies: put(studies),
    putSeries: put(series),
    putInstances: put(instances),
    putConflicts: put(conflicts),
    putRejections: put(rejections),
    putBlocks: put(blocks),
    /** Before these studies are put. */
    countStudies: each({
      sqlite: "update @totals set study_count = study_count + (not exists (select 1 from @studies where id = ?))",
      postgres: `update @totals set study_count = study_count + (select count(*) from unnest(?::bigint[]) as given(id)
        where not exists (select 1 from @studies where studies.id = given.id))`,
    }),
    /** Packs get their numbers. */
    namePacks: each({
      sqlite: "insert into @packs (name) values (?) on conflict (name) do nothing",
      postgres: "insert into @packs (name) select * from unnest(?::text[]) on conflict (name) do nothing",
    }),
    mark: each({
      sqlite: "update @packs set position = ? where name = ? and (position is null or position < ?)",
      postgres: `update @packs set position = given.position from unnest(?::bigint[], ?::text[], ?::bigint[])
        as given(position, name, above)
        where packs.name = given.name and (packs.position is null or packs.position < given.above)`,
    }),
    next: once(`select @greatest(last_study, (select coalesce(max(id), 0) from @studies)) + 1,
      (select coalesce(max(id), 0) + 1 from @series), (select coalesce(max(id), 0) + 1 from @instances),
      (select coalesce(max(id), 0) + 1 from @conflicts) from @totals`),
    removeStudy: [
      // Blocks name studies by their numbers: the number of a removed one is not given out again.
      once(`update @totals set last_study = @greatest(last_study, (select coalesce(max(id), 0) from @studies)),
        study_count = study_count - (select count(*) from @studies where id = ?)`),
      once("delete from @conflicts where instance_id in (select id from @instances where study_id = ?)"),
      once("delete from @instances where study_id = ?"),
      once("delete from @series where study_id = ?"),
      once("delete from @studies where id = ?"),
    ],
    removeConflicts: each({
      sqlite: "delete from @conflicts where id = ?",
      postgres: "delete from @conflicts where id = any(?::bigint[])",
    }),
    removeBlocks: once("delete from @blocks where name = ? and serial < ?"),
    relocate: {
      image: [relocated(each, "instances", "image"), relocated(each, "conflicts", "image")],
      identity: [
        relocated(each, "instances", "identity"),
        relocated(each, "conflicts", "identity"),
        relocated(each, "series", "blob"),
      ],
    },
    clear: [
      ...["conflicts", "instances", "series", "studies", "rejections", "blocks", "packs"].map((table) =>
        once(`delete from @${table}`),
      ),
      once("update @totals set study_count = 0, last_study = 0"),
    ],
  };
}

/** Parameters: pack and offset to move to, pack and offset to move from. */
function relocated(each: Words["each"], table: string, place: string): Statement {
  const [pack, offset] = [`${place}_pack`, `${place}_offset`];
  return each({
    sqlite: `update @${table} set ${pack} = (select id from @packs where name = ?), ${offset} = ?
      where ${pack} = (select id from @packs where name = ?) and ${offset} = ?`,
    postgres: `update @${table} set ${pack} = later.id, ${offset} = given.to_offset
      from unnest(?::text[], ?::bigint[], ?::text[], ?::bigint[])
        as given(to_pack, to_offset, from_pack, from_offset)
        join @packs as earlier on earlier.name = given.from_pack join @packs as later on later.name = given.to_pack
      where ${table}.${pack} = earlier.id and ${table}.${offset} = given.from_offset`,
  });
}
