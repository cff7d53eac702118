import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { systemClock } from "#base/clock";
import { seededRandom } from "#base/id";
import { systemFiles } from "#base/io";
import { isProblem } from "#base/problem";
import { createAuditLog } from "#trust/audit";
import { entryStoreContract } from "../../trust/audit/entry-store.contract.ts";
import { createCrashingFiles } from "./crashing-files.fixture.ts";
import { openEntryFiles } from "./index.ts";

const line = (i: number, length = 20) => Buffer.from(`{"entry":${i}}`.padEnd(length, "."));

entryStoreContract(async () => {
  const root = mkdtempSync(join(tmpdir(), "leadglass-log-"));
  process.on("exit", () => rmSync(root, { recursive: true, force: true }));
  return openEntryFiles({ files: systemFiles, folder: join(root, "audit") });
});

test("lines of many segments are all there after opening again", async () => {
  const files = createCrashingFiles();
  const store = await openEntryFiles({ files, folder: "/log" });
  const count = 6000;
  for (let at = 0; at < count; at += 500) {
    await store.append(Array.from({ length: 500 }, (_, i) => line(at + i, 8000)));
  }
  await store.close();
  assert.equal(files.paths().filter((path) => path.includes("entries-")).length, 3);
  const again = await openEntryFiles({ files, folder: "/log" });
  assert.equal(again.size(), count);
  for (const at of [0, 2499, 2500, 4999, 5999]) assert.deepEqual(await again.read(at, at + 1), [line(at, 8000)]);
  assert.equal((await again.read(1990, 5510)).length, 3520);
  await again.append([line(count)]);
  assert.deepEqual(await again.read(count, count + 1), [line(count)]);
  await again.close();
});

test("whatever a crash tears, what was acknowledged is there, in order, and the log goes on", async () => {
  const step = fc.record({ lines: fc.integer({ min: 1, max: 30 }), length: fc.integer({ min: 1, max: 900 }) });
  const run = fc.record({ steps: fc.array(step, { maxLength: 6 }), torn: step, seed: fc.integer({ min: 1 }) });
  await fc.assert(
    fc.asyncProperty(fc.array(run, { minLength: 1, maxLength: 5 }), async (runs) => {
      const files = createCrashingFiles();
      let acknowledged: Buffer[] = [];
      for (const { steps, torn, seed } of runs) {
        const store = await openEntryFiles({ files, folder: "/log" });
        const there = await store.read(0, store.size());
        assert.deepEqual(there.slice(0, acknowledged.length), acknowledged);
        acknowledged = there;
        for (const { lines, length } of steps) {
          const batch = Array.from({ length: lines }, (_, i) => line(acknowledged.length + i, length));
          await store.append(batch);
          acknowledged.push(...batch);
        }
        const lost = store.append(Array.from({ length: torn.lines }, (_, i) => line(i, torn.length)));
        lost.catch(() => {});
        // Lets it write, not sync.
        await undefined;
        await undefined;
        files.crash(seededRandom(seed));
        await lost.catch(() => {});
      }
    }),
    { numRuns: 80, seed: 11 },
  );
});

test("a byte that changes before the last line is found on opening or on reading, never given out", async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat({ max: 5000 }), async (place) => {
      const files = createCrashingFiles();
      const store = await openEntryFiles({ files, folder: "/log" });
      for (let i = 0; i < 100; i++) await store.append([line(i)]);
      await store.close();
      files.damage("/log/entries-000000000000000", place % (56 * 99));
      const again = openEntryFiles({ files, folder: "/log" });
      await assert.rejects(again, (error) => isProblem(error, "damaged"));
    }),
    { numRuns: 60, seed: 12 },
  );
});

test("after a failed sync nothing more is taken; opened again, the log holds what was acknowledged and maybe that batch", async () => {
  const files = createCrashingFiles();
  const store = await openEntryFiles({ files, folder: "/log" });
  await store.append([line(0)]);
  files.failNext("sync", "EIO");
  await assert.rejects(store.append([line(1)]), (error) => isProblem(error, "fault"));
  await assert.rejects(store.append([line(2)]), (error) => isProblem(error, "fault"));
  assert.equal(store.size(), 1);
  await store.close();
  const again = await openEntryFiles({ files, folder: "/log" });
  assert.deepEqual((await again.read(0, 9))[0], line(0));
  await again.append([line(3)]);
  assert.deepEqual((await again.read(0, 9)).at(-1), line(3));
});

test("a full disk refuses a batch and takes the next one when there is room", async () => {
  const files = createCrashingFiles();
  const store = await openEntryFiles({ files, folder: "/log" });
  // The room for lines is taken ahead of them: that is where a disk turns out to be full.
  files.failNext("write", "ENOSPC");
  const long = Buffer.alloc(60_000, "x");
  let taken = 0;
  const fill = async () => {
    for (; taken < 1_000; taken++) await store.append([long]);
  };
  await assert.rejects(fill, (error) => isProblem(error, "no-room"));
  await store.append([line(1)]);
  assert.deepEqual(await store.read(taken, taken + 9), [line(1)]);
});

test("hashes whose sync failed are never synced again: no checkpoint says that they are there", async () => {
  const files = createCrashingFiles();
  const store = await openEntryFiles({ files, folder: "/log" });
  await store.writeHashes(0, Buffer.alloc(64, 7));
  files.failNext("sync", "EIO");
  await assert.rejects(store.syncHashes(), (error) => isProblem(error, "fault"));
  await assert.rejects(store.syncHashes(), (error) => isProblem(error, "fault"));
  await store.close();
});

test("a torn checkpoint gives its place to the next one", async () => {
  const files = createCrashingFiles();
  const store = await openEntryFiles({ files, folder: "/log" });
  await store.appendCheckpoint(Buffer.from("one"));
  const torn = store.appendCheckpoint(Buffer.from("two".repeat(300)));
  torn.catch(() => {});
  await undefined;
  files.crash(seededRandom(3));
  await torn.catch(() => {});
  const again = await openEntryFiles({ files, folder: "/log" });
  const count = again.checkpointCount();
  await again.appendCheckpoint(Buffer.from("three"));
  const notes = await again.readCheckpoints(0, 9);
  assert.equal(notes.length, count + 1);
  assert.deepEqual([notes[0], notes.at(-1)].map(String), ["one", "three"]);
});

test("kept hashes that are lost or damaged are made again from the lines, and proofs hold", async () => {
  const files = createCrashingFiles();
  const parts = { signingSeed: Buffer.alloc(32, 1), origin: "log.test", clock: systemClock };
  const open = async () => createAuditLog({ ...parts, store: await openEntryFiles({ files, folder: "/log" }) });
  const log = await open();
  for (let i = 0; i < 300; i++) await log.append({ actor: "system", act: "system.start", outcome: "done" });
  const path = await log.prove(17, 300);
  await log.close();
  for (let at = 0; at < files.bytesOf("/log/hashes").length; at += 32) files.damage("/log/hashes", at);
  const again = await open();
  assert.deepEqual(await again.prove(17, 300), path);
  await again.close();
});
