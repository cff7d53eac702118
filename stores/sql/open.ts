import { type Dialect, Kysely } from "kysely";
import pg from "pg";
import type { Log } from "#base/log";
import type { BlindStore } from "#radiology/archive";
import type { AccessStore } from "#trust/access";
import type { DetailStore } from "#trust/audit";
import type { RecordStore } from "#trust/vault";
import { copyAccess, placeAccess } from "./access-copy.ts";
import { accessSchema } from "./access-schema.ts";
import { createSqlAccessStore } from "./access-store.ts";
import { createSqlBlindStore } from "./blind-store.ts";
import { openIndexOnPostgres } from "./index-on-postgres.ts";
import { openIndexOnSqlite } from "./index-on-sqlite.ts";
import { createSqlDetailStore } from "./log-details.ts";
import { askingOn, numbersOfText, postgresProblem } from "./postgres.ts";
import { postgresDialect } from "./postgres-dialect.ts";
import { createSqlRecordStore } from "./records.ts";
import { type Ask, migrate } from "./schema.ts";
import { sqliteDialect } from "./sqlite-dialect.ts";
import { startSqlite } from "./sqlite-thread.ts";
import type { Tables } from "./tables.ts";

/**
 * Where a database rests: in a SQLite file, made when it is not there, its folder must be; or on a PostgreSQL server
 * (`postgres://user@host/database`), in a database of encoding UTF8 that is there. Tables are made.
 */
export type DatabasePlace = { readonly path: string } | { readonly url: string };

type Opening = DatabasePlace & {
  /** Stands for the home that it is opened for, in hexadecimal digits: another's is refused with Problem "conflict". Absent: not looked at. */
  readonly home?: string;
  readonly log: Log;
};

export interface AccessDatabase {
  readonly accessStore: AccessStore;
  /** What is personal about entries of the log. */
  readonly detailStore: DetailStore;
  /** What a facility's work needs beside images. */
  readonly recordStore: RecordStore;
  /** Accounts, clients and devices, to be placed in another database. */
  copy(): Promise<Buffer>;
  /** Problem "conflict" when there is an account already. */
  place(copy: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

export interface IndexDatabase {
  readonly blindStore: BlindStore;
  close(): Promise<void>;
}

const accessCacheBytesMost = 4 * 1024 * 1024;
const accessConnectionsMost = 4;

/** Accounts, sessions, programs and machines. What has resolved survives a power cut. */
export async function openAccessDatabase(options: Opening): Promise<AccessDatabase> {
  const { dialect, end } = "url" in options ? await accessOnPostgres(options) : await accessOnSqlite(options);
  const database = new Kysely<Tables>({ dialect });
  // Kysely does not end what it never asked.
  const close = () => database.destroy().then(end);
  options.log.debug("access database open", { engine: "url" in options ? "postgres" : "sqlite" });
  return {
    accessStore: createSqlAccessStore(database, close),
    detailStore: createSqlDetailStore(database),
    recordStore: createSqlRecordStore(database),
    copy: () => copyAccess(database),
    place: (copy) => placeAccess(database, copy),
    close,
  };
}

/** The blind index. One process at a time: a second is refused with Problem "conflict" on PostgreSQL, by the home's lock else. */
export async function openIndexDatabase(options: Opening): Promise<IndexDatabase> {
  const { log } = options;
  const database = "url" in options ? await openIndexOnPostgres(options) : await openIndexOnSqlite(options);
  log.debug("index database open", { engine: database.engine });
  const blindStore = createSqlBlindStore(database);
  return { blindStore, close: blindStore.close };
}

interface Opened {
  readonly dialect: Dialect;
  /** More than once is no mistake. */
  end(): Promise<void>;
}

async function accessOnSqlite({ path, home }: { readonly path: string; readonly home?: string }): Promise<Opened> {
  const thread = startSqlite({ path, queryOnly: false, cacheBytesMost: accessCacheBytesMost });
  try {
    const ask: Ask = async (sql) => (await thread.run([{ sql, rows: [[]] }]))[0]?.rows ?? [];
    await migrate(ask, "sqlite", accessSchema, home);
  } catch (error) {
    await thread.close();
    throw error;
  }
  return { dialect: sqliteDialect(thread), end: thread.close };
}

async function accessOnPostgres({ url, home, log }: Opening & { readonly url: string }): Promise<Opened> {
  const pool = new pg.Pool({
    connectionString: url,
    max: accessConnectionsMost,
    keepAlive: true,
    types: numbersOfText,
  });
  // An idle connection that breaks is replaced by the pool; without a listener it would end the process.
  pool.on("error", (error) => log.warn("database connection lost", { engine: "postgres" }, error));
  try {
    const client = await pool.connect();
    try {
      await migrate(askingOn(client), "postgres", accessSchema, home);
    } finally {
      client.release();
    }
  } catch (error) {
    await pool.end();
    throw postgresProblem(error);
  }
  return { dialect: postgresDialect(pool), end: async () => (pool.ending ? undefined : pool.end()) };
}
