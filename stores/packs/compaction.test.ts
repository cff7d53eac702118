import assert from "node:assert/strict";
import { test } from "node:test";
import { createVirtualClock } from "#base/clock";
import { seededRandom, systemRandom } from "#base/id";
import { crashState, createFaultyFiles, createTracedFiles, type Files, type TracedFiles } from "#base/io";
import { isProblem } from "#base/problem";
import type { Compacted, ObjectMove, SealedObjects, SealedPlace } from "#trust/vault";
import {
  contentOf,
  isWhole,
  recordOf,
  sealInto,
  survey,
  verifyObject,
} from "../../trust/vault/sealed-objects.fixture.ts";
import { createPacks } from "./index.ts";

async function openPacks(files: Files): Promise<SealedObjects> {
  const options = { files, folder: "packs", clock: createVirtualClock(), random: systemRandom };
  const objects = createPacks({ ...options, lanesMax: 1, packBytesMax: 8_000 });
  await objects.start((found) => isWhole(objects, found));
  return objects;
}

const contents = new Map<string, Buffer>();
const bytesOf = (name: string): Buffer => {
  const code = name.charCodeAt(0);
  const bytes = contents.get(name) ?? Buffer.from(seededRandom(code)(Buffer.alloc(500 + ((code * 7919) % 6_000))));
  contents.set(name, bytes);
  return bytes;
};

/** What an index knows, told in notes that survive: `stored`, `moved`, `discarding`, `discarded`. */
interface Index {
  readonly places: Map<string, SealedPlace>;
  readonly discarding: Set<string>;
  readonly discarded: Set<string>;
}

const keyOf = ({ pack, offset }: SealedPlace) => `${pack} ${offset}`;

function relocate(index: Index, moves: readonly ObjectMove[]): void {
  const to = new Map(moves.map((move) => [keyOf(move.from), move.to]));
  for (const [name, place] of index.places) index.places.set(name, to.get(keyOf(place)) ?? place);
}

function indexFrom(notes: readonly string[]): Index {
  const index: Index = { places: new Map(), discarding: new Set(), discarded: new Set() };
  for (const note of notes) {
    const { stored, place, moved, discarding, discarded } = JSON.parse(note);
    if (stored !== undefined) index.places.set(stored, place);
    if (moved !== undefined) relocate(index, moved);
    for (const name of discarding ?? []) index.discarding.add(name);
    for (const name of discarded ?? []) index.discarded.add(name);
  }
  return index;
}

type Tell = (what: Record<string, unknown>) => void;

async function put(objects: SealedObjects, name: string, index: Index, tell: Tell): Promise<void> {
  const sealing = sealInto(objects);
  sealing.write(bytesOf(name));
  const { place } = await sealing.finish(Buffer.from(name));
  index.places.set(name, place);
  tell({ stored: name, place });
}

async function discard(objects: SealedObjects, names: readonly string[], index: Index, tell: Tell): Promise<void> {
  tell({ discarding: names });
  for (const name of names) index.discarding.add(name);
  const { found } = await survey(objects);
  const ranges = [];
  for (const each of found) {
    const { pack, start: from, endPosition: to } = each;
    if (names.includes(await recordOf(objects, each))) ranges.push({ pack, from, to });
  }
  await objects.discard(ranges);
  tell({ discarded: names });
}

function compact(objects: SealedObjects, pack: string, index: Index, tell: Tell): Promise<Compacted> {
  return objects.compact(pack, {
    async keeps(found) {
      await verifyObject(objects, found);
      return !index.discarding.has(await recordOf(objects, found));
    },
    async moved(moves) {
      // The index is durable in one step of its own.
      await new Promise((resolve) => setImmediate(resolve));
      relocate(index, moves);
      tell({ moved: moves });
    },
  });
}

/** Objects over several packs; some discarded; compaction of part of a pack, of a compacted pack, of all of a pack. */
async function work(objects: SealedObjects, index: Index, tell: Tell): Promise<void> {
  for (const name of ["a", "b", "c", "d", "e", "f"]) await put(objects, name, index, tell);
  const first = (await objects.packs())[0]?.pack ?? "";
  await discard(objects, ["b"], index, tell);
  await compact(objects, first, index, tell);
  await put(objects, "g", index, tell);
  await discard(objects, ["a", "d"], index, tell);
  for (const { pack } of await objects.packs()) await compact(objects, pack, index, tell);
  await discard(objects, ["c", "g", "f"], index, tell);
  for (const { pack } of await objects.packs()) await compact(objects, pack, index, tell);
  await put(objects, "h", index, tell);
}

/** Each object that counts is found once, whole, where the index says; none that was discarded is. */
async function checkAll(objects: SealedObjects, index: Index, where: string): Promise<void> {
  const { found, damaged } = await survey(objects);
  assert.deepEqual(damaged, [], where);
  const names = await Promise.all(found.map((each) => recordOf(objects, each)));
  assert.equal(new Set(names).size, names.length, `something is there twice ${where}: ${names}`);
  for (const name of index.discarded) assert.ok(!names.includes(name), `${name} was discarded and is found ${where}`);
  for (const [name, place] of index.places) {
    if (index.discarding.has(name)) continue;
    assert.ok(names.includes(name), `${name} was lost ${where}`);
    assert.ok((await contentOf(objects, place)).equals(bytesOf(name)), `${name} is not what was stored ${where}`);
  }
}

const movingPacks = async (objects: SealedObjects) =>
  (await objects.packs()).filter(({ isMoving }) => isMoving).map(({ pack }) => pack);

const random = seededRandom(11);
const chance = () => (random(new Uint8Array(1))[0] ?? 0) / 256;
const silent: Tell = () => {};

