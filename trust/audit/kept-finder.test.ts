import assert from "node:assert/strict";
import { test } from "node:test";
import { createVirtualClock } from "#base/clock";
import { silentLog } from "#base/log";
import { createMemoryEntryIndex, createMemoryEntryStore } from "#stores/memory";
import { createKeptFinder } from "./kept-finder.ts";
import { createAuditLog } from "./log.ts";

const study = "5".repeat(32);

async function openLog(origin = "leadglass.log/test") {
  const clock = createVirtualClock();
  const store = createMemoryEntryStore();
  const audit = await createAuditLog({ store, clock, signingSeed: new Uint8Array(32), origin });
  const append = async (count: number, act = "study.view") => {
    for (let at = 0; at < count; at++) {
      clock.advance(1_000);
      await audit.append({ actor: `user:${at % 3}`, act, on: { kind: "study", id: study }, outcome: "done" });
    }
  };
  return { clock, audit, append };
}

test("what was appended before and behind the index is found by it, and every entry comes from the log", async () => {
  const { clock, audit, append } = await openLog();
  await append(30);
  const finder = await createKeptFinder({ audit, index: createMemoryEntryIndex(), clock, log: silentLog });
  await append(3, "study.read");
  const { entries, next } = await finder.find({ study, act: "study.read" }, { limit: 2 });
  assert.deepEqual(
    entries.map(({ index, act, actor }) => [index, act, actor]),
    [
      [32, "study.read", "user:2"],
      [31, "study.read", "user:1"],
    ],
  );
  assert.equal(next, 31);
  assert.deepEqual(
    (await finder.find({ study, act: "study.read" }, { limit: 2, before: 31 })).entries.map(({ index }) => index),
    [30],
  );
  await finder.close();
});

test("the index follows the log by itself, and stops when it is closed", async () => {
  const { clock, audit, append } = await openLog();
  const index = createMemoryEntryIndex();
  const finder = await createKeptFinder({ audit, index, clock, log: silentLog });
  await append(5);
  clock.advance(1_000);
  await finder.followed();
  assert.equal((await index.mark())?.size, 5);
  await finder.close();
  await append(1);
  clock.advance(10_000);
  assert.equal((await index.mark())?.size, 5);
});

test("an index of another log is begun anew, and one of this log goes on", async () => {
  const { clock, audit, append } = await openLog();
  await append(4);
  const index = createMemoryEntryIndex();
  await index.add([{ index: 0, at: 1, actor: "user:9", act: "study.view", outcome: "done", studies: [] }], {
    size: 1,
    lastHash: "00",
  });
  const finder = await createKeptFinder({ audit, index, clock, log: silentLog });
  assert.deepEqual((await finder.find({ actor: "user:9" }, { limit: 9 })).entries, []);
  assert.equal((await finder.find({}, { limit: 9 })).entries.length, 4);
  await finder.close();
  const again = await createKeptFinder({ audit, index, clock, log: silentLog });
  assert.equal((await again.find({}, { limit: 9 })).entries.length, 4);
  await again.close();
});

test("an index that lies shows nothing that does not fit, and without one the log is walked", async () => {
  const { clock, audit, append } = await openLog();
  await append(6);
  const index = createMemoryEntryIndex();
  const finder = await createKeptFinder({ audit, index, clock, log: silentLog });
  await finder.followed();
  const lying = { ...index, find: async () => [5, 4, 3] };
  const misled = await createKeptFinder({ audit, index: lying, clock, log: silentLog });
  assert.deepEqual(
    (await misled.find({ actor: "user:0" }, { limit: 3 })).entries.map((one) => one.index),
    [3],
  );
  const broken = { ...index, find: () => Promise.reject(new Error("gone")) };
  const walking = await createKeptFinder({ audit, index: broken, clock, log: silentLog });
  assert.deepEqual(
    (await walking.find({ actor: "user:0" }, { limit: 3 })).entries.map((one) => one.index),
    [3, 0],
  );
  await Promise.all([finder.close(), misled.close(), walking.close()]);
});
