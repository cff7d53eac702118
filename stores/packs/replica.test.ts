import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { createVirtualClock, systemClock } from "#base/clock";
import { seededRandom, systemRandom } from "#base/id";
import { crashState, createFaultyFiles, createTracedFiles, type Files, systemFiles } from "#base/io";
import { isProblem } from "#base/problem";
import type { Replica, SealedObjects } from "#trust/vault";
import { testSealedObjects } from "../../trust/vault/sealed-objects.contract.ts";
import {
  isWhole,
  type PutObject,
  putObject,
  survey,
  verifyAt,
  verifyObject,
} from "../../trust/vault/sealed-objects.fixture.ts";
import { createPacks, type PackOptions } from "./index.ts";

testSealedObjects("packs with a replica", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "leadglass-replica-"));
  const made: SealedObjects[] = [];
  t.after(async () => {
    // What follows behind writes until it is closed.
    for (const objects of made) await objects.close();
    await rm(folder, { recursive: true, force: true });
  });
  const open = () => {
    const folders = { folder: join(folder, "first"), replicaFolder: join(folder, "second") };
    const parts = { files: systemFiles, clock: systemClock, random: systemRandom, reserveBytes: 0 };
    const objects = createPacks({ ...parts, ...folders });
    made.push(objects);
    return objects;
  };
  return { objects: open(), reopen: async () => open() };
});

async function openPacks(files: Files, options: Partial<PackOptions> = {}): Promise<SealedObjects> {
  const objects = createPacks({
    files,
    folder: "first",
    replicaFolder: "second",
    replicaBytesPerSecond: 1e12,
    clock: systemClock,
    random: systemRandom,
    packBytesMax: 60_000,
    lanesMax: 2,
    ...options,
  });
  await objects.start((found) => isWhole(objects, found));
  return objects;
}

const replicaOf = (objects: SealedObjects): Replica => {
  assert.ok(objects.replica);
  return objects.replica;
};
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

async function until(what: () => boolean | Promise<boolean>): Promise<void> {
  for (let turns = 0; !(await what()); turns++) {
    assert.ok(turns < 100_000, "it never came to be");
    await turn();
  }
}

const inStep = (objects: SealedObjects) => until(() => replicaOf(objects).status().since === undefined);

async function contents(files: Files, folder: string): Promise<Map<string, string>> {
  const all = new Map<string, string>();
  for (const name of await files.list(folder)) {
    const file = await files.open(`${folder}/${name}`, "read");
    const bytes = Buffer.alloc(await file.size());
    await file.read(bytes, 0);
    all.set(name, createHash("sha256").update(bytes).digest("base64"));
  }
  return all;
}

async function becomeSame(files: Files, move = () => {}): Promise<void> {
  for (let turns = 0; turns < 2000; turns++) {
    if (isDeepStrictEqual(await contents(files, "second"), await contents(files, "first"))) return;
    move();
    await turn();
  }
  assert.deepEqual(await contents(files, "second"), await contents(files, "first"));
}

const rangeOf = ({ pack, start, bytes }: PutObject) => ({ pack, from: start, to: start + bytes.length });

async function compactAll(objects: SealedObjects): Promise<void> {
  for (const { pack } of await objects.packs()) {
    await objects.compact(pack, {
      async keeps(found) {
        await verifyObject(objects, found);
        return true;
      },
      moved: async () => {},
    });
  }
}

test("every pack is in both places under the same name and positions, its end and what was discarded too", async () => {
  const { files } = createTracedFiles();
  const objects = await openPacks(files);
  await inStep(objects);
  const put = await Promise.all([10, 20_000, 300_000, 5, 70_000].map((size) => putObject(objects, size)));
  await objects.discard([rangeOf(put[1] as PutObject)]);
  await becomeSame(files);
  await compactAll(objects);
  await becomeSame(files);
  assert.deepEqual(replicaOf(objects).status(), { laggingBytes: 0, since: undefined, strangePacks: 0 });
  await objects.close();
});

