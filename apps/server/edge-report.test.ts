import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, rmdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createVirtualClock } from "#base/clock";
import { createTracedFiles } from "#base/io";
import { silentLog } from "#base/log";
import { Problem } from "#base/problem";
import { createSampleHistory } from "#stores/history";
import type { Device, Edge } from "#trust/access";
import { soundReport } from "../../formats/api/edge-report.fixture.ts";
import { createDeviceTally } from "./device-tally.ts";
import { createEdgeReport, startSampling } from "./edge-report.ts";
import { openEdgeReports } from "./edge-reports.ts";
import { createFailures } from "./failures.ts";
import { plainSecrets } from "./links.fixture.ts";

const minute = 60_000;
const request = {} as never;

test("what machines bring is counted by the day, and by the minute as it passes; what fails is counted apart", async () => {
  const clock = createVirtualClock(new Date(2026, 4, 4, 23, 58).getTime());
  const failures = createFailures(clock);
  const tally = createDeviceTally({ clock, failures });
  const receiving = (finish: () => Promise<void>) => ({ write: () => undefined, finish, abort: () => {} });
  const good = tally.counted("ct", () => receiving(async () => {}));
  for (let each = 0; each < 3; each++) await good(request).finish();
  good(request).abort("association-lost");
  assert.deepEqual(tally.of("ct"), { stored: 3, failed: 1 });
  assert.equal(failures.last(), null);
  const invalid = tally.counted("ct", () => receiving(() => Promise.reject(new Problem("invalid", "no UID"))));
  await assert.rejects(invalid(request).finish(), { code: "invalid" });
  assert.equal(failures.last(), null, "the machine's to mend");
  const full = tally.counted("mr", () => {
    throw new Problem("no-room", "the disk is full", { remedy: "free space" });
  });
  assert.throws(() => full(request), { code: "no-room" });
  assert.deepEqual(failures.last(), { at: clock.now(), message: "the disk is full", remedy: "free space" });
  assert.equal(tally.receivedPerMinute(), 3);
  clock.advance(30_000);
  await good(request).finish();
  clock.advance(40_000);
  assert.equal(tally.receivedPerMinute(), 1);
  clock.advance(minute);
  assert.deepEqual(tally.of("ct"), { stored: 0, failed: 0 }, "another day");
});

test("a report says what is known: the queue, the link, machines by who spoke last, strangers, the newest error", async () => {
  const clock = createVirtualClock();
  const failures = createFailures(clock);
  const device = (ae: string, lastSeenAt: number) => ({ id: ae, ae, lastSeenAt }) as Device;
  const caller = (lastAt: number) => ({ ae: `S${lastAt}`, address: "10.0.0.9", firstAt: 0, lastAt, attempts: 1 });
  let link: object | undefined;
  const report = createEdgeReport({
    ...{ software: "1", clock, failures, tally: createDeviceTally({ clock, failures }) },
    disk: async () => ({ freeBytes: 9, reservedBytes: 1 }),
    devices: {
      list: async () => [device("OLD", 1), device("NEW", 2)],
      waiting: async () => [1, 2, 3, 4, 5, 6, 7].map(caller),
    },
    uplink: {
      state: () => ({ parcels: 2, bytes: 30, oldestAt: 5, aside: 1, delivered: 4 }),
      link: () => ({
        ...{ streams: 6, objectsInHand: 1, bytesPerSecond: 70 },
        error: { since: 1, problem: new Problem("unavailable", "slow", { remedy: "wait" }) },
      }),
    },
    cloudLink: { standing: () => link as never },
  });
  const off = await report();
  assert.deepEqual([off.link.state, off.link.since, off.startedAt], ["off", clock.now(), clock.now()]);
  assert.deepEqual(off.queue, { parcels: 2, bytes: 30, oldestAt: 5, aside: 1 });
  assert.deepEqual(
    off.devices.map(({ name }) => name),
    ["NEW", "OLD"],
  );
  assert.deepEqual(
    off.callers.map(({ name }) => name),
    ["S7", "S6", "S5", "S4", "S3"],
  );
  assert.deepEqual(off.error, { at: 1, message: "slow", remedy: "wait" });
  link = { isReached: false, since: 8, lastContactAt: 7, clockAheadMs: 3, certificateEndsAt: 99, error: null };
  failures.note(new Error("a bug"), "doing a thing");
  const down = await report();
  assert.deepEqual(down.link, {
    ...{ state: "down", since: 8, streams: 6, sentBytesPerSecond: 70, delivered: 4 },
    ...{ lastContactAt: 7, clockAheadMs: 3, certificateEndsAt: 99 },
  });
  assert.equal(down.error?.message, "internal error while doing a thing");
});

