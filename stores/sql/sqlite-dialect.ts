import { Worker } from "node:worker_threads";
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
import type { SqliteReply, SqliteRequest, SqliteWorkerData } from "./sqlite-worker.ts";

const sqliteFull = 13;
const sqliteBusy = 5;

interface Waiting {
  resolve(result: QueryResult<never>): void;
  reject(error: Problem): void;
}

/** Kysely over one SQLite connection in a worker. Transactions queue: a query outside the open one waits for its end. */
export function sqliteDialect(data: SqliteWorkerData): Dialect {
  return {
    createDriver: () => createDriver(data),
    createQueryCompiler: () => new SqliteQueryCompiler(),
    createAdapter: () => new SqliteAdapter(),
    createIntrospector: (database: Kysely<unknown>) => new SqliteIntrospector(database),
  };
}

function createDriver(data: SqliteWorkerData): Driver {
  let thread: ReturnType<typeof startWorker> | undefined;
  const connection: DatabaseConnection = {
    executeQuery({ sql, parameters }) {
      if (thread === undefined) throw new Problem("unavailable", "the database is closed");
      return thread.send(sql, parameters);
    },
    streamQuery() {
      throw new Problem("unsupported", "rows are not streamed");
    },
  };
  const run = async (sql: string) => void (await connection.executeQuery(CompiledQuery.raw(sql)));
  let held: Promise<void> = Promise.resolve();
  let release = () => {};
  return {
    // Not before: Kysely does not destroy a driver that it never initialised.
    async init() {
      thread = startWorker(data);
    },
    async acquireConnection() {
      // Single statements on a reader need no order among them.
      if (data.queryOnly) return connection;
      const before = held;
      let free = () => {};
      held = new Promise((resolve) => {
        free = resolve;
      });
      await before;
      release = free;
      return connection;
    },
    releaseConnection: async () => release(),
    beginTransaction: () => run("begin immediate"),
    commitTransaction: () => run("commit"),
    rollbackTransaction: () => run("rollback"),
    destroy: async () => thread?.close(),
  };
}

function startWorker(data: SqliteWorkerData) {
  const worker = new Worker(new URL("./sqlite-worker.ts", import.meta.url), { workerData: data });
  const waiting = new Map<number, Waiting>();
  let serial = 0;
  let ended: Problem | undefined;

  const end = (problem: Problem) => {
    ended ??= problem;
    for (const { reject } of waiting.values()) reject(ended);
    waiting.clear();
  };
  const exited = new Promise<void>((resolve) => worker.once("exit", () => resolve()));
  worker.on("error", (cause) => end(new Problem("unavailable", "the database cannot be opened", { cause })));
  worker.on("exit", () => end(new Problem("unavailable", "the database is closed")));
  worker.on("message", (reply: SqliteReply) => {
    const call = waiting.get(reply.id);
    waiting.delete(reply.id);
    if (call === undefined) return;
    if ("error" in reply) call.reject(problemOf(reply));
    else call.resolve({ rows: toRows(reply.columns, reply.rows), numAffectedRows: BigInt(reply.changes) });
  });

  return {
    send<R>(sql: string, parameters: readonly unknown[]): Promise<QueryResult<R>> {
      if (ended !== undefined) return Promise.reject(ended);
      return new Promise((resolve, reject) => {
        const id = serial++;
        waiting.set(id, { resolve, reject });
        worker.postMessage({ id, sql, parameters } satisfies SqliteRequest);
      });
    },
    async close(): Promise<void> {
      worker.postMessage("close");
      await exited;
    },
  };
}

/** SQLite's message names tables and columns, never a value. */
function problemOf({ error, errcode }: { error: string; errcode: number }): Problem {
  const cause = Object.assign(new Error(error), { code: `SQLITE_${errcode}` });
  const primary = errcode & 0xff;
  if (primary === sqliteFull) {
    return new Problem("no-room", "no room left in the database", { remedy: "free or add disk space", cause });
  }
  if (primary === sqliteBusy) return new Problem("busy", "the database is held by another program", { cause });
  return new Problem("fault", "the database refused a statement", {
    remedy: "see the log of the server at this time",
    cause,
  });
}

function toRows(columns: readonly string[], rows: readonly unknown[][]): never[] {
  return rows.map((row) => {
    const object: Record<string, unknown> = {};
    for (let i = 0; i < columns.length; i++) object[columns[i] as string] = row[i];
    return object as never;
  });
}
