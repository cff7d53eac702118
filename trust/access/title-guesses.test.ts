import assert from "node:assert/strict";
import { test } from "node:test";
import { createVirtualClock } from "#base/clock";
import { createTitleGuesses } from "./title-guesses.ts";

const minuteMs = 60_000;
const tryAll = (guesses: ReturnType<typeof createTitleGuesses>, from: number, to: number, address = "10.0.0.1") =>
  Array.from({ length: to - from }, (_, index) => guesses.wrong(`AE${from + index}`, address));

test("twenty titles from one address within an hour shut it out for a quarter of an hour, and no other", () => {
  const clock = createVirtualClock(1);
  const guesses = createTitleGuesses(clock);
  assert.deepEqual(tryAll(guesses, 0, 19).includes(true), false);
  assert.equal(guesses.isShutOut("10.0.0.1"), false);
  assert.equal(guesses.wrong("AE19", "10.0.0.1"), true);
  assert.equal(guesses.isShutOut("10.0.0.1"), true);
  assert.equal(guesses.isShutOut("10.0.0.2"), false);
  clock.advance(15 * minuteMs + 1);
  assert.equal(guesses.isShutOut("10.0.0.1"), false);
  assert.equal(tryAll(guesses, 20, 40).at(-1), true, "twenty more are needed then");
});

test("one title again and again, and a new one now and then, shut nobody out", () => {
  const clock = createVirtualClock(1);
  const guesses = createTitleGuesses(clock);
  for (let time = 0; time < 10_000; time++) assert.equal(guesses.wrong("CT1", "10.0.0.1"), false);
  for (let title = 0; title < 100; title++) {
    clock.advance(4 * minuteMs);
    assert.equal(guesses.wrong(`AE${title}`, "10.0.0.1"), false);
  }
});

test("a million addresses take no more memory than ten thousand", () => {
  const guesses = createTitleGuesses(createVirtualClock(1));
  tryAll(guesses, 0, 19, "first");
  for (let address = 0; address < 20_000; address++) guesses.wrong("X", String(address));
  assert.equal(guesses.wrong("AE19", "first"), false, "the oldest are forgotten");
});
