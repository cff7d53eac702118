import assert from "node:assert/strict";
import { test } from "node:test";
import { createVirtualClock } from "#base/clock";
import { seededRandom, systemRandom } from "#base/id";
import { crashState, createFaultyFiles, createTracedFiles, type Files } from "#base/io";
import { isProblem } from "#base/problem";
import type { SealedObjects } from "#trust/vault";
import {
  contentOf as contentAt,
  isWhole,
  recordOf,
  sealInto,
  survey,
} from "../../trust/vault/sealed-objects.fixture.ts";
import { createPacks } from "./index.ts";

async function openPacks(files: Files): Promise<SealedObjects> {
  const options = { files, folder: "packs", clock: createVirtualClock(), random: systemRandom };
  const objects = createPacks({ ...options, lanesMax: 3, packBytesMax: 60_000 });
  await objects.start((each) => isWhole(objects, each));
  return objects;
}

const contentOf = (name: string, bytes: number) => Buffer.from(seededRandom(name.length + bytes)(Buffer.alloc(bytes)));

interface Told {
  acknowledged(name: string): void;
  refused(name: string, error: unknown): void;
}

/** Objects one after the other, several at once, some aborted, over several packs. */
async function work(objects: SealedObjects, told: Told): Promise<void> {
  const put = async (name: string, bytes: number, isAborted = false) => {
    try {
      const sealing = sealInto(objects);
      const content = contentOf(name, bytes);
      for (let at = 0; at < bytes; at += 100_000) await sealing.write(content.subarray(at, at + 100_000));
      if (isAborted) return await sealing.abort();
      await sealing.finish(Buffer.from(`${name} ${bytes}`));
      told.acknowledged(name);
    } catch (error) {
      told.refused(name, error);
    }
  };
  await put("first", 100);
  await put("dropped", 270_000, true);
  await put("second", 9000);
  await Promise.all([
    put("left", 20_000),
    put("right", 40_000),
    put("dropped too", 270_000, true),
    put("long", 140_000),
  ]);
  await Promise.all([put("a", 500), put("b", 600), put("c", 700), put("d", 800), put("e", 900)]);
}

/** Every object that recovery finds: once each, whole, as it was sent. */
async function found(objects: SealedObjects): Promise<Set<string>> {
  const names = new Set<string>();
  for (const object of (await survey(objects)).found) {
    const [, name = "", bytes = ""] = /^(.*) (\d+)$/.exec(await recordOf(objects, object)) ?? [];
    assert.ok(!names.has(name), `${name} is there twice`);
    names.add(name);
    const content = await contentAt(objects, object);
    assert.ok(content.equals(contentOf(name, Number(bytes))), `${name} is not what was sent`);
  }
  return names;
}

const random = seededRandom(5);
const chance = () => (random(new Uint8Array(1))[0] ?? 0) / 256;

test("at every crash all that was acknowledged is there once and whole, and the packs can be written to again", async () => {
  const traced = createTracedFiles();
  const objects = await openPacks(traced.files);
  await work(objects, { acknowledged: traced.note, refused: (name, error) => assert.fail(`${name}: ${error}`) });
  await objects.close();
  let states = 0;
  for (let steps = 0; steps <= traced.trace.length; steps++) {
    for (const unsynced of ["kept", "dropped", "mixed", "mixed"] as const) {
      const { disk, notes } = crashState(traced.trace, steps, unsynced, chance);
      const { files } = createTracedFiles(disk);
      const again = await openPacks(files);
      const names = await found(again);
      for (const note of notes) assert.ok(names.has(note), `${note} was lost at step ${steps}, ${unsynced}`);
      const sealing = sealInto(again);
      await sealing.write(contentOf("after", 50));
      await sealing.finish(Buffer.from("after 50"));
      await again.close();
      const third = await openPacks(files);
      assert.deepEqual(await found(third), names.add("after"), `step ${steps}, ${unsynced}`);
      await third.close();
      states++;
    }
  }
  assert.ok(states > 150, `${states} states`);
});

