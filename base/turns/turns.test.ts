import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as laterTurn } from "node:timers/promises";
import { createKeyedTurns, createPermits, createTurns } from "./index.ts";

/** Work that ends when it is told to, and says when it began. */
function createWorks() {
  const begun: string[] = [];
  const endings = new Map<string, PromiseWithResolvers<string>>();
  const endingOf = (name: string) => {
    const ending = endings.get(name) ?? Promise.withResolvers<string>();
    endings.set(name, ending);
    return ending;
  };
  return {
    begun,
    work: (name: string) => () => {
      begun.push(name);
      return endingOf(name).promise;
    },
    end: (name: string) => endingOf(name).resolve(`result of ${name}`),
    fail: (name: string) => endingOf(name).reject(new Error(`${name} failed`)),
  };
}

test("work begins when what was taken before it has ended, and gives its result", async () => {
  const turns = createTurns();
  const { begun, work, end } = createWorks();
  const first = turns.take(work("first"));
  const second = turns.take(work("second"));
  assert.deepEqual(begun, [], "not even the first begins at once");
  await laterTurn();
  assert.deepEqual(begun, ["first"]);
  end("second");
  await laterTurn();
  assert.deepEqual(begun, ["first"]);
  end("first");
  assert.deepEqual(await Promise.all([first, second]), ["result of first", "result of second"]);
  assert.deepEqual(begun, ["first", "second"]);
});

test("work that fails, or throws at once, is told to its caller alone and holds up nobody", async () => {
  const turns = createTurns();
  const { work, fail } = createWorks();
  const failing = turns.take(work("failing"));
  const throwing = turns.take(() => {
    throw new Error("thrown at once");
  });
  const after = turns.take(() => "done");
  fail("failing");
  await assert.rejects(failing, /failing failed/);
  await assert.rejects(throwing, /thrown at once/);
  assert.equal(await after, "done");
});

test("it is idle when all that was taken before has ended, failed work too", async () => {
  const turns = createTurns();
  const { begun, work, end, fail } = createWorks();
  await turns.idle();
  const failing = assert.rejects(turns.take(work("failing")));
  void turns.take(work("last"));
  let isIdle = false;
  const idle = turns.idle().then(() => {
    isIdle = true;
  });
  void turns.take(work("taken later"));
  fail("failing");
  await failing;
  await laterTurn();
  assert.equal(isIdle, false);
  end("last");
  await idle;
  await laterTurn();
  assert.deepEqual(begun, ["failing", "last", "taken later"], "which is not waited for");
});

test("work on one key waits for none on another, and a key that was idle begins anew", async () => {
  const turns = createKeyedTurns();
  const { begun, work, end, fail } = createWorks();
  const failing = assert.rejects(turns.take("one", work("one, failing")));
  const next = turns.take("one", work("one, next"));
  const other = turns.take("other", work("other"));
  await laterTurn();
  assert.deepEqual(begun, ["one, failing", "other"]);
  let isIdle = false;
  const idle = turns.idle().then(() => {
    isIdle = true;
  });
  fail("one, failing");
  await failing;
  await laterTurn();
  assert.deepEqual(begun, ["one, failing", "other", "one, next"]);
  end("other");
  assert.equal(await other, "result of other");
  assert.equal(isIdle, false);
  end("one, next");
  assert.equal(await next, "result of one, next");
  await idle;
  assert.equal(await turns.take("one", () => "anew"), "anew");
});

test("so many permits are given out at once, and who waits gets the next in order", async () => {
  const permits = createPermits(2);
  const got: string[] = [];
  const taken = ["first", "second", "third", "fourth"].map((name) => permits.take().then(() => got.push(name)));
  await laterTurn();
  assert.deepEqual(got, ["first", "second"]);
  permits.give();
  await laterTurn();
  assert.deepEqual(got, ["first", "second", "third"]);
  permits.give();
  await Promise.all(taken);
  permits.give();
  permits.give();
  await permits.take();
  await permits.take();
});
