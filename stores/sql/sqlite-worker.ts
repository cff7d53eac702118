import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { type PackedRows, packRows, type Row, unpackRows } from "./packed-rows.ts";

/**
 * One SQLite connection in a thread of its own, so that neither a slow query nor a sync holds up the event loop. What belongs
 * together comes in one message, and stands or falls together.
 */
export interface SqliteRequest {
  readonly id: number;
  readonly steps: readonly SqliteStep[];
}

/** One statement, run once for each row of parameters. */
export interface SqliteStep {
  readonly sql: string;
  readonly parameters: PackedRows;
}

export type SqliteReply =
  | { readonly id: number; readonly results: readonly SqliteResult[] }
  | { readonly id: number; readonly error: string; readonly errcode: number };

/** All rows that a step gave, one run after the other. */
export interface SqliteResult {
  readonly names: readonly string[];
  readonly rows: PackedRows;
  readonly changes: number;
}

export interface SqliteWorkerData {
  readonly path: string;
  readonly queryOnly: boolean;
  readonly cacheBytesMost: number;
}

const statementsMost = 200;
/** A block of the index rests in its page with its neighbours, rather than in a chain of pages of its own. */
const pageBytes = 8192;
const journalBytesMost = 64 * 1024 * 1024;

/** Removed rows are overwritten with zeros; a log longer than the bound is cut when it begins anew. */
function openDatabase({ path, queryOnly, cacheBytesMost }: SqliteWorkerData): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: 5000, enableForeignKeyConstraints: true });
  if (!queryOnly) database.exec(`PRAGMA page_size = ${pageBytes}; PRAGMA journal_mode = WAL`);
  database.exec(`PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA journal_size_limit = ${journalBytesMost};
    PRAGMA cache_size = -${Math.floor(cacheBytesMost / 1024)}; PRAGMA temp_store = MEMORY;
    PRAGMA query_only = ${queryOnly ? "ON" : "OFF"}`);
  return database;
}

function serve(port: MessagePort, data: SqliteWorkerData): void {
  const database = openDatabase(data);
  const run = createRunner(database);
  port.on("message", (request: SqliteRequest | "close") => {
    if (request === "close") {
      database.close();
      port.close();
      return;
    }
    const { id, steps } = request;
    try {
      const moved: ArrayBuffer[] = [];
      const results = run(steps).map(({ names, rows, changes }) => ({ names, rows: packRows(rows, moved), changes }));
      port.postMessage({ id, results } satisfies SqliteReply, moved);
    } catch (error) {
      const { message, errcode } = error as { message?: string; errcode?: number };
      port.postMessage({ id, error: String(message), errcode: errcode ?? 0 } satisfies SqliteReply);
    }
  });
}

interface Ran {
  readonly names: readonly string[];
  readonly rows: readonly Row[];
  readonly changes: number;
}

export function createRunner(database: DatabaseSync): (steps: readonly SqliteStep[]) => Ran[] {
  const statements = createStatements(database);
  const runStep = ({ sql, parameters }: SqliteStep): Ran => {
    // A failed statement (a full disk) may have rolled back by itself.
    if (sql === "rollback" && !database.isTransaction) return { names: [], rows: [], changes: 0 };
    const { statement, names } = statements(sql);
    const rows: Row[] = [];
    let changes = 0;
    for (const row of unpackRows(parameters)) {
      const values = row as SQLInputValue[];
      if (names.length === 0) changes += Number(statement.run(...values).changes);
      else for (const found of statement.all(...values)) rows.push(found as unknown as Row);
    }
    return { names, rows, changes };
  };
  return (steps) => {
    // One transaction for all runs: they see one state, and the file is locked once.
    const runs = steps.reduce((sum, { parameters }) => sum + parameters.count, 0);
    if (runs < 2 || database.isTransaction) return steps.map(runStep);
    database.exec("begin");
    try {
      const ran = steps.map(runStep);
      database.exec("commit");
      return ran;
    } catch (error) {
      if (database.isTransaction) database.exec("rollback");
      throw error;
    }
  };
}

/** Keeps those prepared that were used last. */
function createStatements(database: DatabaseSync) {
  const kept = new Map<string, { statement: StatementSync; names: string[] }>();
  return (sql: string) => {
    let found = kept.get(sql);
    if (found === undefined) {
      const statement = database.prepare(sql);
      statement.setReturnArrays(true);
      found = { statement, names: statement.columns().map(({ name }) => name) };
      const oldest = kept.size >= statementsMost ? kept.keys().next().value : undefined;
      if (oldest !== undefined) kept.delete(oldest);
    } else kept.delete(sql);
    kept.set(sql, found);
    return found;
  };
}

if (parentPort !== null) serve(parentPort, workerData as SqliteWorkerData);