const random = seededRandom(3);
const chance = () => (random(new Uint8Array(1))[0] ?? 0) / 256;

test("while the replica keeps step, what was acknowledged is whole in it at every crash, and it is the same again soon", async () => {
  const traced = createTracedFiles();
  const objects = await openPacks(traced.files);
  await inStep(objects);
  const note = async (size: number) => {
    const put = await putObject(objects, size);
    traced.note(put.id);
    return put;
  };
  const first = await note(1000);
  await Promise.all([note(30_000), note(50_000), note(100)]);
  await objects.discard([rangeOf(first)]);
  await note(70_000);
  await objects.close();
  let states = 0;
  for (let steps = 0; steps <= traced.trace.length; steps++) {
    for (const unsynced of ["kept", "dropped", "mixed"] as const) {
      const where = `at step ${steps}, ${unsynced}`;
      const { disk, notes } = crashState(traced.trace, steps, unsynced, chance);
      const { files: lost } = createTracedFiles(disk);
      const rest = createPacks({ files: lost, folder: "second", clock: systemClock, random: systemRandom });
      await rest.start((found) => isWhole(rest, found));
      const { found } = await survey(rest);
      for (const id of notes.filter((each) => each !== first.id)) {
        assert.ok(
          found.some((each) => each.id === id),
          `the first place is lost ${where}: ${id} is not in the replica`,
        );
      }
      for (const each of found) await verifyObject(rest, each);
      await rest.close();

      const { files } = createTracedFiles(disk);
      const again = await openPacks(files);
      await inStep(again);
      assert.equal(replicaOf(again).status().strangePacks, 0, where);
      await becomeSame(files);
      await again.close();
      states++;
    }
  }
  assert.ok(states > 120, `${states} states`);
});

test("a replica that fails never fails what is received: it lags, says so, and catches up when it is back", async () => {
  const { files } = createTracedFiles();
  const clock = createVirtualClock();
  let isAway = false;
  const faulty = createFaultyFiles(files, ({ path }) =>
    isAway && path.startsWith("second") ? { code: "EIO" } : undefined,
  );
  const objects = await openPacks(faulty, { clock });
  await inStepMoving(objects, clock);
  await putObject(objects, 1000);
  isAway = true;
  const wentAway = clock.now();
  const { bytes } = await putObject(objects, 2000);
  await putObject(objects, 40_000);
  const { laggingBytes, since } = replicaOf(objects).status();
  assert.ok(laggingBytes >= bytes.length && since === wentAway, `${laggingBytes} ${since}`);
  const syncs = () => faulty.calls.filter(({ kind, path }) => kind === "sync" && path.startsWith("second")).length;
  const before = syncs();
  clock.advance(29_000);
  await turn();
  assert.equal(syncs(), before, "a failed sync is not tried again");
  isAway = false;
  await inStepMoving(objects, clock);
  assert.equal(replicaOf(objects).status().laggingBytes, 0);
  await becomeSame(files);
  await objects.close();
});

/** Until the replica keeps step, time going by. */
async function inStepMoving(objects: SealedObjects, clock: ReturnType<typeof createVirtualClock>): Promise<void> {
  await until(() => {
    clock.advance(100);
    return replicaOf(objects).status().since === undefined;
  });
}

test("any one call on the replica may fail: nothing else does, and it comes to hold everything", async () => {
  for (let nth = 0, isBeyond = false; !isBeyond; nth++) {
    const { files } = createTracedFiles();
    const clock = createVirtualClock();
    let asked = 0;
    const faulty = createFaultyFiles(files, ({ path }) =>
      path.startsWith("second") && asked++ === nth ? { code: nth % 2 === 0 ? "EIO" : "ENOSPC" } : undefined,
    );
    const objects = await openPacks(faulty, { clock });
    const one = await putObject(objects, 1000);
    await inStepMoving(objects, clock);
    await Promise.all([putObject(objects, 65_000), putObject(objects, 10)]);
    await objects.discard([rangeOf(one)]);
    await inStepMoving(objects, clock);
    await compactAll(objects);
    await becomeSame(files, () => clock.advance(100));
    await objects.close();
    isBeyond = faulty.calls.every(({ isFailed }) => !isFailed);
  }
});

