import { Kysely, sql } from "kysely";
import pg from "pg";
import type { Log } from "#base/log";
import type { StudyIndex } from "#radiology/archive";
import type { AccessStore } from "#trust/access";
import { createSqlAccessStore } from "./access-store.ts";
import { type Engine, migrate } from "./migrations.ts";
import { postgresDialect } from "./postgres-dialect.ts";
import { sqliteDialect } from "./sqlite-dialect.ts";
import { createSqlStudyIndex } from "./study-index.ts";
import type { Tables } from "./tables.ts";

export interface SqlStores {
  readonly studyIndex: StudyIndex;
  readonly accessStore: AccessStore;
  /** Ends both, after the queries that run. */
  close(): Promise<void>;
}

const cacheBytesMost = 64 * 1024 * 1024;
const postgresConnectionsMost = 8;

/**
 * Opens the database file at `path`, made when it is not there, its folder must be. Two threads hold one connection each: one
 * writes, one reads. WAL, `synchronous=FULL`: what has resolved survives a power cut.
 */
export async function openSqlite(options: { readonly path: string; readonly log: Log }): Promise<SqlStores> {
  const { path, log } = options;
  const writes = new Kysely<Tables>({ dialect: sqliteDialect({ path, queryOnly: false, cacheBytesMost }) });
  await migrateOrEnd(writes, "sqlite");
  const reads = new Kysely<Tables>({ dialect: sqliteDialect({ path, queryOnly: true, cacheBytesMost }) });
  await sql`select 1`.execute(reads);
  log.debug("database open", { engine: "sqlite" });
  return storesOf("sqlite", reads, writes, async () => {
    await reads.destroy();
    await writes.destroy();
  });
}

/** Connects to `url` (`postgres://user@host/database`). The database must be there, in encoding UTF8; the schema is made. */
export async function openPostgres(options: { readonly url: string; readonly log: Log }): Promise<SqlStores> {
  const pool = new pg.Pool({
    connectionString: options.url,
    max: postgresConnectionsMost,
    types: { getTypeParser: typeParser as typeof pg.types.getTypeParser },
  });
  // An idle connection that breaks is replaced by the pool; without a listener it would end the process.
  pool.on("error", (error) => options.log.warn("database connection lost", { engine: "postgres" }, error));
  const database = new Kysely<Tables>({ dialect: postgresDialect(pool) });
  await migrateOrEnd(database, "postgres");
  options.log.debug("database open", { engine: "postgres" });
  return storesOf("postgres", database, database, () => database.destroy());
}

function storesOf(engine: Engine, reads: Kysely<Tables>, writes: Kysely<Tables>, end: () => Promise<void>): SqlStores {
  const open = new Set(["studyIndex", "accessStore"]);
  const releaseOf = (part: string) => async () => {
    if (open.delete(part) && open.size === 0) await end();
  };
  const studyIndex = createSqlStudyIndex({ engine, reads, writes, release: releaseOf("studyIndex") });
  const accessStore = createSqlAccessStore({ engine, reads, writes, release: releaseOf("accessStore") });
  return {
    studyIndex,
    accessStore,
    async close() {
      await studyIndex.close();
      await accessStore.close();
    },
  };
}

async function migrateOrEnd(database: Kysely<Tables>, engine: Engine): Promise<void> {
  try {
    await migrate(database, engine);
  } catch (error) {
    await database.destroy();
    throw error;
  }
}

/** int8 (and what `count` and `sum` give) as a number: all of ours fit. */
function typeParser(oid: number, format?: "text" | "binary"): unknown {
  const int8 = pg.types.builtins.INT8;
  if (oid === int8 && format !== "binary") return (value: string) => Number(value);
  return pg.types.getTypeParser(oid, format ?? "text");
}
