import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { systemClock } from "#base/clock";
import { newToken, seededRandom, systemRandom } from "#base/id";
import { crashState, createFaultyFiles, createTracedFiles, type Files, systemFiles } from "#base/io";
import { silentLog } from "#base/log";
import { isProblem } from "#base/problem";
import { createFileKeyStore } from "#stores/keys";
import { createMemorySealedObjects } from "#stores/memory";
import { createPacks } from "#stores/packs";
import { createGate, operator } from "#trust/access";
import type { AuditEntry, AuditLog } from "#trust/audit";
import {
  createKeyRotation,
  createKeyring,
  createVault,
  type Half,
  type HalfStores,
  type Keyring,
  openKeyring,
  passphraseRoot,
  type SealedPlace,
  type Vault,
} from "#trust/vault";
import { policyWhere } from "../../trust/access/grants.fixture.ts";
import { openIdentity } from "../../trust/vault/vault.fixture.ts";

const cost = { memoryKiB: 64, passes: 1, lanes: 1 };
const rootFrom = (passphrase: string) => passphraseRoot({ passphrase, random: systemRandom, cost });
const root = rootFrom("correct horse battery staple");
const random = systemRandom;

interface Rotating {
  readonly vault: Vault;
  readonly keyring: Keyring;
  readonly stores: Readonly<Record<Half, HalfStores>>;
  readonly rotation: ReturnType<typeof createKeyRotation>;
  readonly entries: Omit<AuditEntry, "at">[];
}

async function put(together: { keyring: Keyring; stores: Rotating["stores"] }): Promise<Rotating> {
  const { keyring, stores } = together;
  const vault = await createVault({ keyring, tenant: "main", stores, random });
  const entries: Omit<AuditEntry, "at">[] = [];
  const audit = {
    append: async (entry: Omit<AuditEntry, "at">) => entries.push(entry),
  } as Partial<AuditLog> as AuditLog;
  const rotation = createKeyRotation({
    keyring,
    tenant: "main",
    stores,
    vault,
    gate: createGate({ policy: policyWhere(), audit, clock: systemClock }),
    random,
    log: silentLog,
  });
  return { vault, keyring, stores, rotation, entries };
}

interface Stored {
  readonly half: Half;
  readonly place: SealedPlace;
  readonly content: Buffer;
  readonly studyToken: string;
}

async function seal(vault: Vault, half: Half, studyUid: string, content: Buffer): Promise<Stored> {
  const studyToken = await vault.studyToken(studyUid, `of ${studyUid.slice(0, -1)}`);
  const sealing = vault.seal({ studyToken, half });
  await sealing.write(content);
  const { place } = await sealing.finish(Buffer.from("record"));
  return { half, place, content, studyToken };
}

async function read(vault: Vault, { half, place, content }: Stored): Promise<void> {
  const object = half === "image" ? await vault.open(place) : await openIdentity(vault, place);
  assert.ok((await object.read(0, content.length)).equals(content));
}

async function onDisk(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), "leadglass-rotation-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const files = systemFiles;
  const place = { files, folder: join(folder, "keys"), random };
  const half = async (name: string): Promise<HalfStores> => ({
    keyStore: await createFileKeyStore({ files, folder: join(folder, name, "keys"), recordsPerFile: 200 }),
    objects: createPacks({
      files,
      folder: join(folder, name, "packs"),
      clock: systemClock,
      random,
      log: silentLog,
      reserveBytes: 0,
    }),
  });
  const openStores = async () => ({ image: await half("image"), identity: await half("identity") });
  return { place, folder, openStores };
}

