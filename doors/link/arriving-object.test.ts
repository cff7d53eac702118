import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import fc from "fast-check";
import { Problem } from "#base/problem";
import { type ArrivingObject, createArrivingObject, type Outcome } from "./arriving-object.ts";
import type { Arrival, Arrivals } from "./incoming.ts";
import { createRoom, type Room } from "./room.ts";

const length = 60;
const content = Uint8Array.from({ length }, (_, index) => index);
const offered = { number: 1, id: "0".repeat(32), length, sha256: new Uint8Array(32) };

/** An archive whose calls wait until they are let go on. */
interface SlowArchive extends Arrivals {
  readonly written: number[];
  readonly calls: string[];
  /** Lets the call that waits go on; false when none does. */
  letOn(problem?: Problem): Promise<boolean>;
}

function slowArchive(): SlowArchive {
  const written: number[] = [];
  const calls: string[] = [];
  let waits: PromiseWithResolvers<void> | undefined;
  const call = async (name: string): Promise<void> => {
    assert.equal(waits, undefined, "one call at a time");
    calls.push(name);
    waits = Promise.withResolvers<void>();
    await waits.promise;
  };
  const arrival: Arrival = {
    async write(from, bytes) {
      assert.equal(from, written.length);
      const copy = [...bytes];
      await call("write");
      written.push(...copy);
    },
    async finish() {
      await call("finish");
      return Uint8Array.of(7);
    },
    abandon: () => call("abandon"),
  };
  return {
    written,
    calls,
    standing: async () => [],
    async open(_object, from) {
      await call("open");
      // What was there before.
      written.push(...content.subarray(0, from));
      return arrival;
    },
    async letOn(problem) {
      const waited = waits;
      waits = undefined;
      if (problem === undefined) waited?.resolve();
      else waited?.reject(problem);
      await turn();
      return waited !== undefined;
    },
  };
}

interface Arriving {
  readonly object: ArrivingObject;
  readonly archive: SlowArchive;
  readonly room: Room;
  readonly outcomes: Outcome[];
}

function arriving(from = 0, room = createRoom(1_000, 1_000)): Arriving {
  const archive = slowArchive();
  const outcomes: Outcome[] = [];
  const object = createArrivingObject(offered, from, archive, room, {
    taken() {},
    finished: (outcome) => outcomes.push(outcome),
  });
  return { object, archive, room, outcomes };
}
const put = ({ object }: Arriving, from: number, to: number): boolean => {
  const isKept = object.put(from, content.subarray(from, to));
  object.go();
  return isKept;
};
const settle = async ({ archive }: Arriving): Promise<void> => {
  while (await archive.letOn());
};

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant("put" as const), from: fc.nat(length - 1), size: fc.nat(20) }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("on" as const) }) },
);

test("pieces cut anywhere, in any order, overlapping and repeated, are handed on as the object, in order and once", async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(length), fc.array(step, { maxLength: 60 }), async (from, steps) => {
      const all = arriving(from);
      const { object, archive, room, outcomes } = all;
      for (const each of steps) {
        if (each.kind === "on") await archive.letOn();
        else assert.ok(put(all, each.from, Math.min(length, each.from + 1 + each.size)));
        assert.ok(object.takenTo() <= object.wantedFrom());
        assert.ok(room.heldBytes() <= length - object.takenTo());
      }
      // What the other end does that is told what is wanted.
      put(all, Math.min(length - 1, object.wantedFrom()), length);
      await settle(all);
      assert.deepEqual(archive.written, [...content]);
      assert.deepEqual(outcomes, [{ receipt: Uint8Array.of(7) }]);
      assert.equal(archive.calls.filter((call) => call !== "write").join(), "open,finish");
      await object.ended;
      assert.equal(room.heldBytes(), 0);
    }),
    { seed: 21, numRuns: 300 },
  );
});

test("dropped at any time, it hands on nothing more, and gives back what it held when that was written", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const all = arriving();
      const { object, archive, room, outcomes } = all;
      for (const each of steps) {
        if (each.kind === "on") await archive.letOn();
        else put(all, each.from, Math.min(length, each.from + 1 + each.size));
      }
      const isFinished = outcomes.length > 0;
      const isWriting = archive.calls.at(-1) === "write" && !object.isAtRest();
      const writes = archive.calls.filter((call) => call === "write").length;
      object.drop();
      assert.equal(room.heldBytes() > 0, isWriting);
      put(all, 0, length);
      await settle(all);
      await object.ended;
      assert.equal(archive.calls.filter((call) => call === "write").length, writes);
      assert.equal(outcomes.length, isFinished ? 1 : 0);
      const isOpened = archive.calls.includes("open");
      assert.equal(archive.calls.includes("abandon"), isOpened && !archive.calls.includes("finish"));
      assert.equal(room.heldBytes(), 0);
    }),
    { seed: 22, numRuns: 300 },
  );
});

test("a piece for which there is no room is not kept, in no part; what came already asks for none", () => {
  const all = arriving(0, createRoom(20, 3));
  assert.ok(put(all, 10, 20) && put(all, 30, 35));
  assert.equal(put(all, 5, 31), false);
  assert.equal(all.room.heldBytes(), 15);
  assert.ok(put(all, 12, 19));
  // Of pieces there are three at most, however short.
  assert.ok(put(all, 40, 41));
  assert.equal(put(all, 50, 51), false);
});

test("an archive that fails is told of once, lets go, and what waited is forgotten", async () => {
  for (const failing of ["open", "write", "finish"]) {
    const all = arriving();
    put(all, 0, 30);
    put(all, 30, length);
    while (all.archive.calls.at(-1) !== failing) await all.archive.letOn();
    await all.archive.letOn(new Problem("no-room", "the disk is full"));
    assert.deepEqual(
      all.outcomes.map((outcome) => "problem" in outcome && outcome.problem.code),
      ["no-room"],
    );
    await settle(all);
    await all.object.ended;
    assert.equal(all.room.heldBytes(), 0);
    assert.equal(all.archive.calls.includes("abandon"), failing !== "open");
  }
});

test("an archive that cannot let go of it does not keep it from ending", async () => {
  const all = arriving();
  put(all, 0, 30);
  await all.archive.letOn();
  await all.archive.letOn();
  all.object.drop();
  await turn();
  assert.equal(all.archive.calls.at(-1), "abandon");
  await all.archive.letOn(new Problem("fault", "the file is gone"));
  await all.object.ended;
});
