import type { Log } from "#base/log";
import { type ChangingConnection, createChanges, type IndexConnection } from "./index-connection.ts";
import { indexSchema } from "./index-schema.ts";
import type { Order } from "./index-statements.ts";
import type { Row } from "./packed-rows.ts";
import { type Ask, migrate } from "./schema.ts";
import { type SqliteThread, startSqlite } from "./sqlite-thread.ts";

/** Above the inner pages of a million studies; leaves are in the system's cache. */
const cacheBytesMost = 16 * 1024 * 1024;

/** Two threads hold one connection each: one writes, one reads. */
export async function openIndexOnSqlite(at: {
  readonly path: string;
  readonly home?: string;
  readonly log: Log;
}): Promise<IndexConnection> {
  const { path, home, log } = at;
  const writer = startSqlite({ path, queryOnly: false, cacheBytesMost });
  const ask: Ask = async (sql) => (await writer.run([{ sql, rows: [[]] }]))[0]?.rows ?? [];
  let reader: SqliteThread;
  try {
    await migrate(ask, "sqlite", indexSchema, home);
    reader = startSqlite({ path, queryOnly: true, cacheBytesMost });
    await reader.run([{ sql: "select 1", rows: [[]] }]);
  } catch (error) {
    await writer.close();
    throw error;
  }
  const connection: ChangingConnection = {
    begin: async () => void (await ask("begin immediate")),
    run: (orders) => runOn(writer, orders),
    commit: async () => void (await ask("commit")),
    rollback: () => ask("rollback").then(noted, noted),
  };
  const { change, settled } = createChanges({
    connect: async () => connection,
    afterRemoval: () => cutJournal(ask, log),
  });
  return {
    engine: "sqlite",
    read: readingTogether(reader),
    change,
    async close() {
      await settled();
      await reader.close();
      await writer.close();
    },
  };
}

/** The write-ahead log still has the pages as they were. Somebody who reads at this time may keep it from being cut. */
async function cutJournal(ask: Ask, log: Log): Promise<void> {
  const kept = (error?: unknown) =>
    log.warn("what was removed from the index stays in its write-ahead log until the next removal or stop", {}, error);
  try {
    const [row] = await ask("pragma wal_checkpoint(truncate)");
    if (row?.[0] !== 0) kept();
  } catch (error) {
    kept(error);
  }
}

const noted = () => {};

interface AskedRead {
  readonly order: Order;
  readonly resolve: (rows: Row[]) => void;
  readonly reject: (error: unknown) => void;
}

/** Of one message: nobody's look-up waits for many others' to be carried back. */
const readsAtOnceMax = 16;

/** What is asked for in one go travels in one message, which takes longer than a look-up. One that fails takes none beside it along. */
function readingTogether(reader: SqliteThread): (order: Order) => Promise<Row[]> {
  let asked: AskedRead[] = [];
  const runAlone = ({ order, resolve, reject }: AskedRead) =>
    runOn(reader, [order]).then(([rows = []]) => resolve(rows), reject);
  const send = () => {
    const together = asked;
    asked = [];
    const [only] = together;
    if (only !== undefined && together.length === 1) return void runAlone(only);
    runOn(
      reader,
      together.map(({ order }) => order),
    ).then(
      (results) => {
        for (const [at, { resolve }] of together.entries()) resolve(results[at] ?? []);
      },
      () => {
        for (const each of together) void runAlone(each);
      },
    );
  };
  return (order) =>
    new Promise((resolve, reject) => {
      if (asked.length === readsAtOnceMax) send();
      if (asked.push({ order, resolve, reject }) === 1) queueMicrotask(send);
    });
}

async function runOn(thread: SqliteThread, orders: readonly Order[]) {
  const results = await thread.run(orders.map(({ statement, rows }) => ({ sql: statement.text, rows })));
  return results.map(({ rows }) => rows);
}