test("while keys rotate at every level, every read and every write goes on, and no image is touched", async (t) => {
  const { place, folder, openStores } = await onDisk(t);
  const made = await put({ keyring: await createKeyring({ ...place, root }), stores: await openStores() });
  const { vault, keyring, rotation, stores, entries } = made;
  const stored: Stored[] = [];
  for (let i = 0; i < 240; i++) {
    stored.push(await seal(vault, i % 2 ? "image" : "identity", `1.2.${i >> 2}`, randomBytes(1000 + i)));
  }
  const [{ pack } = { pack: "" }] = await stores.image.objects.packs();
  const packs = join(folder, "image", "packs");
  const before = await readFile(join(packs, `${pack}.open`));
  let isDone = false;
  const counts = { reads: 0, writes: 0, forgotten: 0 };
  const forever = async (work: () => Promise<unknown>) => {
    while (!isDone) await work();
  };
  const load = Promise.all([
    ...[1, 2, 3].map((step) =>
      forever(async () => {
        await read(vault, stored[(counts.reads++ * step * 7) % stored.length] as Stored);
      }),
    ),
    forever(async () => {
      const serial = 1000 + counts.writes++;
      stored.push(await seal(vault, serial % 2 ? "image" : "identity", `1.2.${serial >> 1}`, randomBytes(2000)));
    }),
    // So that keys are unwrapped from the store again all the time.
    forever(async () => {
      vault.forgetKeys();
      counts.forgotten++;
      await new Promise((resolve) => setImmediate(resolve));
    }),
  ]);
  const tenant = keyring.tenant("main");
  const told: number[] = [];
  const rotateAll = async () => {
    for (let round = 0; round < 3; round++) {
      const first = tenant.generation;
      const rotated = await rotation.rotateTenant(operator, (done) => told.push(done));
      assert.equal(rotated.isWhole, true);
      assert.ok(rotated.rewrapped > 60, `${rotated.rewrapped}`);
      assert.notEqual(tenant.generation, first);
      assert.deepEqual(tenant.olderGenerations, []);
      assert.ok((await rotation.rotateStudies(operator, undefined)).rewrapped > 60);
      const one = await rotation.rotateStudies(operator, [stored[0]?.studyToken ?? ""]);
      assert.deepEqual(one, { rewrapped: 2, damaged: 0, isWhole: true });
      await keyring.changeRoot(rootFrom(`passphrase number ${round} of three`));
    }
  };
  await rotateAll().finally(() => {
    isDone = true;
  });
  await load;
  t.diagnostic(`${counts.reads} reads and ${counts.writes} writes while ${told.length} batches were wrapped anew`);
  assert.ok(counts.reads > 100 && counts.writes > 5 && counts.forgotten > 100);
  const after = await readFile(join(packs, `${pack}.open`));
  assert.ok(after.subarray(0, before.length).equals(before), "images are as they were");
  assert.deepEqual(entries.map(({ act, on, outcome }) => `${act} ${on?.kind} ${outcome}`).slice(0, 3), [
    "vault.rotate system done",
    "vault.rotate system done",
    "vault.rotate study done",
  ]);
  await rotation.close();
  await vault.close();
  keyring.wipe();
  await assert.rejects(openKeyring({ ...place, root }), (error) => isProblem(error, "denied"));
  const again = await put({
    keyring: await openKeyring({ ...place, root: rootFrom("passphrase number 2 of three") }),
    stores: await openStores(),
  });
  for (const each of stored) await read(again.vault, each);
  assert.equal(
    await again.vault.studyToken("1.2.0", "of 1.2."),
    stored[0]?.studyToken,
    "a study is found by the same digest",
  );
  await again.vault.close();
});

test("one rotation runs at a time, a stopped one goes on at the next start, and a token of no study is told", async (t) => {
  const { place, openStores } = await onDisk(t);
  const first = await put({ keyring: await createKeyring({ ...place, root }), stores: await openStores() });
  const stored: Stored[] = [];
  for (let i = 0; i < 300; i++) stored.push(await seal(first.vault, "image", `1.3.${i}1`, Buffer.from(`${i}`)));
  await assert.rejects(first.rotation.rotateStudies(operator, [newToken(random)]), (error) =>
    isProblem(error, "absent"),
  );
  const running = first.rotation.rotateTenant(operator, () => void first.rotation.close());
  await assert.rejects(first.rotation.rotateTenant(operator), (error) => isProblem(error, "busy"));
  await assert.rejects(running, (error) => isProblem(error, "unavailable"));
  assert.equal(first.keyring.tenant("main").olderGenerations.length, 1);
  for (const each of stored.slice(0, 20)) await read(first.vault, each);
  await first.vault.close();
  const next = await put({ keyring: await openKeyring({ ...place, root }), stores: await openStores() });
  assert.equal(next.keyring.tenant("main").olderGenerations.length, 1);
  next.rotation.resume();
  while (next.keyring.tenant("main").olderGenerations.length > 0)
    await new Promise((resolve) => setTimeout(resolve, 5));
  for (const each of stored) await read(next.vault, each);
  assert.deepEqual(
    next.entries.map(({ actor, act }) => `${actor} ${act}`),
    ["system vault.rotate"],
  );
  await next.rotation.close();
  await next.vault.close();
});

test("a shredded study stays shredded through a rotation, and a damaged key keeps the master that it may still need", async (t) => {
  const { place, openStores } = await onDisk(t);
  const { vault, rotation, keyring, stores } = await put({
    keyring: await createKeyring({ ...place, root }),
    stores: await openStores(),
  });
  const [kept, shredded, damaged] = await Promise.all(
    ["1.1.1", "1.2.2", "1.3.3"].map((uid) => seal(vault, "image", uid, randomBytes(100))),
  );
  if (kept === undefined || shredded === undefined || damaged === undefined) return assert.fail();
  const running = rotation.rotateTenant(operator);
  await vault.shred({ studyTokens: [shredded.studyToken] });
  await running;
  assert.equal(await stores.image.keyStore.byToken(shredded.studyToken), undefined);
  const standing = await stores.image.keyStore.byToken(damaged.studyToken);
  const broken = Buffer.from(standing?.wrappedKey ?? "");
  broken[20] = (broken[20] ?? 0) ^ 1;
  await stores.image.keyStore.replace(damaged.studyToken, broken);
  const rotated = await rotation.rotateTenant(operator);
  assert.deepEqual([rotated.damaged, rotated.isWhole], [1, false]);
  assert.equal(keyring.tenant("main").olderGenerations.length, 1);
  vault.forgetKeys();
  await read(vault, kept);
  await assert.rejects(read(vault, shredded), (error) => isProblem(error, "absent"));
  // Its right bytes come back from a backup: it opens still.
  await stores.image.keyStore.replace(damaged.studyToken, standing?.wrappedKey ?? Buffer.alloc(0));
  await read(vault, damaged);
  assert.equal((await rotation.rotateTenant(operator)).isWhole, true);
  vault.forgetKeys();
  await read(vault, damaged);
  await vault.close();
});

