import assert from "node:assert/strict";
import { test } from "node:test";
import { createVirtualClock } from "#base/clock";
import { silentLog } from "#base/log";
import { Problem } from "#base/problem";
import { createMemorySealedObjects, type MemorySealedObjects } from "#stores/memory";
import type { ObjectMove, SealedObjects } from "#trust/vault";
import { type PutObject, putObject, survey, verifyObject } from "../../trust/vault/sealed-objects.fixture.ts";
import { type CompactedStore, type CompactionParts, createCompaction } from "./compaction.ts";

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
const rangeOf = ({ pack, start, bytes }: PutObject) => ({ pack, from: start, to: start + bytes.length });

function storeOf(objects: SealedObjects, options: Partial<CompactedStore> = {}) {
  const moves: ObjectMove[] = [];
  const store: CompactedStore = {
    half: "image",
    objects,
    async keeps(found) {
      await verifyObject(objects, found);
      return true;
    },
    async moved(these) {
      moves.push(...these);
    },
    isTakenIn: async () => true,
    ...options,
  };
  return { store, moves };
}

function compactionOf(store: CompactedStore, options: Partial<CompactionParts> = {}) {
  const clock = createVirtualClock();
  const compaction = createCompaction({
    stores: [store],
    clock,
    log: silentLog,
    bytesPerSecond: 1e12,
    discardedBytesMin: 1000,
    quietMs: 0,
    ...options,
  });
  return { clock, compaction };
}

async function filled(sizes: readonly number[]): Promise<{ objects: MemorySealedObjects; put: PutObject[] }> {
  const objects = createMemorySealedObjects();
  const put = [];
  for (const size of sizes) put.push(await putObject(objects, size));
  return { objects, put };
}

const nothing = { packs: 0, objects: 0, freedBytes: 0, damagedPacks: 0 };

test("a pack is compacted once enough of it was discarded, and not before", async () => {
  const { objects, put } = await filled([2000, 3000, 3000, 3000]);
  const { store, moves } = storeOf(objects);
  const { compaction } = compactionOf(store);
  assert.deepEqual(await compaction.run(), nothing);
  await objects.discard([rangeOf(put[0] as PutObject)]);
  assert.deepEqual(await compaction.run(), nothing, "less than a quarter");
  await objects.discard([rangeOf(put[1] as PutObject)]);
  const gone = (put[0] as PutObject).bytes.length + (put[1] as PutObject).bytes.length;
  assert.deepEqual(await compaction.run(), { packs: 1, objects: 2, freedBytes: gone, damagedPacks: 0 });
  assert.equal(moves.length, 2);
  assert.deepEqual(
    (await survey(objects)).found.map(({ id }) => id),
    put.slice(2).map(({ id }) => id),
  );
  assert.deepEqual(await compaction.run(), nothing, "nothing is left to do");
});

test("a pack that the index has not wholly taken in waits", async () => {
  const { objects, put } = await filled([5000, 10]);
  await objects.discard([rangeOf(put[0] as PutObject)]);
  let isTakenIn = false;
  const { store } = storeOf(objects, { isTakenIn: async () => isTakenIn });
  const { compaction } = compactionOf(store);
  assert.deepEqual(await compaction.run(), nothing);
  isTakenIn = true;
  assert.equal((await compaction.run()).packs, 1);
});

test("a pack with damage, one that is written to, and an index that fails keep nothing else from being compacted", async () => {
  const { objects, put } = await filled([5000, 10]);
  await objects.discard([rangeOf(put[0] as PutObject)]);
  const broken = storeOf(objects, { keeps: () => Promise.reject(new Problem("damaged", "made to fail")) });
  assert.deepEqual(await compactionOf(broken.store).compaction.run(), { ...nothing, damagedPacks: 1 });
  const refusing = storeOf(objects, { moved: () => Promise.reject(new Problem("unavailable", "no index")) });
  assert.deepEqual(await compactionOf(refusing.store).compaction.run(), nothing);
  const again = await putObject(objects, 4000);
  await objects.discard([rangeOf(again)]);
  const writer = await objects.begin();
  const { store } = storeOf(objects);
  const { compaction } = compactionOf(store);
  assert.equal((await compaction.run()).packs, 1, "the one that nobody writes to");
  await writer.abort();
  assert.equal((await compaction.run()).packs, 1);
  assert.deepEqual(
    (await survey(objects)).found.map(({ id }) => id),
    [(put[1] as PutObject).id],
  );
});

test("it keeps to its rate, and a stop ends it at once with everything in place", async () => {
  const { objects, put } = await filled([50_000, 100_000, 100_000, 100_000]);
  await objects.discard([rangeOf(put[0] as PutObject)]);
  const { store } = storeOf(objects);
  const { compaction, clock } = compactionOf(store, { bytesPerSecond: 100_000, discardedShareMin: 0.1 });
  const running = compaction.run();
  running.catch(() => {});
  for (let i = 0; i < 20; i++) await turn();
  clock.advance(500);
  for (let i = 0; i < 20; i++) await turn();
  await compaction.close();
  await assert.rejects(running);
  assert.deepEqual(
    (await survey(objects)).found.map(({ id }) => id),
    put.slice(1).map(({ id }) => id),
  );
});

test("a pack is left alone until nothing has come into it for a while", async () => {
  const { objects, put } = await filled([5000, 10]);
  await objects.discard([rangeOf(put[0] as PutObject)]);
  const { store } = storeOf(objects);
  const { compaction, clock } = compactionOf(store, { quietMs: 60_000, discardedShareMin: 0.1 });
  assert.deepEqual(await compaction.run(), nothing);
  clock.advance(59_000);
  await putObject(objects, 10);
  assert.deepEqual(await compaction.run(), nothing);
  clock.advance(59_000);
  assert.deepEqual(await compaction.run(), nothing);
  clock.advance(1000);
  assert.equal((await compaction.run()).packs, 1);
});
