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
const inMemory = (files: Files, recordsPerFile = 100) => createFileKeyStore({ files, folder: "keys", recordsPerFile });

for (const recordsPerFile of [65_536, 7]) {
  testKeyStore(`files of ${recordsPerFile}`, async (t) => {
    const folder = await mkdtemp(join(tmpdir(), "leadglass-keys-"));
    t.after(() => rm(folder, { recursive: true, force: true }));
    const open = () => createFileKeyStore({ files: systemFiles, folder, recordsPerFile });
    return { keyStore: await open(), reopen: open };
  });
}

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

test("nothing of a replaced wrapping is left, and a file whose keys have all been replaced goes at the next start", async () => {
  const traced = createTracedFiles();
  const keyStore = await inMemory(traced.files, 10);
  const keys = Array.from({ length: 20 }, newKey);
  for (const [i, key] of keys.entries()) await keyStore.putIfAbsent(digestOf(`study ${i}`), key);
  for (const { studyToken } of keys) await keyStore.replace(studyToken, randomBytes(62));
  await keyStore.close();
  const content = Buffer.alloc(1280);
  await (await traced.files.open("keys/000001.keys", "read")).read(content, 0);
  for (const { wrappedKey } of keys) assert.ok(!content.includes(wrappedKey));
  assert.deepEqual((await traced.files.list("keys")).length, 4);
  const again = await inMemory(traced.files, 10);
  assert.deepEqual(await traced.files.list("keys"), ["000003.keys", "000004.keys"]);
  assert.equal(again.count(), 20);
  for (const { studyToken } of keys) assert.equal((await again.byToken(studyToken))?.studyToken, studyToken);
  await again.delete(keys[0]?.studyToken ?? "");
  for (const { studyToken } of keys) await again.replace(studyToken, randomBytes(62));
  await again.close();
  assert.equal((await inMemory(traced.files, 10)).count(), 19);
  // 3 tells that a study was shredded.
  assert.deepEqual(await traced.files.list("keys"), ["000003.keys", "000005.keys", "000006.keys"]);
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
  /** Every wrapping that a study was given, the last one last. */
  readonly wrappings: Map<string, Buffer[]>;
}

/** Puts, replaces and deletes, telling of each acknowledgement; what fails is left and told to `failed`. */
async function work(
  keyStore: KeyStore,
  done: (line: string) => void,
  failed: (error: unknown) => void,
): Promise<Workload> {
  const put = new Map<string, WrappedStudyKey>();
  const deleted = new Set<string>();
  const wrappings = new Map<string, Buffer[]>();
  for (let round = 0; round < 4; round++) {
    await Promise.all(
      [0, 1, 2].map(async (i) => {
        const name = `study ${round * 3 + i}`;
        try {
          const key = await keyStore.putIfAbsent(digestOf(name), newKey());
          put.set(name, key);
          wrappings.set(name, [key.wrappedKey]);
          done(`put ${name}`);
        } catch (error) {
          failed(error);
        }
      }),
    );
  }
  await Promise.all(
    ["study 0", "study 1", "study 5"].map(async (name) => {
      const key = put.get(name);
      if (key === undefined) return;
      try {
        const wrapping = randomBytes(62);
        wrappings.get(name)?.push(wrapping);
        await keyStore.replace(key.studyToken, wrapping);
        done(`replaced ${name}`);
      } catch (error) {
        failed(error);
      }
    }),
  );
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
  return { put, deleted, wrappings };
}

/** Whether what was found is a wrapping that may stand: the last one when its replacement was acknowledged, else any. */
function isStanding(found: WrappedStudyKey | undefined, wrappings: readonly Buffer[], isReplaced: boolean): boolean {
  const may = isReplaced ? wrappings.slice(-1) : wrappings;
  return found !== undefined && may.some((wrapping) => wrapping.equals(found.wrappedKey));
}

test("at every crash, what was acknowledged is there, and what was shredded is not", async () => {
  const traced = createTracedFiles();
  const { put, deleted, wrappings } = await work(await inMemory(traced.files), traced.note, (error) =>
    assert.fail(String(error)),
  );
  const random = seededRandom(11);
  const chance = () => (random(new Uint8Array(1))[0] ?? 0) / 256;
  let states = 0;
  for (let steps = 0; steps <= traced.trace.length; steps++) {
    for (const unsynced of ["kept", "dropped", "mixed", "mixed", "mixed"] as const) {
      const { disk, notes } = crashState(traced.trace, steps, unsynced, chance);
      const keyStore = await inMemory(createTracedFiles(disk).files);
      for (const name of put.keys()) {
        const found = await keyStore.get(digestOf(name));
        const isReplaced = notes.includes(`replaced ${name}`);
        if (notes.includes(`deleted ${name}`)) assert.equal(found, undefined);
        else if ((notes.includes(`put ${name}`) && !deleted.has(name)) || found !== undefined) {
          assert.ok(isStanding(found, wrappings.get(name) ?? [], isReplaced), `${name} after ${steps} steps`);
        }
      }
      let walked = 0;
      for await (const { studyToken } of keyStore.all()) {
        walked++;
        assert.ok(await keyStore.byToken(studyToken));
      }
      assert.equal(keyStore.count(), walked);
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
        const found = await again.get(digestOf(name));
        const isReplaced = told.has(`replaced ${name}`);
        const what = `${name} after ${broken?.kind} failed with ${code}`;
        assert.equal(found?.studyToken, key.studyToken, what);
        assert.ok(isStanding(found, workload?.wrappings.get(name) ?? [], isReplaced), what);
      }
    }
  }
});
