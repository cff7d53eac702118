import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createVirtualClock, systemClock } from "#base/clock";
import { isProblem } from "#base/problem";
import { createFairQueue, type Turn } from "./fair-queue.ts";

const limits = {
  turnsMax: 4,
  turnsOfOneMax: 2,
  waitingMax: 50,
  waitingOfOneMax: 20,
  longAfterMs: 1_000,
  longOfOneMax: 3,
};

/** A queue whose turns tell when they begin. */
function watched(clock = createVirtualClock()) {
  const queue = createFairQueue(clock, limits);
  const order: string[] = [];
  const enter = (caller: string, name = caller, isMoving?: () => boolean): Turn => {
    const turn = queue.enter(caller, isMoving);
    if (turn.begun === undefined) order.push(name);
    else turn.begun.then(() => order.push(name)).catch(() => {});
    return turn;
  };
  return { clock, order, enter };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

test("one caller has only so many turns at once, whatever is free", async () => {
  const { order, enter } = watched();
  for (let index = 0; index < 5; index++) enter("busy");
  await settled();
  assert.deepEqual(order, ["busy", "busy"]);
  enter("other");
  assert.deepEqual(order.at(-1), "other");
});

test("who comes after a thousand requests of another is served next, not after them", async () => {
  const { order, enter } = watched();
  const flood = Array.from({ length: 20 }, (_, index) => enter("flood", `flood ${index}`));
  const third = enter("third");
  const fourth = enter("fourth");
  const late = enter("late");
  await settled();
  assert.deepEqual(order, ["flood 0", "flood 1", "third", "fourth"], "every turn is taken");
  assert.notEqual(late.begun, undefined);
  flood[0]?.end();
  await settled();
  assert.equal(order.at(-1), "late", "with 18 of the flood waiting before it");
  third.end();
  await settled();
  assert.equal(order.at(-1), "flood 2");
  fourth.end();
  late.end();
});

test("callers who all wait are served in turn, one each", async () => {
  const { order, enter } = watched();
  const holding = ["w", "x", "y", "z"].map((caller) => enter(caller));
  for (const caller of ["a", "a", "a", "b", "b", "c"]) void enter(caller);
  for (const turn of holding) turn.end();
  await settled();
  assert.deepEqual(order.slice(4), ["a", "b", "c", "a"]);
});

test("one more than may wait is refused, and those of other callers are not", () => {
  const { enter } = watched();
  for (let index = 0; index < 22; index++) enter("flood");
  assert.throws(
    () => enter("flood"),
    (error) => isProblem(error, "busy"),
  );
  enter("other").end();
  for (const caller of ["b", "c"]) for (let index = 0; index < 12; index++) enter(caller);
  for (let index = 0; index < 20; index++) {
    try {
      enter(`filler ${index}`);
    } catch {}
  }
  assert.throws(
    () => enter("last"),
    (error) => isProblem(error, "busy"),
    "all together are bounded as well",
  );
});

test("who leaves the queue does not get a turn, and holds nobody up", async () => {
  const { order, enter } = watched();
  const [one] = [enter("a"), enter("a")];
  const leaving = enter("a", "leaving");
  enter("a", "staying");
  leaving.end();
  leaving.end();
  await assert.rejects(leaving.begun ?? Promise.resolve());
  one?.end();
  one?.end();
  await settled();
  assert.deepEqual(order, ["a", "a", "staying"]);
});

test("a turn that has become a stream makes room for the next, and work that lasts does not", async () => {
  const { order, enter, clock } = watched();
  const stream = enter("a", "stream", () => true);
  enter("a", "work", () => false);
  enter("a", "third");
  clock.advance(900);
  await settled();
  assert.deepEqual(order, ["stream", "work"]);
  clock.advance(200);
  await settled();
  assert.deepEqual(order, ["stream", "work", "third"]);
  clock.advance(5_000);
  enter("a", "fourth");
  await settled();
  assert.deepEqual(order, ["stream", "work", "third"], "work and the third still work");
  stream.end();
  stream.end();
});

test("streams of one caller are bounded too", async () => {
  const { order, enter, clock } = watched();
  const streams = [];
  for (let index = 0; index < 3; index++) {
    streams.push(enter("a", "stream", () => true));
    clock.advance(1_100);
    await settled();
  }
  enter("a", "next");
  await settled();
  assert.deepEqual(order, ["stream", "stream", "stream"]);
  enter("b");
  assert.equal(order.at(-1), "b", "which is nothing to another");
  streams[0]?.end();
  await settled();
  assert.equal(order.at(-1), "next");
});

test("whatever is asked and ended in whatever order, the bounds hold and nobody is forgotten", async () => {
  const step = fc.record({
    caller: fc.constantFrom("a", "b", "c"),
    ends: fc.nat(30),
    moves: fc.boolean(),
    ms: fc.nat(1_500),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 80 }), async (steps) => {
      const clock = createVirtualClock();
      const queue = createFairQueue(clock, limits);
      const open: { caller: string; turn: Turn; hasBegun: boolean; isStream: boolean; since: number }[] = [];
      let stepAt = clock.monotonicMs();
      const check = () => {
        const working = open.filter(
          ({ hasBegun, isStream, since }) =>
            hasBegun && !(isStream && clock.monotonicMs() - since >= limits.longAfterMs),
        );
        assert.ok(working.length <= limits.turnsMax);
        for (const caller of ["a", "b", "c"])
          assert.ok(working.filter((each) => each.caller === caller).length <= limits.turnsOfOneMax);
      };
      for (const { caller, ends, moves, ms } of steps) {
        try {
          const turn = queue.enter(caller, () => moves);
          const each = {
            caller,
            turn,
            hasBegun: turn.begun === undefined,
            isStream: moves,
            since: clock.monotonicMs(),
          };
          turn.begun?.then(() => Object.assign(each, { hasBegun: true, since: stepAt })).catch(() => {});
          open.push(each);
        } catch (error) {
          assert.ok(isProblem(error, "busy"));
        }
        stepAt = clock.monotonicMs();
        clock.advance(ms);
        if (ends < open.length) open.splice(ends, 1)[0]?.turn.end();
        await settled();
        check();
      }
      while (open.length > 0) {
        const at = open.findIndex(({ hasBegun }) => hasBegun);
        assert.ok(at >= 0, "somebody waits although nobody is served");
        open.splice(at, 1)[0]?.turn.end();
        await settled();
      }
    }),
    { numRuns: 150 },
  );
});

test("a turn that nobody has to wait for costs next to nothing to take", () => {
  const queue = createFairQueue(systemClock);
  for (let index = 0; index < 10_000; index++) queue.enter(`user ${index % 7}`).end();
  assert.equal(queue.enter("user").begun, undefined);
});