test("a replica that hangs is waited for once, then no more, and does not keep the store from closing", async () => {
  const { files } = createTracedFiles();
  const clock = createVirtualClock();
  let isHanging = false;
  const hanging: Files = {
    ...files,
    async open(path, mode) {
      const file = await files.open(path, mode);
      if (!path.startsWith("second")) return file;
      return { ...file, sync: () => (isHanging ? new Promise(() => {}) : file.sync()) };
    },
  };
  const objects = await openPacks(hanging, { clock });
  await inStepMoving(objects, clock);
  isHanging = true;
  let isAcknowledged = false;
  const first = putObject(objects, 1000).then(() => {
    isAcknowledged = true;
  });
  for (let i = 0; i < 50; i++) await turn();
  assert.ok(!isAcknowledged, "while it keeps step, it is waited for");
  clock.advance(2000);
  await first;
  await putObject(objects, 2000);
  assert.ok(replicaOf(objects).status().laggingBytes > 3000);
  const closed = objects.close();
  for (let i = 0; i < 50; i++) await turn();
  clock.advance(2000);
  await closed;
});

test("an empty replica is filled at the rate that is set, while objects go on coming", async () => {
  const { files } = createTracedFiles();
  const alone = createPacks({ files, folder: "first", clock: systemClock, random: systemRandom, packBytesMax: 1 });
  await alone.start(async () => true);
  for (let i = 0; i < 10; i++) await putObject(alone, 100_000);
  await alone.close();
  const clock = createVirtualClock();
  const objects = await openPacks(files, { clock, replicaBytesPerSecond: 110_000 });
  const { status } = replicaOf(objects);
  const total = status().laggingBytes;
  assert.ok(total > 1_000_000);
  for (let seconds = 0; seconds < 5; seconds++) {
    for (let i = 0; i < 200; i++) await turn();
    clock.advance(1000);
  }
  const after5 = total - status().laggingBytes;
  assert.ok(after5 >= 400_000 && after5 <= 700_000, `${after5} bytes in 5 s`);
  await putObject(objects, 50);
  await inStepMoving(objects, clock);
  await becomeSame(files);
  await objects.close();
});

test("damage in one place is mended from the other, byte for byte", async () => {
  const { files } = createTracedFiles();
  const objects = await openPacks(files);
  await inStep(objects);
  const one = await putObject(objects, 40_000);
  const two = await putObject(objects, 10);
  await inStep(objects);
  const whole = await contents(files, "first");
  const replica = replicaOf(objects);
  for (const [folder, to] of [
    ["first", "first"],
    ["second", "replica"],
  ] as const) {
    const [name = ""] = await files.list(folder);
    const file = await files.open(`${folder}/${name}`, "update");
    await file.write([Buffer.alloc(5000, 0x77)], one.start + 10_000);
    await file.write([Buffer.alloc(164)], one.offset);
    await replica.repair(rangeOf(one), to);
    assert.deepEqual(await contents(files, folder), whole);
  }
  await verifyAt((position, into) => replica.read(two.pack, position, into), two);
  await assert.rejects(replica.repair({ ...rangeOf(one), to: 10_000_000 }, "first"), (error) =>
    isProblem(error, "unavailable"),
  );
  await objects.close();
});

test("packs that only the replica holds are told of and never touched", async () => {
  const { files } = createTracedFiles();
  const objects = await openPacks(files);
  await inStep(objects);
  await putObject(objects, 100_000);
  await putObject(objects, 100);
  await inStep(objects);
  await objects.close();
  const before = await contents(files, "second");
  for (const name of await files.list("first")) await files.remove(`first/${name}`);
  const again = await openPacks(files);
  await inStep(again);
  assert.equal(replicaOf(again).status().strangePacks, before.size);
  await putObject(again, 10);
  const after = await contents(files, "second");
  for (const [name, bytes] of before) assert.equal(after.get(name), bytes);
  await again.close();
});
