import { DatabaseSync } from "node:sqlite";
import { Problem } from "#base/problem";
import { packRows } from "./packed-rows.ts";
import { createSpoolIndex, type SpoolIndex } from "./spool-index.ts";
import type { SqliteRows, SqliteRuns } from "./sqlite-thread.ts";
import { createRunner } from "./sqlite-worker.ts";

/** The real statements on a database in memory, which remembers every commit: a test makes it again as a crash leaves it. */
export interface IndexHistory {
  readonly index: SpoolIndex;
  /** How many commits are durable for certain, and how many may be, behind so many steps of a trace. */
  standingAt(steps: number): { readonly least: number; readonly most: number };
  /** Another, as it stood behind so many commits. */
  asOf(commits: number): Promise<IndexHistory>;
  /** The same database for the next process, quickly; the former finds nothing there any more. */
  survive(): Promise<IndexHistory>;
  /** The commit of this number, counted from now, rejects with this, having changed nothing. */
  failAt(commit: number, error: Error): void;
}

type Commit = readonly SqliteRuns[];

/** `position`: how many steps a trace of the files beside it has. */
export async function createIndexHistory(
  position: () => number = () => 0,
  past: readonly Commit[] = [],
): Promise<IndexHistory> {
  const database = new DatabaseSync(":memory:");
  database.exec("pragma temp_store = memory; pragma journal_mode = memory");
  return historyOn(database, position, past);
}

async function historyOn(
  database: DatabaseSync,
  position: () => number,
  past: readonly Commit[],
): Promise<IndexHistory> {
  const runSteps = createRunner(database);
  const run = (steps: readonly SqliteRuns[]): SqliteRows[] =>
    runSteps(steps.map(({ sql, rows }) => ({ sql, parameters: packRows(rows, []) }))).map((ran) => ({
      ...ran,
      rows: [...ran.rows],
    }));
  const commits: { readonly steps: Commit; readonly begunAt: number; doneAt: number }[] = past.map((steps) => ({
    ...{ steps, begunAt: 0, doneAt: 0 },
  }));
  let failing: { commit: number; readonly error: Error } | undefined;
  let isOpen = false;
  let isDead = false;
  const index = await createSpoolIndex({
    async run(steps) {
      if (isDead) throw new Problem("unavailable", "the process of this index was killed");
      if (!isOpen) return run(steps);
      const lasting = steps.filter(({ sql }) => /^(insert|update|delete)/.test(sql) && !/^\w+ \w+ taken/.test(sql));
      const isCommit = lasting.length > 0;
      if (isCommit && failing !== undefined && failing.commit-- === 0) throw failing.error;
      const results = run(steps);
      const commit = { steps: lasting, begunAt: position(), doneAt: Number.POSITIVE_INFINITY };
      if (isCommit) commits.push(commit);
      await new Promise<void>((resolve) => setImmediate(resolve));
      commit.doneAt = position();
      return results;
    },
    close: async () => {},
  });
  for (const commit of past) run(commit);
  isOpen = true;
  return {
    index,
    standingAt: (steps) => ({
      least: commits.filter(({ doneAt }) => doneAt <= steps).length,
      most: commits.filter(({ begunAt }) => begunAt <= steps).length,
    }),
    asOf: (count) =>
      createIndexHistory(
        () => 0,
        commits.slice(0, count).map(({ steps }) => steps),
      ),
    survive() {
      isDead = true;
      database.exec("drop table temp.taken");
      return historyOn(database, position, []);
    },
    failAt(commit, error) {
      failing = { commit, error };
    },
  };
}