test("a box keeps a sample a minute while it is one; what cannot be kept is a gap and told as an error", async () => {
  const clock = createVirtualClock();
  const history = createSampleHistory(createTracedFiles().files, "home", "history.ring");
  const failures = createFailures(clock);
  let isWanted = false;
  let isBroken = false;
  const report = async () => {
    if (isBroken) throw new Problem("fault", "the list of machines cannot be read");
    return soundReport(clock.now());
  };
  const start = clock.now();
  const parts = { report, history, failures, isWanted: () => isWanted, clock, log: silentLog };
  const sampling = startSampling(parts);
  for (let each = 0; each < 6; each++) {
    isWanted = each >= 2;
    isBroken = each === 3;
    clock.advance(minute);
    await history.read(0, 1, 1);
  }
  await sampling.close();
  clock.advance(10 * minute);
  const { up } = await history.read(start, start + 10 * minute, 100);
  assert.deepEqual(
    up.slice(0, 10).map((value) => value !== null),
    [false, false, false, true, false, true, true, false, false, false],
  );
  assert.equal(failures.last()?.message, "the list of machines cannot be read");
});

test("the cloud knows what an edge told last after a restart, and forgets edges that are no more", async () => {
  const clock = createVirtualClock();
  const folder = mkdtempSync(join(tmpdir(), "lg-reports-"));
  const [north, south] = ["a".repeat(32), "b".repeat(32)];
  const open = (ids: readonly string[]) =>
    openEdgeReports({
      ...{ folder, clock, vault: { secrets: plainSecrets } },
      edges: { list: async () => ids.map((id) => ({ id }) as Edge) },
    });
  const first = await open([north, south]);
  await first.keep(north, soundReport(clock.now() - 5_000));
  await first.keep(south, soundReport(clock.now()));
  clock.advance(minute);
  await first.keep(north, soundReport(clock.now()));
  assert.equal(first.newest(north)?.receivedAt, clock.now());
  const again = await open([north]);
  assert.equal(again.newest(north)?.receivedAt, clock.now() - minute, "saved every five minutes");
  assert.equal(again.newest(south), undefined);
  const { up } = await again.history(north, { from: clock.now() - 5 * minute, to: clock.now() + minute, points: 10 });
  assert.equal(up.filter((value) => value !== null).length, 2);
  assert.deepEqual(readdirSync(join(folder, "edge-reports")), [`${north}.history`, `${north}.report`]);
  await again.forget(north);
  assert.equal(again.newest(north), undefined);
  assert.deepEqual(readdirSync(join(folder, "edge-reports")), []);
});

test("a report that could not be saved is saved when it is told again; what its saving left goes at the next start or with its edge", async () => {
  const clock = createVirtualClock();
  const folder = mkdtempSync(join(tmpdir(), "lg-reports-"));
  const id = "a".repeat(32);
  const edges = { list: async () => [{ id } as Edge] };
  const open = () => openEdgeReports({ folder, clock, vault: { secrets: plainSecrets }, edges });
  const kept = join(folder, "edge-reports");
  const inTheWay = join(kept, `${id}.report.next`);
  const reports = await open();
  mkdirSync(inTheWay);
  await assert.rejects(reports.keep(id, soundReport(clock.now())));
  assert.equal(reports.newest(id)?.receivedAt, clock.now(), "seen all the same");
  rmdirSync(inTheWay);
  clock.advance(minute);
  await reports.keep(id, soundReport(clock.now()));
  assert.deepEqual(readdirSync(kept), [`${id}.history`, `${id}.report`]);
  writeFileSync(inTheWay, '{"sealed":"');
  const again = await open();
  assert.deepEqual(readdirSync(kept), [`${id}.history`, `${id}.report`]);
  assert.equal(again.newest(id)?.receivedAt, clock.now());
  writeFileSync(inTheWay, '{"sealed":"');
  await again.forget(id);
  assert.deepEqual(readdirSync(kept), []);
});
