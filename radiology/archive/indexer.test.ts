import assert from "node:assert/strict";
import { test } from "node:test";
import { createVirtualClock } from "#base/clock";
import { silentLog } from "#base/log";
import type { Arrival } from "./arrivals.ts";
import { createIndexer } from "./indexer.ts";
import type { AddOutcome, InstanceRecord, PackMark, StudyIndex } from "./study-index.ts";

const record = (id: string) => ({ id }) as InstanceRecord;

/** Only what the indexer calls; fails as often as it is told. */
function recordingIndex(failures = 0) {
  const batches: { ids: string[]; marks: readonly PackMark[] }[] = [];
  let left = failures;
  const index = {
    async add(records: readonly InstanceRecord[], marks: readonly PackMark[]): Promise<AddOutcome[]> {
      if (left-- > 0) throw new Error("database is gone");
      batches.push({ ids: records.map(({ id }) => id), marks });
      return records.map(() => "added");
    },
  } as Partial<StudyIndex> as StudyIndex;
  return { index, batches };
}

const turns = async (count = 10) => {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
};

test("instances that come one after the other are taken in together", async () => {
  const clock = createVirtualClock();
  const { index, batches } = recordingIndex();
  const indexer = createIndexer({ index, clock, log: silentLog });
  for (const [at, id] of ["a", "b", "c"].entries())
    indexer.push(record(id), indexer.arrived({ pack: "p", position: at }));
  await turns();
  assert.equal(batches.length, 0);
  clock.advance(100);
  await turns();
  assert.deepEqual(batches, [{ ids: ["a", "b", "c"], marks: [{ pack: "p", position: 2 }] }]);
});

test("who waits for the index does not wait for more to come", async () => {
  const { index, batches } = recordingIndex();
  const indexer = createIndexer({ index, clock: createVirtualClock(), log: silentLog });
  indexer.push(record("a"), indexer.arrived({ pack: "p", position: 1 }));
  await indexer.settled();
  assert.equal(batches.length, 1);
  await indexer.settled();
});

test("a database that fails is asked again, in order, and nothing is left out", async () => {
  const clock = createVirtualClock();
  const { index, batches } = recordingIndex(2);
  const indexer = createIndexer({ index, clock, log: silentLog });
  indexer.push(record("a"), indexer.arrived({ pack: "p", position: 1 }));
  const settled = indexer.settled();
  for (let i = 0; i < 5; i++) {
    await turns();
    clock.advance(1_000);
  }
  await settled;
  assert.deepEqual(
    batches.flatMap((batch) => batch.ids),
    ["a"],
  );
});

test("closing takes in what is queued and refuses more", async () => {
  const { index, batches } = recordingIndex();
  const indexer = createIndexer({ index, clock: createVirtualClock(), log: silentLog });
  indexer.push(record("a"), indexer.arrived({ pack: "p", position: 1 }));
  await indexer.close();
  assert.equal(batches.length, 1);
  assert.throws(() => indexer.push(record("b"), indexer.arrived({ pack: "p", position: 2 })), { code: "unavailable" });
});

test("a mark does not pass an object that is on the disk and not yet in the index", async () => {
  const { index, batches } = recordingIndex();
  const indexer = createIndexer({ index, clock: createVirtualClock(), log: silentLog });
  const [first, second, third, other] = [1, 2, 3]
    .map((position) => indexer.arrived({ pack: "p", position }))
    .concat(indexer.arrived({ pack: "q", position: 7 })) as [Arrival, Arrival, Arrival, Arrival];
  // Acknowledged out of order: the log's entry of the first was durable last, the third's never.
  indexer.push(record("b"), second);
  indexer.push(record("o"), other);
  await indexer.settled();
  indexer.drop(third);
  indexer.push(record("a"), first);
  await indexer.settled();
  assert.deepEqual(batches, [
    { ids: ["b", "o"], marks: [{ pack: "q", position: 7 }] },
    { ids: ["a"], marks: [{ pack: "p", position: 3 }] },
  ]);
});

test("while the index is made again no mark is written, and then all are", async () => {
  const { index, batches } = recordingIndex();
  const indexer = createIndexer({ index, clock: createVirtualClock(), log: silentLog });
  const writeMarks = indexer.holdMarks();
  indexer.push(record("new"), indexer.arrived({ pack: "p", position: 9 }));
  await indexer.settled();
  indexer.push(record("old"), indexer.arrived({ pack: "o", position: 4 }));
  await indexer.settled();
  assert.deepEqual(
    batches.flatMap(({ marks }) => marks),
    [],
  );
  await writeMarks();
  assert.deepEqual(batches.at(-1), {
    ids: [],
    marks: [
      { pack: "p", position: 9 },
      { pack: "o", position: 4 },
    ],
  });
});
