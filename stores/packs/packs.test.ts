import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createVirtualClock, systemClock } from "#base/clock";
import { systemRandom } from "#base/id";
import { createTracedFiles, type Files, systemFiles } from "#base/io";
import { isProblem } from "#base/problem";
import type { FoundObject, SealedObjects } from "#trust/vault";
import { testSealedObjects } from "../../trust/vault/sealed-objects.contract.ts";
import { contentOf, isWhole, recordOf, sealInto, survey } from "../../trust/vault/sealed-objects.fixture.ts";
import { createPacks, type PackOptions } from "./index.ts";

testSealedObjects("packs", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "leadglass-packs-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const open = () =>
    createPacks({ files: systemFiles, folder, clock: systemClock, random: systemRandom, reserveBytes: 0 });
  return { objects: open(), reopen: async () => open() };
});

async function openPacks(files: Files, options: Partial<PackOptions> = {}): Promise<SealedObjects> {
  const clock = createVirtualClock();
  const objects = createPacks({ files, folder: "packs", clock, random: systemRandom, ...options });
  await objects.start((found) => isWhole(objects, found));
  return objects;
}

async function put(objects: SealedObjects, bytes: Buffer): Promise<string> {
  const name = randomBytes(8).toString("hex");
  const sealing = sealInto(objects);
  await sealing.write(bytes);
  await sealing.finish(Buffer.from(name));
  return name;
}

async function recovered(objects: SealedObjects): Promise<(FoundObject & { name: string })[]> {
  const { found } = await survey(objects);
  return Promise.all(found.map(async (each) => ({ ...each, name: await recordOf(objects, each) })));
}

const damages = async (objects: SealedObjects) => (await survey(objects)).damaged;

const packsIn = async (files: Files) => (await files.list("packs")).map((name) => name.replace(/-[0-9a-f]{8}/, ""));

test("a torn object at the end of a pack is cut off, and the pack goes on", async () => {
  const { files } = createTracedFiles();
  const first = await openPacks(files);
  const kept = await put(first, randomBytes(300_000));
  const [name = ""] = await files.list("packs");
  const file = await files.open(`packs/${name}`, "update");
  const whole = await file.size();
  // The header and first frames of an object, as a kill in the middle of it leaves them.
  const head = Buffer.alloc(150_000);
  await file.read(head, 0);
  await file.write([head], whole);
  const second = await openPacks(files);
  assert.equal(await file.size(), whole);
  const later = await put(second, randomBytes(10));
  assert.deepEqual(
    (await recovered(second)).map(({ name }) => name),
    [kept, later],
  );
  assert.deepEqual(await damages(second), []);
  assert.deepEqual(await packsIn(files), ["00000001.open"]);
});

test("an end that is damaged rather than torn is kept and told of, and a new pack begun", async () => {
  const { files } = createTracedFiles();
  const first = await openPacks(files);
  const kept = await put(first, randomBytes(1000));
  const hurt = await put(first, randomBytes(1000));
  const [name = ""] = await files.list("packs");
  const file = await files.open(`packs/${name}`, "update");
  const whole = await file.size();
  await file.write([Buffer.from("x")], whole - 3);
  const second = await openPacks(files);
  assert.equal(await file.size(), whole, "nothing that may have been acknowledged is cut off");
  const later = await put(second, randomBytes(10));
  const ids = (await recovered(second)).map(({ name }) => name);
  assert.deepEqual(ids, [kept, later]);
  assert.ok(!ids.includes(hurt));
  assert.equal((await damages(second)).length, 1);
  assert.deepEqual(await packsIn(files), [`00000001.${whole}.pack`, "00000002.open"]);
});

