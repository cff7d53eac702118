import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type Kysely,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from "kysely";
import { Problem } from "#base/problem";
import { createPermits } from "#base/turns";
import type { Row } from "./packed-rows.ts";
import type { SqliteRows, SqliteThread } from "./sqlite-thread.ts";

/** Kysely over one SQLite connection in a thread. Who asks waits for the end of the transaction that is open. */
export function sqliteDialect(thread: SqliteThread): Dialect {
  return {
    createDriver: () => createDriver(thread),
    createQueryCompiler: () => new SqliteQueryCompiler(),
    createAdapter: () => new SqliteAdapter(),
    createIntrospector: (database: Kysely<unknown>) => new SqliteIntrospector(database),
  };
}

function createDriver(thread: SqliteThread): Driver {
  const connection: DatabaseConnection = {
    async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
      const [result] = await thread.run([{ sql, rows: [parameters as Row] }]);
      if (result === undefined) throw new Error("no result of a statement");
      return { rows: toObjects(result) as R[], numAffectedRows: BigInt(result.changes) };
    },
    streamQuery() {
      throw new Problem("unsupported", "rows are not streamed");
    },
  };
  const run = async (sql: string) => void (await connection.executeQuery(CompiledQuery.raw(sql)));
  const permits = createPermits(1);
  return {
    init: async () => {},
    async acquireConnection() {
      await permits.take();
      return connection;
    },
    releaseConnection: async () => permits.give(),
    beginTransaction: () => run("begin immediate"),
    commitTransaction: () => run("commit"),
    rollbackTransaction: () => run("rollback"),
    destroy: () => thread.close(),
  };
}

function toObjects({ names, rows }: SqliteRows): Record<string, unknown>[] {
  return rows.map((row) => {
    const object: Record<string, unknown> = {};
    for (const [at, name] of names.entries()) object[name] = row[at];
    return object;
  });
}
