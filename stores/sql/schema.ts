import { Problem } from "#base/problem";
import type { Row } from "./packed-rows.ts";

export type Engine = "sqlite" | "postgres";

/** What the two databases name differently. Text sorts and compares by bytes on both. */
export interface Words {
  readonly engine: Engine;
  /** Before the name of a table: on PostgreSQL its namespace. */
  readonly schema: string;
  readonly text: string;
  readonly int: string;
  readonly bytes: string;
  /** A primary key that the database gives out. */
  readonly serial: string;
  /** Behind the closing bracket of a table. */
  readonly end: string;
  /** Instead, for a table that rests in the order of its primary key. */
  readonly clustered: string;
  /** Behind the columns of an index that pages are read from: SQLite has the row id in every index. */
  readonly id: string;
}

/** The tables of one database. */
export interface Schema {
  readonly name: string;
  /** On PostgreSQL its tables stand in this schema; else in the one that the connection has. */
  readonly namespace?: string;
  /** Each runs once, in order, in the transaction that notes its number. Never change one that was released. */
  readonly migrations: readonly ((words: Words) => string[])[];
}

/** Rows of one statement, on one connection. */
export type Ask = (text: string) => Promise<Row[]>;

export const texts = (words: Words, ...columns: string[]) =>
  columns.map((column) => `${column} ${words.text}`).join(", ");
export const ints = (words: Words, ...columns: string[]) =>
  columns.map((column) => `${column} ${words.int} not null`).join(", ");

/**
 * Brings the tables up to this program's version, in one transaction, and notes whose they are: `home` is hexadecimal digits that stand for
 * a home; without it any home's will do. Rejects with Problem "conflict" when the database was written by a newer program, or is another
 * home's: nothing is changed then.
 */
export async function migrate(ask: Ask, engine: Engine, schema: Schema, home?: string): Promise<void> {
  await ask(engine === "sqlite" ? "begin immediate" : "begin");
  try {
    await bringUp(ask, engine, schema);
    if (home !== undefined) await claim(ask, wordsOf(engine, schema.namespace), home);
    await ask("commit");
  } catch (error) {
    await ask("rollback").catch(() => {});
    throw error;
  }
}

async function bringUp(ask: Ask, engine: Engine, { name, namespace, migrations }: Schema): Promise<void> {
  const words = wordsOf(engine, namespace);
  if (engine === "postgres") {
    // Two programs that start at once on one database.
    await ask("select pg_advisory_xact_lock(5326801)");
    if (namespace !== undefined) await ask(`create schema if not exists ${namespace}`);
  }
  await ask(`create table if not exists ${words.schema}schema_version (version ${words.int} not null)`);
  const [found] = await ask(`select version from ${words.schema}schema_version`);
  const from = Number(found?.[0] ?? 0);
  if (from > migrations.length) {
    throw new Problem("conflict", `the ${name} database has schema ${from}, this program knows ${migrations.length}`, {
      remedy: "start the version of Leadglass that wrote it, or a newer one",
    });
  }
  if (from === migrations.length) return;
  for (const migration of migrations.slice(from)) {
    for (const statement of migration(words)) await ask(statement);
  }
  await ask(`delete from ${words.schema}schema_version`);
  await ask(`insert into ${words.schema}schema_version (version) values (${migrations.length})`);
}

/** Two homes on one database would see each other's people and images. */
async function claim(ask: Ask, { schema, text }: Words, home: string): Promise<void> {
  if (!/^[0-9a-f]{1,64}$/.test(home)) throw new Problem("fault", "what stands for a home is hexadecimal digits");
  await ask(`create table if not exists ${schema}owner (home ${text})`);
  await ask(`insert into ${schema}owner (home) select '${home}' where not exists (select 1 from ${schema}owner)`);
  const [owner] = await ask(`select home from ${schema}owner`);
  if (owner?.[0] === home) return;
  throw new Problem("conflict", "the database belongs to another home", {
    remedy: "give this home a database of its own: --database and --identity-database, or leadglass.json",
  });
}

const wordsOf = (engine: Engine, namespace: string | undefined): Words =>
  engine === "sqlite"
    ? {
        engine,
        schema: "",
        text: "text not null",
        int: "integer",
        bytes: "blob not null",
        serial: "integer primary key",
        end: "strict",
        clustered: "strict, without rowid",
        id: "",
      }
    : {
        engine,
        schema: namespace === undefined ? "" : `${namespace}.`,
        text: 'text collate "C" not null',
        int: "bigint",
        bytes: "bytea not null",
        serial: "bigint generated always as identity primary key",
        end: "",
        clustered: "",
        id: ", id",
      };
