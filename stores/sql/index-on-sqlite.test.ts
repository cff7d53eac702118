import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { silentLog } from "#base/log";
import { openIndexOnSqlite } from "./index-on-sqlite.ts";
import type { Order } from "./index-statements.ts";
import { temporaryFolder } from "./temporary.fixture.ts";

test("reads that are asked for in one go are answered each with its own rows, and one that fails takes none along", async () => {
  const index = await openIndexOnSqlite({ path: join(temporaryFolder(), "index.db"), log: silentLog });
  try {
    const order = (text: string, ...values: number[]): Order => ({
      statement: { text, forList: false },
      rows: [values],
    });
    const numbers = Array.from({ length: 40 }, (_, at) => at);
    const answers = await Promise.all(numbers.map((number) => index.read(order("select ?", number))));
    assert.deepEqual(
      answers,
      numbers.map((number) => [[number]]),
    );
    const mixed = ["select 1", "select nothing", "select 2"].map((text) => index.read(order(text)));
    const [first, bad, second] = await Promise.allSettled(mixed);
    assert.equal(bad?.status, "rejected");
    assert.deepEqual(
      [first, second].map((each) => each?.status === "fulfilled" && each.value),
      [[[1]], [[2]]],
    );
  } finally {
    await index.close();
  }
});
