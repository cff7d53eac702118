import assert from "node:assert/strict";
import { test } from "node:test";
import { createVirtualClock } from "#base/clock";
import { createAttempts } from "./attempts.ts";

const counted = [{ key: "a", slowing: { free: 3, firstPauseMs: 2_000, longestPauseMs: 5_000 } }];

function house() {
  const clock = createVirtualClock();
  const attempts = createAttempts(clock);
  let made = 0;
  const guess = (right = false) =>
    attempts.make(counted, async () => {
      made++;
      return right ? "in" : undefined;
    });
  return { clock, guess, made: () => made };
}

test("after the free ones each failure doubles the wait, up to the longest", async () => {
  const { clock, guess } = house();
  for (let i = 0; i < 3; i++) assert.equal(await guess(), undefined);
  for (const waitMs of [2_000, 4_000, 5_000, 5_000]) {
    clock.advance(waitMs - 1);
    await assert.rejects(guess(true), { code: "busy", remedy: /try again in 1 s/ });
    clock.advance(1);
    assert.equal(await guess(), undefined);
  }
});

test("many at once are counted before any is answered", async () => {
  const { guess, made } = house();
  await Promise.allSettled(Array.from({ length: 50 }, () => guess()));
  assert.equal(made(), 3);
});

test("a success, and an hour without a failure, begin anew", async () => {
  const { clock, guess } = house();
  await guess();
  await guess();
  assert.equal(await guess(true).catch(() => "waits"), "in");
  await guess();
  await guess();
  clock.advance(60 * 60_000 + 1);
  await guess();
  assert.equal(await guess(true), "in");
});
