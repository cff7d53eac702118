import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createVirtualClock } from "#base/clock";
import { createBandwidth, hourlyRates } from "./bandwidth.ts";
import { createFlight } from "./flight.ts";
import { createGrowth, type Growth } from "./growth.ts";

/** A line on which a stream alone gets `each`, and all together no more than `all`. */
function run(growth: Growth, line: { each: number; all: number }, intervals: number, noise: () => number): number[] {
  const seen: number[] = [];
  for (let at = 0; at < intervals; at++) {
    const streams = growth.streams();
    const bytesPerSecond = Math.min(line.all, streams * line.each) * noise();
    growth.observe({ bytesPerSecond, streams, streamsNow: streams, isFull: true, isIdle: false });
    seen.push(growth.streams());
  }
  return seen;
}
const quiet = () => 1;

test("streams multiply within a few intervals where each brings more", () => {
  const seen = run(createGrowth({ first: 4, most: 32 }), { each: 5, all: 1000 }, 5, quiet);
  assert.equal(seen.at(-1), 32);
});

test("where one stream fills the line, they become few and stay few", () => {
  const seen = run(createGrowth({ first: 4, most: 32 }), { each: 100, all: 100 }, 300, quiet);
  assert.ok(Math.max(...seen) <= 12);
  assert.ok(seen.at(-1)! <= 2, `${seen.at(-1)}`);
});

test("streams settle near what fills the line, whatever the line and its noise", () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 20 }), fc.integer({ min: 1, max: 2 ** 31 }), (enough, seed) => {
      let state = seed;
      const noise = () => {
        state = (state * 48_271) % 2_147_483_647;
        return 0.98 + (0.04 * state) / 2_147_483_647;
      };
      const growth = createGrowth({ first: 4, most: 32 });
      run(growth, { each: 10, all: 10 * enough }, 400, noise);
      const late = run(growth, { each: 10, all: 10 * enough }, 200, noise);
      const usual = late.sort((a, b) => a - b)[late.length >> 1] ?? 0;
      assert.ok(usual >= 0.7 * enough && usual <= Math.max(4, 2 * enough), `${usual} for ${enough}`);
    }),
    { seed: 3, numRuns: 60 },
  );
});

test("a line that loses more from now on gets more streams", () => {
  const growth = createGrowth({ first: 4, most: 32 });
  run(growth, { each: 50, all: 100 }, 200, quiet);
  const seen = run(growth, { each: 5, all: 100 }, 400, quiet);
  assert.ok(seen.at(-1)! >= 15, `${seen.at(-1)}`);
});

test("what is limited by something else says nothing of streams, and idling keeps one, and remembers how many there were", () => {
  const growth = createGrowth({ first: 4, most: 32 });
  run(growth, { each: 5, all: 1000 }, 10, quiet);
  const idle = { bytesPerSecond: 0, streams: 32, streamsNow: 32, isFull: false };
  for (let at = 0; at < 10; at++) growth.observe({ ...idle, isIdle: false });
  assert.equal(growth.streams(), 32);
  for (let at = 0; at < 20; at++) growth.observe({ ...idle, isIdle: true });
  assert.equal(growth.streams(), 1);
  growth.observe({ ...idle, isIdle: false });
  assert.equal(growth.streams(), 32);
});

/** One stream over a line; how many milliseconds of sending lie ahead of what would be sent now, at each millisecond. */
function fly(ms: number, delayAt: (ms: number) => number): number[] {
  const bytesPerMs = 2_000;
  const clock = createVirtualClock();
  const flight = createFlight(() => clock.monotonicMs());
  const line: { at: number; total: number }[] = [];
  let total = 0;
  let freeAt = 0;
  return Array.from({ length: ms }, (_, now) => {
    while (line[0] !== undefined && line[0].at <= now) flight.received(line.shift()!.total);
    while (flight.roomBytes() > 0) {
      const bytes = flight.pieceBytes();
      flight.sent({ number: 1, from: 0, to: bytes });
      total += bytes;
      freeAt = Math.max(now, freeAt) + bytes / bytesPerMs;
      line.push({ at: freeAt + delayAt(now), total });
    }
    clock.advance(1);
    return freeAt - now;
  });
}
const dryShare = (aheads: readonly number[]) => aheads.filter((ahead) => ahead <= 0).length / aheads.length;

test("what is handed to a connection is twice what its path holds: hardly ever dry, and soon overtaken, also after ten minutes", () => {
  for (const aheads of [fly(20_000, () => 50).slice(2_000), fly(600_000, () => 50).slice(590_000)]) {
    assert.ok(dryShare(aheads) < 0.01, `${dryShare(aheads)}`);
    assert.ok(Math.max(...aheads) < 2.5 * 50, `something urgent waits ${Math.max(...aheads)} ms`);
  }
});

test("a path that becomes longer, or shorter, is followed", () => {
  const longer = fly(60_000, (now) => (now < 10_000 ? 20 : 120)).slice(50_000);
  assert.ok(dryShare(longer) < 0.05, `${dryShare(longer)}`);
  const shorter = fly(90_000, (now) => (now < 10_000 ? 120 : 20)).slice(70_000);
  assert.ok(Math.max(...shorter) < 80, `${Math.max(...shorter)} ms`);
});

test("a bound by the hour holds in its hours, and is kept to within a piece", () => {
  const allowed = hourlyRates(
    [
      { fromHour: 7, toHour: 19, bytesPerSecond: 100_000 },
      { fromHour: 22, toHour: 2, bytesPerSecond: 50_000 },
    ],
    "UTC",
  );
  const at = (hour: number) => allowed(Date.UTC(2026, 0, 5, hour, 30));
  assert.deepEqual([6, 7, 18, 19, 23, 1, 2].map(at), [
    undefined,
    100_000,
    100_000,
    undefined,
    50_000,
    50_000,
    undefined,
  ]);
  const clock = createVirtualClock(Date.UTC(2026, 0, 5, 8));
  const bandwidth = createBandwidth(allowed, clock);
  let spent = 0;
  for (let ms = 0; ms < 60_000; ms++) {
    while (bandwidth.waitMs() === 0) {
      bandwidth.spend(16_384);
      spent += 16_384;
    }
    clock.advance(1);
  }
  assert.ok(Math.abs(spent - 6_000_000) < 40_000, `${spent}`);
});

test("an hour without a rate sends nothing", () => {
  const clock = createVirtualClock();
  const bandwidth = createBandwidth(() => 0, clock);
  clock.advance(10_000);
  assert.ok(bandwidth.waitMs() > 0);
});
