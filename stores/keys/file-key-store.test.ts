import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { newToken, seededRandom, systemRandom } from "#base/id";
import { crashState, createFaultyFiles, createTracedFiles, type Files, systemFiles } from "#base/io";
import { isProblem } from "#base/problem";
import type { KeyStore, WrappedStudyKey } from "#trust/vault";
import { testKeyStore } from "../../trust/vault/key-store.contract.ts";
import { createFileKeyStore } from "./index.ts";

const digestOf = (name: string) => createHash("sha256").update(name).digest();
const newKey = (): WrappedStudyKey => ({ studyToken: newToken(systemRandom), wrappedKey: randomBytes(62) });
const inMemory = (files: Files) => createFileKeyStore({ files, folder: "keys" });

testKeyStore("files", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "leadglass-keys-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const open = () => createFileKeyStore({ files: systemFiles, folder });
  return { keyStore: await open(), reopen: open };
});

test("nothing of a deleted key is left in the file", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "leadglass-keys-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const keyStore = await createFileKeyStore({ files: systemFiles, folder });
  const key = newKey();
  await keyStore.putIfAbsent(digestOf("a"), key);
  assert.ok((await readFile(join(folder, "000001.keys"))).includes(key.wrappedKey));
  await keyStore.delete(key.studyToken);
  const left = await readFile(join(folder, "000001.keys"));
  await keyStore.close();
  assert.ok(!left.includes(key.wrappedKey));
  assert.ok(!left.includes(digestOf("a")));
});

test("a torn record at the end hides no other, and the next one goes behind it", async () => {
  const traced = createTracedFiles();
  const first = await inMemory(traced.files);
  const kept = newKey();
  await first.putIfAbsent(digestOf("kept"), kept);
  const file = await traced.files.open("keys/000001.keys", "update");
  await file.write([Buffer.alloc(50, 7)], 128);
  const second = await inMemory(traced.files);
  const later = newKey();
  await second.putIfAbsent(digestOf("later"), later);
  const third = await inMemory(traced.files);
  assert.deepEqual(await third.get(digestOf("kept")), kept);
  assert.deepEqual(await third.get(digestOf("later")), later);
  assert.equal(third.count(), 2);
});

interface Workload {
  readonly put: Map<string, WrappedStudyKey>;
  readonly deleted: Set<string>;
}

/** Puts and deletes, telling of each acknowledgement; what fails is left and told to `failed`. */
async function work(
  keyStore: KeyStore,
  done: (line: string) => void,
  failed: (error: unknown) => void,
): Promise<Workload> {
  const put = new Map<string, WrappedStudyKey>();
  const deleted = new Set<string>();
  for (let round = 0; round < 4; round++) {
    await Promise.all(
      [0, 1, 2].map(async (i) => {
        const name = `study ${round * 3 + i}`;
        try {
          put.set(name, await keyStore.putIfAbsent(digestOf(name), newKey()));
          done(`put ${name}`);
        } catch (error) {
          failed(error);
        }
      }),
    );
  }
  for (const name of ["study 1", "study 7"]) {
    const key = put.get(name);
    if (key === undefined) continue;
    try {
      deleted.add(name);
      await keyStore.delete(key.studyToken);
      done(`deleted ${name}`);
    } catch (error) {
      failed(error);
    }
  }
  return { put, deleted };
}

test("at every crash, what was acknowledged is there, and what was shredded is not", async () => {
  const traced = createTracedFiles();
  const { put, deleted } = await work(await inMemory(traced.files), traced.note, (error) => assert.fail(String(error)));
  const random = seededRandom(11);
  const chance = () => (random(new Uint8Array(1))[0] ?? 0) / 256;
  let states = 0;
  for (let steps = 0; steps <= traced.trace.length; steps++) {
    for (const unsynced of ["kept", "dropped", "mixed", "mixed", "mixed"] as const) {
      const { disk, notes } = crashState(traced.trace, steps, unsynced, chance);
      const keyStore = await inMemory(createTracedFiles(disk).files);
      for (const [name, key] of put) {
        const found = await keyStore.get(digestOf(name));
        if (notes.includes(`deleted ${name}`)) assert.equal(found, undefined);
        else if (notes.includes(`put ${name}`) && !deleted.has(name)) assert.deepEqual(found, key);
        else if (found !== undefined) assert.deepEqual(found, key);
      }
      states++;
    }
  }
  assert.ok(states > 100, `${states} states`);
});

test("any one call that fails gives a clear error, no false acknowledgement and no second sync", async () => {
  for (const code of ["EIO", "ENOSPC", "EMFILE"] as const) {
    for (let nth = 0, isBeyond = false; !isBeyond; nth++) {
      const traced = createTracedFiles();
      const faulty = createFaultyFiles(traced.files, ({ kind }, index) =>
        index === nth ? { code, ...(kind === "write" && nth % 2 === 1 && { writtenBytes: 60 }) } : undefined,
      );
      const told = new Set<string>();
      let failures = 0;
      const failed = (error: unknown) => {
        assert.ok(isProblem(error, code === "ENOSPC" ? "no-room" : "fault"), String(error));
        failures++;
      };
      const workload = await inMemory(faulty)
        .then((keyStore) => work(keyStore, (line) => told.add(line), failed))
        .catch(failed);
      const broken = faulty.calls.find((call) => call.isFailed);
      isBeyond = broken === undefined;
      if (broken?.kind === "sync") {
        const later = faulty.calls.slice(faulty.calls.indexOf(broken) + 1).map(({ kind, path }) => `${kind} ${path}`);
        assert.ok(!later.includes(`sync ${broken.path}`), "a failed sync is not tried again");
      }
      if (broken !== undefined) assert.ok(failures > 0, `${broken.kind} failed and nobody heard of it`);
      const again = await inMemory(
        createTracedFiles(crashState(traced.trace, traced.trace.length, "dropped", () => 0).disk).files,
      );
      for (const [name, key] of workload?.put ?? []) {
        if (workload?.deleted.has(name)) continue;
        assert.deepEqual(await again.get(digestOf(name)), key, `${name} after ${broken?.kind} failed with ${code}`);
      }
    }
  }
});
