import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { seededRandom } from "#base/id";
import { crashState, createFaultyFiles, createTracedFiles, type Files, systemFiles } from "#base/io";
import type { EdgeSample } from "#formats/api";
import { createSampleHistory, type SampleHistory } from "./index.ts";
import { historyBytesMax } from "./sample-history.ts";

const minute = 60_000;
const quarter = 15 * minute;
const day = 24 * 60 * minute;
/** The beginning of an hour. */
const start = Date.UTC(2026, 10, 20, 6);

const sample = (at: number, change: Partial<EdgeSample> = {}): EdgeSample => ({
  ...{ at, parcels: 1, bytes: 100, oldestMs: 5, sentBytesPerSecond: 10, receivedPerMinute: 2, freeBytes: 1_000, up: 1 },
  ...change,
});
const inFiles = (files: Files) => createSampleHistory(files, "home", "history.ring");
const inMemory = () => inFiles(createTracedFiles().files);

async function fill(
  history: SampleHistory,
  from: number,
  count: number,
  change: (each: number) => Partial<EdgeSample>,
) {
  for (let each = 0; each < count; each++) await history.add(sample(from + each * minute, change(each)));
}

test("a minute is found as it was sampled, and minutes without a sample are gaps", async () => {
  const history = inMemory();
  await history.add(sample(start + 10, { parcels: 7 }));
  await history.add(sample(start + 3 * minute, { parcels: 9, up: 0 }));
  const seen = await history.read(start, start + 5 * minute, 100);
  assert.equal(seen.stepMs, minute);
  assert.deepEqual(
    seen.at,
    [0, 1, 2, 3, 4].map((each) => start + each * minute),
  );
  assert.deepEqual(seen.parcels, [7, null, null, 9, null]);
  assert.deepEqual(seen.up, [1, null, null, 0, null]);
  assert.deepEqual(seen.freeBytes, [1_000, null, null, 1_000, null]);
});

test("before the first sample there is nothing, in as many steps as were asked for", async () => {
  const seen = await inMemory().read(start, start + day, 10);
  assert.ok(seen.at.length >= 10 && seen.at.length <= 11);
  assert.ok(seen.parcels.every((value) => value === null));
});

test("a longer step shows the worst of what waits and the mean of what flows", async () => {
  const history = inMemory();
  await fill(history, start, 15, (each) => ({
    parcels: each,
    sentBytesPerSecond: each,
    freeBytes: 100 - each,
    up: each < 5 ? 0 : 1,
  }));
  const { stepMs, at, ...seen } = await history.read(start, start + quarter, 1);
  assert.deepEqual([stepMs, at], [quarter, [start]]);
  assert.deepEqual([seen.parcels, seen.sentBytesPerSecond, seen.freeBytes, seen.up], [[14], [7], [86], [10 / 15]]);
});

test("after a day a minute gives way to a later one, and its quarter of an hour stays for 90 days", async () => {
  const history = inMemory();
  await fill(history, start, 15, () => ({ parcels: 3 }));
  await fill(history, start + day, 15, () => ({ parcels: 4 }));
  const first = await history.read(start, start + quarter, 15);
  assert.deepEqual([first.stepMs, first.parcels], [quarter, [3]]);
  const second = await history.read(start + day, start + day + quarter, 15);
  assert.deepEqual([second.stepMs, second.parcels], [minute, Array(15).fill(4)]);
  await history.add(sample(start + 90 * day));
  const gone = await history.read(start, start + quarter, 15);
  assert.deepEqual(gone.parcels, [null]);
  const months = await history.read(start + 1, start + 91 * day, 500);
  assert.ok(months.at.length <= 501);
  assert.equal(months.parcels.filter((value) => value !== null).length, 2);
});

test("another process goes on where the last one ended, within the same minute and quarter too", async () => {
  const { files } = createTracedFiles();
  await fill(inFiles(files), start, 5, () => ({ parcels: 10 }));
  const again = inFiles(files);
  await again.add(sample(start + 4 * minute + 1, { parcels: 11 }));
  assert.deepEqual((await again.read(start, start + 5 * minute, 5)).parcels, [10, 10, 10, 10, 11]);
  assert.deepEqual((await again.read(start, start + quarter, 1)).parcels, [11]);
});

