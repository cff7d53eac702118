import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { type MessagePort, parentPort, workerData } from "node:worker_threads";

/**
 * One SQLite connection in a thread of its own, so that neither a slow query nor a sync holds up the event loop.
 * Rows go back as arrays under one list of column names: a quarter of the cost of cloning an object for each.
 */
export interface SqliteRequest {
  readonly id: number;
  readonly sql: string;
  readonly parameters: readonly unknown[];
}

export type SqliteReply =
  | {
      readonly id: number;
      readonly columns: readonly string[];
      readonly rows: readonly unknown[][];
      readonly changes: number;
    }
  | { readonly id: number; readonly error: string; readonly errcode: number };

export interface SqliteWorkerData {
  readonly path: string;
  readonly queryOnly: boolean;
  readonly cacheBytesMost: number;
}

const statementsMost = 400;

function serve(port: MessagePort, { path, queryOnly, cacheBytesMost }: SqliteWorkerData): void {
  const database = new DatabaseSync(path, { timeout: 5000, enableForeignKeyConstraints: true });
  if (!queryOnly) database.exec("PRAGMA journal_mode = WAL");
  database.exec(`PRAGMA synchronous = FULL; PRAGMA cache_size = -${Math.floor(cacheBytesMost / 1024)};
    PRAGMA temp_store = MEMORY; PRAGMA query_only = ${queryOnly ? "ON" : "OFF"}`);
  const statements = new Map<string, { statement: StatementSync; columns: string[] }>();

  const prepared = (sql: string) => {
    let found = statements.get(sql);
    if (found === undefined) {
      const statement = database.prepare(sql);
      statement.setReturnArrays(true);
      found = { statement, columns: statement.columns().map(({ name }) => name) };
      const oldest = statements.size >= statementsMost ? statements.keys().next().value : undefined;
      if (oldest !== undefined) statements.delete(oldest);
    } else statements.delete(sql);
    statements.set(sql, found);
    return found;
  };

  const answer = ({ id, sql, parameters }: SqliteRequest): SqliteReply => {
    try {
      // A failed commit (a full disk) may have rolled back by itself.
      if (sql === "rollback" && !database.isTransaction) return { id, columns: [], rows: [], changes: 0 };
      const { statement, columns } = prepared(sql);
      const values = parameters as SQLInputValue[];
      if (columns.length > 0) {
        return { id, columns, rows: statement.all(...values) as unknown as unknown[][], changes: 0 };
      }
      return { id, columns, rows: [], changes: Number(statement.run(...values).changes) };
    } catch (error) {
      const { message, errcode } = error as { message?: string; errcode?: number };
      return { id, error: String(message), errcode: errcode ?? 0 };
    }
  };

  port.on("message", (request: SqliteRequest | "close") => {
    if (request !== "close") return port.postMessage(answer(request));
    statements.clear();
    database.close();
    port.close();
  });
}

if (parentPort !== null) serve(parentPort, workerData as SqliteWorkerData);
