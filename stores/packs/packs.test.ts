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
import { createMemoryKeyStore } from "#stores/memory";
import { createKeyring, createVault, type Keyring, type RecoveredObject, type Vault } from "#trust/vault";
import { testSealedObjects } from "../../trust/vault/sealed-objects.contract.ts";
import { createPacks, type PackOptions } from "./index.ts";

testSealedObjects("packs", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "leadglass-packs-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const open = () =>
    createPacks({ files: systemFiles, folder, clock: systemClock, random: systemRandom, reserveBytes: 0 });
  return { objects: open(), reopen: async () => open() };
});

const keyring: Promise<Keyring> = createKeyring({
  files: createTracedFiles().files,
  folder: "home",
  passphrase: "correct horse battery staple",
  random: systemRandom,
  cost: { memoryKiB: 64, passes: 1, lanes: 1 },
});
const keyStore = createMemoryKeyStore();

async function openVault(files: Files, options: Partial<PackOptions> = {}): Promise<Vault> {
  const clock = createVirtualClock();
  const objects = createPacks({ files, folder: "packs", clock, random: systemRandom, ...options });
  return createVault({ keyring: await keyring, tenant: "main", keyStore, objects, random: systemRandom });
}

async function put(vault: Vault, bytes: Buffer): Promise<string> {
  const sealing = vault.seal({ studyToken: await vault.studyToken("1.2.3") });
  await sealing.write(bytes);
  await sealing.finish(Buffer.from(sealing.id));
  return sealing.id;
}

async function recovered(vault: Vault): Promise<RecoveredObject[]> {
  const all: RecoveredObject[] = [];
  for await (const object of vault.recover(new Map())) all.push(object);
  return all;
}

async function damages(vault: Vault): Promise<string[]> {
  const all: string[] = [];
  for await (const damage of vault.check()) all.push(damage.what);
  return all;
}

const packsIn = async (files: Files) => (await files.list("packs")).map((name) => name.replace(/-[0-9a-f]{8}/, ""));

test("a torn object at the end of a pack is cut off, and the pack goes on", async () => {
  const { files } = createTracedFiles();
  const first = await openVault(files);
  const kept = await put(first, randomBytes(300_000));
  const [name = ""] = await files.list("packs");
  const file = await files.open(`packs/${name}`, "update");
  const whole = await file.size();
  // The header and first frames of an object, as a kill in the middle of it leaves them.
  const head = Buffer.alloc(150_000);
  await file.read(head, 0);
  await file.write([head], whole);
  const second = await openVault(files);
  assert.equal(await file.size(), whole);
  const later = await put(second, randomBytes(10));
  assert.deepEqual(
    (await recovered(second)).map(({ id }) => id),
    [kept, later],
  );
  assert.deepEqual(await damages(second), []);
  assert.deepEqual(await packsIn(files), ["00000001.open"]);
});

test("an end that is damaged rather than torn is kept and told of, and a new pack begun", async () => {
  const { files } = createTracedFiles();
  const first = await openVault(files);
  const kept = await put(first, randomBytes(1000));
  const hurt = await put(first, randomBytes(1000));
  const [name = ""] = await files.list("packs");
  const file = await files.open(`packs/${name}`, "update");
  const whole = await file.size();
  await file.write([Buffer.from("x")], whole - 3);
  const second = await openVault(files);
  assert.equal(await file.size(), whole, "nothing that may have been acknowledged is cut off");
  const later = await put(second, randomBytes(10));
  const ids = (await recovered(second)).map(({ id }) => id);
  assert.deepEqual(ids, [kept, later]);
  assert.ok(!ids.includes(hurt));
  assert.equal((await damages(second)).length, 1);
  assert.deepEqual(await packsIn(files), [`00000001.${whole}.pack`, "00000002.open"]);
});

test("damage in the middle of a pack hides no object behind it", async () => {
  const { files } = createTracedFiles();
  const vault = await openVault(files);
  const ids = [];
  const sizes = [1000, 200_000, 400_000, 10];
  for (const size of sizes) ids.push(await put(vault, randomBytes(size)));
  const objects = await recovered(vault);
  const [name = ""] = await files.list("packs");
  const file = await files.open(`packs/${name}`, "update");
  const second = objects[1] as RecoveredObject;
  const third = objects[2] as RecoveredObject;
  await file.write([Buffer.alloc(128)], (objects[0] as RecoveredObject).endPosition); // the header of the second
  await file.write([Buffer.alloc(16)], second.endPosition + 128 + 131_104); // a frame head of the third
  const found = (await recovered(vault)).map(({ id }) => id);
  assert.deepEqual(found, ids, "headers and frame heads are signposts only: footers lead to the objects");
  assert.equal(await (await vault.open(second.place)).read(0, 200_000).then((bytes) => bytes.length), 200_000);
  await file.write([Buffer.alloc(8)], third.place.offset); // its footer
  assert.deepEqual(
    (await recovered(vault)).map(({ id }) => id),
    [ids[0], ids[1], ids[3]],
  );
  await assert.rejects(vault.open(third.place), (error) => isProblem(error, "damaged"));
  assert.equal((await damages(vault)).length, 2);
});

test("a pack that is full is ended, and named after its length", async () => {
  const { files } = createTracedFiles();
  const vault = await openVault(files, { packBytesMax: 50_000 });
  for (let i = 0; i < 5; i++) await put(vault, randomBytes(30_000));
  await vault.close();
  const names = await packsIn(files);
  assert.deepEqual(
    names.map((name) => name.split(".").at(-1)),
    ["pack", "pack", "open"],
  );
  const again = await openVault(files, { packBytesMax: 50_000 });
  assert.equal((await recovered(again)).length, 5);
});

test("more objects than lanes wait for their turn, and each lane is a pack", async () => {
  const { files } = createTracedFiles();
  const vault = await openVault(files, { lanesMax: 3 });
  await Promise.all(Array.from({ length: 20 }, () => put(vault, randomBytes(400_000))));
  assert.equal((await recovered(vault)).length, 20);
  assert.ok((await packsIn(files)).length <= 3);
  assert.deepEqual(await damages(vault), []);
});

test("no image is taken once the reserve would be touched, and again when there is room", async () => {
  const { files } = createTracedFiles();
  let free = 10_000_000;
  const clock = createVirtualClock();
  const tight: Files = { ...files, freeBytes: async () => free };
  const vault = await openVault(tight, { reserveBytes: 8_000_000, clock });
  const kept = await put(vault, randomBytes(1_000_000));
  free -= 1_000_000;
  await assert.rejects(put(vault, randomBytes(3_000_000)), (error) => isProblem(error, "no-room"));
  assert.deepEqual(
    (await recovered(vault)).map(({ id }) => id),
    [kept],
  );
  free = 20_000_000;
  clock.advance(2000);
  await put(vault, randomBytes(3_000_000));
  assert.equal((await recovered(vault)).length, 2);
  assert.deepEqual(await damages(vault), []);
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
  const vault = await openVault(slow);
  const sealing = vault.seal({ studyToken: await vault.studyToken("1.2.3") });
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
  assert.equal((await recovered(vault))[0]?.sizeBytes, sent);
});
