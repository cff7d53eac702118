import assert from "node:assert/strict";
import { test } from "node:test";
import { createVirtualClock, type VirtualClock } from "#base/clock";
import { createFaultyFiles, createTracedFiles, type Files } from "#base/io";
import { silentLog } from "#base/log";
import { isProblem, Problem } from "#base/problem";
import { createMemorySealedObjects, type MemorySealedObjects } from "#stores/memory";
import type { PackRange, ReadAt, Replica, SealedObjects } from "#trust/vault";
import { type PutObject, putObject, verifyAt } from "../../trust/vault/sealed-objects.fixture.ts";
import { createScrub, type Scrub } from "./scrub.ts";

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** A replica in memory, as the store stood when it was made. */
function replicaOf(objects: MemorySealedObjects) {
  const copy = Buffer.from(objects.bytes());
  let isAway = false;
  const reach = () => {
    if (isAway) throw new Problem("fault", "made to fail");
  };
  const replica: Replica = {
    status: () => ({ laggingBytes: 0, since: undefined, strangePacks: 0 }),
    async read(_, position, into) {
      reach();
      return copy.copy(into, 0, position, position + into.length);
    },
    async repair({ from, to }: PackRange, place) {
      reach();
      if (place === "first") copy.copy(objects.bytes(), from, from, to);
      else objects.bytes().copy(copy, from, from, to);
    },
  };
  return {
    copy,
    goAway: () => {
      isAway = true;
    },
    objects: { ...objects, replica } satisfies SealedObjects,
  };
}

interface Under {
  readonly scrub: Scrub;
  readonly clock: VirtualClock;
  readonly proven: string[];
}

function scrubOf(objects: SealedObjects, files: Files = createTracedFiles().files, bytesPerSecond = 1e12): Under {
  const clock = createVirtualClock();
  const proven: string[] = [];
  const prove = async ({ pack, offset }: { pack: string; offset: number }, readAt: ReadAt) => {
    try {
      await verifyAt(readAt, { pack, offset });
      proven.push(`${pack} ${offset}`);
      return undefined;
    } catch (error) {
      if (isProblem(error, "damaged")) return error.message;
      throw error;
    }
  };
  const stores = [{ half: "image", objects, prove }] as const;
  const scrub = createScrub({ stores, clock, log: silentLog, files, folder: "home", bytesPerSecond });
  return { scrub, clock, proven };
}

/** Lets time go by until a pass has ended behind `after`; how long it took. */
async function passes({ scrub, clock }: Under, after = 0, stepMs = 100): Promise<number> {
  const startMs = clock.monotonicMs();
  for (let steps = 0; steps < 100_000; steps++) {
    const { lastFullPass, state } = await scrub.status();
    if (lastFullPass !== undefined && lastFullPass.endedAt > after && state === "resting") break;
    for (let i = 0; i < 5; i++) await turn();
    clock.advance(stepMs);
  }
  return clock.monotonicMs() - startMs;
}

async function filled(sizes: readonly number[]): Promise<{ objects: MemorySealedObjects; put: PutObject[] }> {
  const objects = createMemorySealedObjects();
  const put = [];
  for (const size of sizes) put.push(await putObject(objects, size));
  return { objects, put };
}

const hurt = (bytes: Buffer, at: number, length = 40) => bytes.fill(0x5a, at, at + length);

test("a pass proves every object at the rate that is set, and says how far it is", async () => {
  const { objects, put } = await filled([400_000, 300_000, 10, 300_000]);
  const under = scrubOf(objects, undefined, 100_000);
  await under.scrub.start();
  for (let i = 0; i < 40; i++) {
    for (let turns = 0; turns < 20; turns++) await turn();
    under.clock.advance(100);
  }
  const halfWay = await under.scrub.status();
  assert.equal(halfWay.state, "running");
  assert.ok(halfWay.bytesDone >= 0 && halfWay.bytesDone < halfWay.bytesTotal);
  const tookMs = 4000 + (await passes(under));
  assert.ok(tookMs > 9000 && tookMs < 14_000, `a million bytes at 100,000 a second took ${tookMs} ms`);
  const { lastFullPass, damaged } = await under.scrub.status();
  assert.deepEqual([lastFullPass?.objects, lastFullPass?.bytes, damaged], [4, objects.bytes().length, []]);
  assert.equal(under.proven.length, put.length);
  await under.scrub.close();
});

test("damage in either place is mended from the other; damage in both is told, and known after a stop", async () => {
  const { objects, put } = await filled([1000, 200_000, 50, 3000, 400]);
  const [one, two, , four, five] = put as [PutObject, PutObject, PutObject, PutObject, PutObject];
  const { copy, objects: both } = replicaOf(objects);
  const whole = Buffer.from(copy);
  hurt(objects.bytes(), one.start + 200);
  hurt(objects.bytes(), two.offset);
  hurt(copy, four.start + 300);
  hurt(objects.bytes(), five.start + 200);
  hurt(copy, five.start + 250);
  const { files } = createTracedFiles();
  const under = scrubOf(both, files);
  await under.scrub.start();
  await passes(under);
  const { damaged, lastFullPass } = await under.scrub.status();
  assert.deepEqual(
    damaged.map(({ half, pack, from }) => [half, pack, from]),
    [["image", five.pack, five.start]],
  );
  assert.equal(lastFullPass?.repaired, 3);
  for (const bytes of [objects.bytes(), copy]) {
    assert.ok(bytes.subarray(0, five.start).equals(whole.subarray(0, five.start)), "both places are as they were");
  }
  await under.scrub.close();
  const again = scrubOf(both, files);
  await again.scrub.start();
  assert.deepEqual((await again.scrub.status()).damaged, damaged);
  assert.equal((await again.scrub.status()).lastFullPass?.endedAt, lastFullPass?.endedAt);
  await again.scrub.close();
});

