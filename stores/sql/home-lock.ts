import { DatabaseSync } from "node:sqlite";
import { asProblem } from "#base/problem";

export interface HomeLock {
  release(): void;
}

const sqliteBusy = 5;

/**
 * Takes the one lock of a home, in the small file at `path`; undefined when another process has it. It is a lock of the
 * kernel (through SQLite, as Node has no call for it), so it goes when the process ends, however it ends. The file stays.
 */
export function lockHome(path: string): HomeLock | undefined {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { timeout: 0 });
    database.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
    const held = database;
    // A function that refers to its own connection keeps it from being collected, which would give up the lock.
    held.function("is_held", () => (held.isTransaction ? 1 : 0));
    return { release: () => held.close() };
  } catch (error) {
    database?.close();
    if (((error as { errcode?: number }).errcode ?? 0) % 256 === sqliteBusy) return undefined;
    throw asProblem(error, "locking the home");
  }
}
