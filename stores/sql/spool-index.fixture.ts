import { DatabaseSync } from "node:sqlite";
import { packRows } from "./packed-rows.ts";
import { createSpoolIndex, type SpoolIndex } from "./spool-index.ts";
import type { SqliteRows, SqliteRuns } from "./sqlite-thread.ts";
import { createRunner } from "./sqlite-worker.ts";

/** The real statements on a database in memory, which remembers every commit: a test makes it again as a crash leaves it. */
export interface IndexHistory {
  readonly index: SpoolIndex;
  /** How many commits were begun, and how many of them were answered. */
  commits(): { readonly begun: number; readonly done: number };
  /** Another, as it stood behind so many commits. */
  asOf(commits: number): Promise<IndexHistory>;
  /** The next commit, or the next query, rejects with this, having changed nothing. */
  failNext(what: "commit" | "query", error: Error): void;
}

type Commit = readonly SqliteRuns[];

export async function createIndexHistory(past: readonly Commit[] = []): Promise<IndexHistory> {
  const runSteps = createRunner(new DatabaseSync(":memory:"));
  const run = (steps: readonly SqliteRuns[]): SqliteRows[] =>
    runSteps(steps.map(({ sql, rows }) => ({ sql, parameters: packRows(rows, []) }))).map((ran) => ({
      ...ran,
      rows: [...ran.rows],
    }));
  const commits: Commit[] = [...past];
  const failures = new Map<string, Error>();
  let done = past.length;
  let isOpen = false;
  const index = await createSpoolIndex({
    async run(steps) {
      if (!isOpen) return run(steps);
      const lasting = steps.filter(({ sql }) => /^(insert|update|delete)/.test(sql) && !/^\w+ \w+ taken/.test(sql));
      const kind = lasting.length > 0 ? "commit" : "query";
      const failure = failures.get(kind);
      failures.delete(kind);
      if (failure !== undefined) throw failure;
      const results = run(steps);
      if (kind === "commit") commits.push(structuredClone(lasting));
      const mine = commits.length;
      await new Promise<void>((resolve) => setImmediate(resolve));
      done = Math.max(done, mine);
      return results;
    },
    close: async () => {},
  });
  for (const commit of past) run(commit);
  isOpen = true;
  return {
    index,
    commits: () => ({ begun: commits.length, done }),
    asOf: (count) => createIndexHistory(commits.slice(0, count)),
    failNext: (what, error) => void failures.set(what, error),
  };
}