test("what a clock that was wrong wrote into the future is not there when the future comes", async () => {
  const { files } = createTracedFiles();
  const history = inFiles(files);
  await fill(history, start, 2, () => ({ parcels: 1 }));
  await fill(history, start + 2 * 60 * minute, 3, () => ({ parcels: 99 }));
  await history.add(sample(start + 2 * minute));
  const rest = await history.read(start, start + 3 * 60 * minute, 2_000);
  assert.ok(!rest.parcels.includes(99));
  assert.equal(rest.parcels.filter((value) => value !== null).length, 3);
  await history.add(sample(start + 30 * day, { parcels: 99 }));
  await inFiles(files).add(sample(start + 3 * minute));
  const after = await history.read(start, start + 31 * day, 2_000);
  assert.ok(!after.parcels.includes(99), "noticed by the next process too");
});

test("what cannot be written is a gap, and the next minute is as good as any", async () => {
  const traced = createTracedFiles();
  let writes = 0;
  const faulty = createFaultyFiles(traced.files, ({ kind }) =>
    kind === "write" && ++writes === 3 ? { code: "ENOSPC", writtenBytes: 20 } : undefined,
  );
  const history = inFiles(faulty);
  let refused = 0;
  for (let each = 0; each < 5; each++) await history.add(sample(start + each * minute)).catch(() => refused++);
  assert.equal(refused, 1);
  assert.deepEqual((await history.read(start, start + 5 * minute, 5)).parcels, [1, null, 1, 1, 1]);
});

test("after a crash anywhere, every sample that is shown is one that was added", async () => {
  const { files, trace } = createTracedFiles();
  const history = inFiles(files);
  await fill(history, start, 40, (each) => ({ parcels: each, bytes: each * 2, freeBytes: each * 3 }));
  const random = seededRandom(7);
  const chance = () => (random(new Uint8Array(1))[0] ?? 0) / 256;
  for (let steps = 1; steps <= trace.length; steps += 3) {
    for (const unsynced of ["kept", "dropped", "mixed"] as const) {
      const { disk } = crashState(trace, steps, unsynced, chance);
      const found = inFiles(createTracedFiles(disk).files);
      const seen = await found.read(start, start + 40 * minute, 40);
      if (seen.stepMs !== minute) continue;
      seen.parcels.forEach((value, each) => {
        if (value !== null)
          assert.deepEqual([value, seen.bytes[each], seen.freeBytes[each]], [each, each * 2, each * 3]);
      });
      await found.add(sample(start + 40 * minute, { parcels: 40 }));
      assert.deepEqual((await found.read(start + 40 * minute, start + 41 * minute, 1)).parcels, [40]);
    }
  }
});

test("bytes that changed on the disk are a gap, never another number", async () => {
  const { files } = createTracedFiles();
  const history = inFiles(files);
  await history.add(sample(start, { parcels: 5 }));
  const file = await files.open("home/history.ring", "update");
  const place = ((start / minute) % 1440) * 64;
  for (let byte = 0; byte < 64; byte++) {
    const before = Buffer.alloc(1);
    await file.read(before, place + byte);
    await file.write([Buffer.from([(before[0] ?? 0) ^ 0x10])], place + byte);
    const seen = await history.read(start, start + minute, 1);
    assert.ok(seen.stepMs !== minute, `byte ${byte}`);
    await file.write([before], place + byte);
  }
});

test("on a real disk the file keeps its size, is the owner's alone, and goes when it is removed", async () => {
  const folder = mkdtempSync(join(tmpdir(), "lg-history-"));
  const history = createSampleHistory(systemFiles, folder, "history.ring");
  await history.add(sample(start + 89 * day));
  await history.add(sample(start + 200 * day));
  const { size, mode } = statSync(join(folder, "history.ring"));
  assert.ok(size <= historyBytesMax && historyBytesMax === 10_080 * 64);
  assert.equal(mode & 0o777, 0o600);
  await history.remove();
  assert.ok((await history.read(start, start + day, 5)).up.every((value) => value === null));
  rmSync(folder, { recursive: true });
});

test("a time that cannot be shown is refused", async () => {
  const history = inMemory();
  for (const [from, to, points] of [
    [2, 1, 5],
    [-1, 5, 5],
    [0, 1, 0],
    [0, 1, 1e9],
    [Number.NaN, 1, 1],
  ] as const) {
    await assert.rejects(history.read(from, to, points), { code: "invalid" });
  }
  await assert.rejects(history.add(sample(Number.NaN)), { code: "invalid" });
  const ages = await history.read(0, Date.UTC(9999, 1, 1), 2_000);
  assert.ok(ages.at.length <= 2_001);
});