async function recover(traced: TracedFiles, steps: number, unsynced: "kept" | "dropped" | "mixed", where: string) {
  const { disk, notes } = crashState(traced.trace, steps, unsynced, chance);
  const { files } = createTracedFiles(disk);
  const index = indexFrom(notes);
  const objects = await openPacks(files);
  await checkAll(objects, index, where);
  const moving = await movingPacks(objects);
  const [lost] = [...index.places.keys()].filter((name) => !index.discarding.has(name));
  if (moving.length > 0 && lost !== undefined) {
    await discard(objects, [lost], index, silent);
    index.discarded.add(lost);
    await checkAll(objects, index, `${where}, one discarded between start and end of a move`);
  }
  for (const pack of moving) await compact(objects, pack, index, silent);
  assert.deepEqual(await movingPacks(objects), []);
  await checkAll(objects, index, `${where}, finished`);
  await put(objects, "z", index, silent);
  await objects.close();
  const again = await openPacks(files);
  await checkAll(again, index, `${where}, started again`);
  const names = await files.list("packs");
  assert.ok(!names.some((name) => /copying|taking/.test(name)), `${where}: ${names}`);
  await again.close();
  return moving.length;
}

test("a stop at any step of discarding and compaction loses nothing, leaves nothing twice, and finds nothing again", async () => {
  const traced = createTracedFiles();
  const index = indexFrom([]);
  const objects = await openPacks(traced.files);
  await work(objects, index, (what) => traced.note(JSON.stringify(what)));
  await checkAll(objects, index, "without a stop");
  const packs = (await objects.packs()).map(({ pack }) => pack);
  const names = await traced.files.list("packs");
  assert.ok(
    names.every((name) => packs.some((pack) => name.startsWith(pack))),
    `something was left behind: ${names}`,
  );
  await objects.close();
  let states = 0;
  let moving = 0;
  for (let steps = 0; steps <= traced.trace.length; steps++) {
    for (const unsynced of ["kept", "dropped", "mixed", "mixed"] as const) {
      moving += await recover(traced, steps, unsynced, `at step ${steps}, ${unsynced}`);
      states++;
    }
  }
  assert.ok(states > 400 && moving > 20, `${states} states, ${moving} of them with a pack that was being moved`);
});

test("any one call that fails while objects are discarded and moved is a clear error, and it can be tried again", async () => {
  const kinds = { EIO: undefined, ENOSPC: ["write", "open", "rename"] };
  for (const code of ["EIO", "ENOSPC"] as const) {
    for (let nth = 0, isBeyond = false; !isBeyond; nth++) {
      const traced = createTracedFiles();
      let asked = 0;
      let isWorking = true;
      const faulty = createFaultyFiles(traced.files, ({ kind }) => {
        if (!isWorking || kinds[code]?.includes(kind) === false || asked++ !== nth) return undefined;
        return { code, ...(kind === "write" && nth % 2 === 1 && { writtenBytes: 700 }) };
      });
      const index = indexFrom([]);
      const expectClear = (error: unknown) =>
        assert.ok(isProblem(error, code === "ENOSPC" ? "no-room" : "fault"), String(error));
      const objects = await openPacks(faulty).catch(expectClear);
      const where = `when call ${nth} failed with ${code}`;
      if (objects) {
        const tell: Tell = (what) => traced.note(JSON.stringify(what));
        await work(objects, index, tell).catch(expectClear);
        isWorking = false;
        await checkAll(objects, index, `${where}, in the same process`);
        for (const { pack } of await objects.packs()) await compact(objects, pack, index, tell).catch(expectClear);
        await checkAll(objects, index, `${where}, tried again`);
        await objects.close().catch(expectClear);
      }
      isBeyond = faulty.calls.every((call) => !call.isFailed);
      await recover(traced, traced.trace.length, nth % 2 === 0 ? "kept" : "dropped", `after a stop ${where}`);
    }
  }
});

test("bytes that break between the copy and its proof leave the original where it is", async () => {
  const { files } = createTracedFiles();
  const breaking: Files = {
    ...files,
    async open(path, mode) {
      const file = await files.open(path, mode);
      if (!path.endsWith(".copying")) return file;
      const flipped = (bytes: Uint8Array) => Buffer.from(bytes).fill(0x5a, Math.floor(bytes.length / 2));
      return { ...file, write: (parts, position) => file.write(parts.map(flipped), position) };
    },
  };
  const objects = await openPacks(breaking);
  const index = indexFrom([]);
  await put(objects, "a", index, silent);
  await put(objects, "b", index, silent);
  const [first] = await objects.packs();
  await assert.rejects(compact(objects, first?.pack ?? "", index, silent), (error) => isProblem(error));
  await checkAll(objects, index, "after a broken copy");
  assert.deepEqual(
    (await files.list("packs")).filter((name) => name.endsWith(".copying")),
    [],
  );
});

test("closing stops a compaction that is under way, and the next process has everything", async () => {
  const { files } = createTracedFiles();
  const objects = await openPacks(files);
  const index = indexFrom([]);
  for (const name of ["a", "b", "c"]) await put(objects, name, index, silent);
  const [first] = await objects.packs();
  const asked = Promise.withResolvers<void>();
  const go = Promise.withResolvers<void>();
  const compacting = objects.compact(first?.pack ?? "", {
    async keeps() {
      asked.resolve();
      await go.promise;
      return true;
    },
    moved: () => assert.fail("it was stopped"),
  });
  await asked.promise;
  const closed = objects.close();
  go.resolve();
  await assert.rejects(compacting);
  await closed;
  await checkAll(await openPacks(files), index, "after the stop");
});