test("an object whose header and footer are broken is brought back from the replica", async () => {
  const { objects, put } = await filled([1000, 2000, 3000]);
  const two = put[1] as PutObject;
  const { copy, objects: both } = replicaOf(objects);
  hurt(objects.bytes(), two.start, 128);
  hurt(objects.bytes(), two.offset, 164);
  const under = scrubOf(both);
  await under.scrub.start();
  await passes(under);
  assert.deepEqual((await under.scrub.status()).damaged, []);
  assert.ok(objects.bytes().equals(copy));
  await under.scrub.close();
});

test("without a replica damage is told once, whatever the number of passes, and goes when it was mended", async () => {
  const { objects, put } = await filled([1000, 2000]);
  const before = Buffer.from(objects.bytes());
  hurt(objects.bytes(), (put[0] as PutObject).start + 200);
  const under = scrubOf(objects);
  await under.scrub.start();
  await passes(under);
  const first = await under.scrub.status();
  assert.equal(first.damaged.length, 1);
  await passes(under, first.lastFullPass?.endedAt, 3_600_000);
  assert.equal((await under.scrub.status()).damaged.length, 1);
  before.copy(objects.bytes());
  await passes(under, (await under.scrub.status()).lastFullPass?.endedAt, 3_600_000);
  assert.deepEqual((await under.scrub.status()).damaged, []);
  await under.scrub.close();
});

test("a replica that cannot be reached is no damage", async () => {
  const { objects } = await filled([1000, 2000, 10]);
  const { objects: both, goAway } = replicaOf(objects);
  goAway();
  const under = scrubOf(both);
  await under.scrub.start();
  await passes(under);
  const { damaged, lastFullPass } = await under.scrub.status();
  assert.deepEqual([damaged, lastFullPass?.objects], [[], 3]);
  await under.scrub.close();
});

test("a stop is heeded within one read, and the next process does not begin anew", async () => {
  const { objects, put } = await filled([50_000]);
  const { pack } = put[0] as PutObject;
  await objects.compact(pack, { keeps: () => true, moved: async () => {} });
  for (let i = 0; i < 5; i++) await putObject(objects, 900_000);
  const { files } = createTracedFiles();
  const first = scrubOf(objects, files, 100_000);
  await first.scrub.start();
  for (let i = 0; i < 60; i++) {
    await turn();
    first.clock.advance(20);
  }
  await first.scrub.close();
  assert.equal((await first.scrub.status()).state, "stopped");
  assert.equal(first.proven.length, 1, "it was in the midst of the second pack");
  const second = scrubOf(objects, files);
  await second.scrub.start();
  await passes(second);
  assert.equal(second.proven.length, 5, "the first pack was done");
  assert.equal((await second.scrub.status()).lastFullPass?.objects, 6);
  await second.scrub.close();
});

test("while it is paused it reads nothing; a pack that is compacted meanwhile is passed over", async () => {
  const { objects, put } = await filled([100_000, 100_000, 100_000]);
  const under = scrubOf(objects, undefined, 50_000);
  await under.scrub.start();
  for (let i = 0; i < 30; i++) {
    await turn();
    under.clock.advance(100);
  }
  under.scrub.pause();
  for (let i = 0; i < 10; i++) await turn();
  const before = under.proven.length;
  for (let i = 0; i < 50; i++) {
    await turn();
    under.clock.advance(10_000);
  }
  assert.ok(under.proven.length <= before + 1);
  assert.equal((await under.scrub.status()).state, "paused");
  await objects.compact((put[0] as PutObject).pack, { keeps: () => true, moved: async () => {} });
  under.scrub.resume();
  await passes(under);
  assert.deepEqual((await under.scrub.status()).damaged, []);
  await under.scrub.close();
});

test("one object can be mended at once, when somebody wants to read it", async () => {
  const { objects, put } = await filled([1000, 2000]);
  const [one, two] = put as [PutObject, PutObject];
  const { copy, objects: both } = replicaOf(objects);
  hurt(objects.bytes(), one.offset, 164);
  const { scrub } = scrubOf(both);
  assert.equal(await scrub.mend("image", one), true);
  assert.ok(objects.bytes().equals(copy));
  hurt(objects.bytes(), two.start + 200);
  hurt(copy, two.start + 200);
  assert.equal(await scrub.mend("image", two), false);
  assert.equal(await scrub.mend("identity", two), false);
});

test("progress that cannot be kept, or cannot be read, stops nothing", async () => {
  const { objects } = await filled([1000]);
  const traced = createTracedFiles();
  const faulty = createFaultyFiles(traced.files, ({ kind }) => (kind === "sync" ? { code: "ENOSPC" } : undefined));
  const under = scrubOf(objects, faulty);
  await under.scrub.start();
  await passes(under);
  await under.scrub.close();
  const file = await traced.files.open("home/scrub.json", "create");
  await file.write([Buffer.from('{"damaged": [')], 0);
  const again = scrubOf(objects, traced.files);
  await again.scrub.start();
  await passes(again);
  assert.equal((await again.scrub.status()).lastFullPass?.objects, 1);
  await again.scrub.close();
});