test("damage in the middle of a pack hides no object behind it", async () => {
  const { files } = createTracedFiles();
  const objects = await openPacks(files);
  const ids = [];
  const sizes = [1000, 200_000, 400_000, 10];
  for (const size of sizes) ids.push(await put(objects, randomBytes(size)));
  const found = await recovered(objects);
  const [name = ""] = await files.list("packs");
  const file = await files.open(`packs/${name}`, "update");
  const second = found[1] as FoundObject;
  const third = found[2] as FoundObject;
  await file.write([Buffer.alloc(128)], (found[0] as FoundObject).endPosition); // the header of the second
  await file.write([Buffer.alloc(16)], second.endPosition + 128 + 131_104); // a frame head of the third
  const names = (await recovered(objects)).map(({ name }) => name);
  assert.deepEqual(names, ids, "headers and frame heads are signposts only: footers lead to the objects");
  await assert.rejects(contentOf(objects, second), (error) => isProblem(error, "damaged"));
  await file.write([Buffer.alloc(8)], third.offset); // its footer
  assert.deepEqual(
    (await recovered(objects)).map(({ name }) => name),
    [ids[0], ids[1], ids[3]],
  );
  await assert.rejects(contentOf(objects, third), (error) => isProblem(error, "damaged"));
  assert.equal((await damages(objects)).length, 2);
});

test("a pack that is full is ended, and named after its length", async () => {
  const { files } = createTracedFiles();
  const objects = await openPacks(files, { packBytesMax: 50_000 });
  for (let i = 0; i < 5; i++) await put(objects, randomBytes(30_000));
  await objects.close();
  const names = await packsIn(files);
  assert.deepEqual(
    names.map((name) => name.split(".").at(-1)),
    ["pack", "pack", "open"],
  );
  const again = await openPacks(files, { packBytesMax: 50_000 });
  assert.equal((await recovered(again)).length, 5);
});

test("more objects than lanes wait for their turn, and each lane is a pack", async () => {
  const { files } = createTracedFiles();
  const objects = await openPacks(files, { lanesMax: 3 });
  await Promise.all(Array.from({ length: 20 }, () => put(objects, randomBytes(400_000))));
  assert.equal((await recovered(objects)).length, 20);
  assert.ok((await packsIn(files)).length <= 3);
  assert.deepEqual(await damages(objects), []);
});

test("no image is taken once the reserve would be touched, and again when there is room", async () => {
  const { files } = createTracedFiles();
  let free = 10_000_000;
  const clock = createVirtualClock();
  const tight: Files = { ...files, freeBytes: async () => free };
  const objects = await openPacks(tight, { reserveBytes: 8_000_000, clock });
  const kept = await put(objects, randomBytes(1_000_000));
  free -= 1_000_000;
  await assert.rejects(put(objects, randomBytes(3_000_000)), (error) => isProblem(error, "no-room"));
  assert.deepEqual(
    (await recovered(objects)).map(({ name }) => name),
    [kept],
  );
  free = 20_000_000;
  clock.advance(2000);
  await put(objects, randomBytes(3_000_000));
  assert.equal((await recovered(objects)).length, 2);
  assert.deepEqual(await damages(objects), []);
});

test("a long object waits for the disk instead of filling the memory", async () => {
  const { files } = createTracedFiles();
  const gate = Promise.withResolvers<void>();
  const slow: Files = {
    ...files,
    async open(path, mode) {
      const file = await files.open(path, mode);
      return { ...file, write: (parts, position) => gate.promise.then(() => file.write(parts, position)) };
    },
  };
  const objects = await openPacks(slow);
  const sealing = sealInto(objects);
  const piece = randomBytes(128 * 1024);
  let sent = 0;
  const send = () => {
    sent += piece.length;
    return sealing.write(piece);
  };
  let wait = send();
  while (wait === undefined && sent < 64_000_000) wait = send();
  assert.ok(wait !== undefined && sent < 8_000_000, `${sent} bytes were taken without waiting`);
  gate.resolve();
  await wait;
  await sealing.finish(Buffer.alloc(0));
  assert.equal((await recovered(objects))[0]?.sizeBytes, sent);
});
