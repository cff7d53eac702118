import { Worker } from "node:worker_threads";
import { Problem } from "#base/problem";
import { packRows, type Row, unpackRows } from "./packed-rows.ts";
import type { SqliteReply, SqliteRequest, SqliteWorkerData } from "./sqlite-worker.ts";

const sqliteBusy = 5;
const sqliteIo = 10;
const sqliteCorrupt = 11;
const sqliteFull = 13;
const sqliteNoDatabase = 26;

/** One statement, run once for each row of parameters. */
export interface SqliteRuns {
  readonly sql: string;
  readonly rows: readonly Row[];
}

export interface SqliteRows {
  readonly names: readonly string[];
  readonly rows: Row[];
  readonly changes: number;
}

/** One SQLite connection in a thread of its own. */
export interface SqliteThread {
  /** In one message; outside a transaction in one of their own. Requests are answered in their order. */
  run(steps: readonly SqliteRuns[]): Promise<SqliteRows[]>;
  /** After what was asked before; what is asked later is "unavailable". */
  close(): Promise<void>;
}

export function startSqlite(data: SqliteWorkerData): SqliteThread {
  const worker = new Worker(new URL("./sqlite-worker.ts", import.meta.url), { workerData: data });
  const waiting = new Map<number, { resolve(results: SqliteRows[]): void; reject(error: Problem): void }>();
  let serial = 0;
  let ended: Problem | undefined;

  const end = (problem: Problem) => {
    ended ??= problem;
    for (const { reject } of waiting.values()) reject(ended);
    waiting.clear();
  };
  const exited = new Promise<void>((resolve) => worker.once("exit", () => resolve()));
  worker.on("error", (cause) => end(cannotOpen(cause)));
  worker.on("exit", () => end(new Problem("unavailable", "the database is closed")));
  worker.on("message", (reply: SqliteReply) => {
    const call = waiting.get(reply.id);
    waiting.delete(reply.id);
    if (call === undefined) return;
    if ("error" in reply) return call.reject(problemOf(reply));
    call.resolve(reply.results.map(({ names, rows, changes }) => ({ names, rows: unpackRows(rows), changes })));
  });

  return {
    run(steps) {
      if (ended !== undefined) return Promise.reject(ended);
      return new Promise((resolve, reject) => {
        const id = serial++;
        waiting.set(id, { resolve, reject });
        const moved: ArrayBuffer[] = [];
        const packed = steps.map(({ sql, rows }) => ({ sql, parameters: packRows(rows, moved) }));
        worker.postMessage({ id, steps: packed } satisfies SqliteRequest, moved);
      });
    },
    async close() {
      if (ended === undefined) worker.postMessage("close");
      ended ??= new Problem("unavailable", "the database is closed");
      await exited;
    },
  };
}

function cannotOpen(cause: unknown): Problem {
  const { message, errcode } = cause as { message?: string; errcode?: number };
  const problem = problemOf({ error: String(message), errcode: errcode ?? 0 });
  return problem.code === "fault" ? new Problem("unavailable", "the database cannot be opened", { cause }) : problem;
}

/** SQLite's message names tables and columns, never a value. */
function problemOf({ error, errcode }: { error: string; errcode: number }): Problem {
  const cause = Object.assign(new Error(error), { code: `SQLITE_${errcode}` });
  switch (errcode & 0xff) {
    case sqliteFull:
      return new Problem("no-room", "no room left in the database", { remedy: "free or add disk space", cause });
    case sqliteBusy:
      return new Problem("busy", "the database is held by another program", { cause });
    case sqliteIo:
      return new Problem("fault", "the database cannot read or write its file", {
        remedy: "see that its disk is in order and has room",
        cause,
      });
    case sqliteCorrupt:
    case sqliteNoDatabase:
      return new Problem("damaged", "the database file is damaged", {
        remedy: "put it back from a backup; an index can be made again by `leadglass vault rebuild`",
        cause,
      });
    default:
      return new Problem("fault", "the database refused a statement", {
        remedy: "see the log of the server at this time",
        cause,
      });
  }
}