/** Keyring and both key stores on files that can crash and fail; the objects outlive them in memory. */
async function onFiles(files: Files, objects: () => ReturnType<typeof createMemorySealedObjects>, isNew: boolean) {
  const place = { files, folder: "keys", random, root };
  const keyring = isNew ? await createKeyring(place) : await openKeyring(place);
  const half = async (folder: string, kept: ReturnType<typeof createMemorySealedObjects>): Promise<HalfStores> => ({
    keyStore: await createFileKeyStore({ files, folder, recordsPerFile: 6 }),
    objects: kept,
  });
  return put({
    keyring,
    stores: { image: await half("keys", objects()), identity: await half("identity", objects()) },
  });
}

async function sealedOnFiles(files: Files, instances: number) {
  const image = createMemorySealedObjects();
  const identity = createMemorySealedObjects();
  const objects = () => {
    let given = 0;
    return () => (given++ === 0 ? image : identity);
  };
  const home = await onFiles(files, objects(), true);
  const stored: Stored[] = [];
  for (let i = 0; i < instances; i++) {
    stored.push(await seal(home.vault, i % 2 ? "image" : "identity", `1.4.${i >> 1}`, Buffer.from(`content ${i}`)));
  }
  return { home, stored, objects };
}

test("at every crash of a rotation all studies open, and the next start brings it to its end", async () => {
  const traced = createTracedFiles();
  const { home, stored, objects } = await sealedOnFiles(traced.files, 24);
  traced.note("sealed");
  await home.rotation.rotateTenant(operator);
  traced.note("rotated");
  await home.rotation.rotateStudies(operator, undefined);
  const random = seededRandom(23);
  const chance = () => (random(new Uint8Array(1))[0] ?? 0) / 256;
  const seen = new Set<string>();
  for (let steps = 0; steps <= traced.trace.length; steps++) {
    for (const unsynced of ["kept", "dropped", "mixed", "mixed", "mixed"] as const) {
      const { disk, notes } = crashState(traced.trace, steps, unsynced, chance);
      if (!notes.includes("sealed")) continue;
      const hash = createHash("sha256");
      for (const [path, bytes] of [...disk].sort(([a], [b]) => (a < b ? -1 : 1))) hash.update(path).update(bytes);
      const state = hash.digest("hex");
      if (seen.has(state)) continue;
      seen.add(state);
      const again = await onFiles(createTracedFiles(disk).files, objects(), false);
      for (const each of stored) await read(again.vault, each);
      const tenant = again.keyring.tenant("main");
      if (notes.includes("rotated")) assert.deepEqual(tenant.olderGenerations, []);
      again.rotation.resume();
      for (let turns = 0; tenant.olderGenerations.length > 0 && turns < 5000; turns++) await new Promise(setImmediate);
      assert.deepEqual(tenant.olderGenerations, []);
      again.vault.forgetKeys();
      for (const each of stored) await read(again.vault, each);
    }
  }
  assert.ok(seen.size > 40, `${seen.size} states`);
});

test("any one call that fails leaves every study readable, says so clearly, and the next rotation ends well", async () => {
  for (let nth = 0, isBeyond = false; !isBeyond; nth++) {
    const traced = createTracedFiles();
    let armed = false;
    let calls = 0;
    const faulty = createFaultyFiles(traced.files, ({ kind }) =>
      armed && kind !== "close" && calls++ === nth
        ? { code: nth % 2 ? "EIO" : "ENOSPC", ...(kind === "write" && { writtenBytes: 40 }) }
        : undefined,
    );
    const { home, stored, objects } = await sealedOnFiles(faulty, 8);
    armed = true;
    const failed = await home.rotation.rotateTenant(operator).then(
      () => undefined,
      (error) => error as unknown,
    );
    isBeyond = calls <= nth;
    armed = false;
    assert.equal(failed === undefined, isBeyond, String(failed));
    if (failed !== undefined)
      assert.ok(isProblem(failed) && ["no-room", "fault"].includes(failed.code), String(failed));
    home.vault.forgetKeys();
    for (const each of stored) await read(home.vault, each);
    const disk = crashState(traced.trace, traced.trace.length, "dropped", () => 0).disk;
    const again = await onFiles(createTracedFiles(disk).files, objects(), false);
    for (const each of stored) await read(again.vault, each);
    assert.equal((await again.rotation.rotateTenant(operator)).isWhole, true);
    again.vault.forgetKeys();
    for (const each of stored) await read(again.vault, each);
  }
});