test("any one call that fails gives a clear error, no false acknowledgement, no second sync, and nothing refused is found", async () => {
  for (const code of ["EIO", "ENOSPC", "EMFILE"] as const) {
    for (let nth = 0, isBeyond = false; !isBeyond; nth++) {
      const traced = createTracedFiles();
      const faulty = createFaultyFiles(traced.files, ({ kind }, index) =>
        index === nth ? { code, ...(kind === "write" && nth % 2 === 1 && { writtenBytes: 5000 }) } : undefined,
      );
      const acknowledged = new Set<string>();
      const refused = new Set<string>();
      const expectClear = (error: unknown) =>
        assert.ok(isProblem(error, code === "ENOSPC" ? "no-room" : "fault"), String(error));
      const objects = await openPacks(faulty).catch(expectClear);
      if (objects) {
        const refusedBy = (name: string, error: unknown) => {
          refused.add(name);
          expectClear(error);
        };
        await work(objects, { acknowledged: (name) => acknowledged.add(name), refused: refusedBy });
        await objects.close().catch(expectClear);
      }
      const broken = faulty.calls.find((call) => call.isFailed);
      isBeyond = broken === undefined;
      if (broken?.kind === "sync" || broken?.kind === "write") {
        const later = faulty.calls.slice(faulty.calls.indexOf(broken) + 1);
        const again = later.filter(({ kind, path }) => path === broken.path && (kind === "sync" || kind === "write"));
        assert.deepEqual(again, [], `nothing is written or synced behind a failed ${broken.kind}`);
      }
      for (const unsynced of code === "EIO" ? (["kept", "dropped", "mixed", "mixed"] as const) : (["kept"] as const)) {
        const { disk } = crashState(traced.trace, traced.trace.length, unsynced, chance);
        const names = await found(await openPacks(createTracedFiles(disk).files));
        const where = `after ${broken?.kind} failed with ${code}, call ${nth}, ${unsynced}`;
        for (const name of acknowledged) assert.ok(names.has(name), `${name} was lost ${where}`);
        for (const name of refused) assert.ok(!names.has(name), `${name} was refused and is there ${where}`);
      }
    }
  }
});

test("what a process finds that another wrote without syncing is on stable storage before it is shown", async () => {
  const traced = createTracedFiles();
  const killed: Files = {
    ...traced.files,
    open: async (path, mode) => ({ ...(await traced.files.open(path, mode)), sync: () => new Promise(() => {}) }),
  };
  const first = await openPacks(killed);
  const sealing = sealInto(first);
  await sealing.write(contentOf("unsaid", 5000));
  void sealing.finish(Buffer.from("unsaid 5000"));
  while (!traced.trace.some(({ kind }) => kind === "write")) await new Promise((resolve) => setImmediate(resolve));
  const second = await openPacks(traced.files);
  assert.deepEqual(await found(second), new Set(["unsaid"]));
  const { disk } = crashState(traced.trace, traced.trace.length, "dropped", chance);
  assert.deepEqual(await found(await openPacks(createTracedFiles(disk).files)), new Set(["unsaid"]));
});

test("an id says nothing: two objects of the same bytes share nothing on disk", async () => {
  const traced = createTracedFiles();
  const objects = await openPacks(traced.files);
  const content = contentOf("same", 5000);
  for (let i = 0; i < 2; i++) {
    const sealing = sealInto(objects);
    sealing.write(content);
    await sealing.finish(Buffer.from("r"));
  }
  const ids = new Set((await survey(objects)).found.map(({ id }) => id));
  assert.equal(ids.size, 2);
  const written = traced.trace.flatMap((step) => (step.kind === "write" ? [step.bytes] : []));
  assert.ok(written.every((bytes) => !Buffer.from(bytes).includes(content.subarray(0, 32))));
});
