import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createInHand, type InHand, type Piece } from "./in-hand.ts";
import type { OutgoingObject, Urgency } from "./outgoing.ts";

const object = (name: number, length: number): OutgoingObject => ({
  id: name.toString(16).padStart(32, "0"),
  length,
  sha256: new Uint8Array(32),
});
const handWith = (windowBytes: number, nowMs = () => 0): InHand => {
  const hand = createInHand(nowMs);
  hand.setWindow(windowBytes);
  return hand;
};
/** Adds objects and answers their offers. */
function begin(hand: InHand, urgency: Urgency, ...lengths: number[]): number[] {
  hand.add(
    urgency,
    lengths.map((length, index) => object(index, length)),
  );
  const numbers = hand.unasked(256).map(({ number }) => number);
  for (const number of numbers) hand.answered({ number, at: 0 });
  return numbers;
}

test("STAT goes before the first instance of a series, and that before the rest, also among objects that were begun", () => {
  const hand = handWith(1_000);
  const [routine] = begin(hand, "routine", 100);
  assert.deepEqual(hand.next(10), { number: routine, from: 0, to: 10 });
  const [first] = begin(hand, "first", 15);
  assert.deepEqual(hand.next(10), { number: first, from: 0, to: 10 });
  const [stat] = begin(hand, "stat", 10);
  assert.deepEqual(hand.next(10), { number: stat, from: 0, to: 10 });
  assert.deepEqual(hand.next(10), { number: first, from: 10, to: 15 });
  assert.deepEqual(hand.next(10), { number: routine, from: 10, to: 20 });
});

test("no more is sent than the cloud has room for, and what it took makes room again", () => {
  const hand = handWith(25);
  const [number = 0] = begin(hand, "routine", 100);
  assert.ok(hand.next(10) && hand.next(10));
  assert.equal(hand.next(10), undefined);
  hand.taken({ number, at: 10 });
  assert.deepEqual(hand.next(10), { number, from: 20, to: 30 });
  assert.equal(hand.outstandingBytes(), 20);
});

test("nothing of an object is sent before the cloud has said from where", () => {
  const hand = handWith(100);
  hand.add("routine", [object(1, 50)]);
  assert.equal(hand.next(10), undefined);
  const { number } = hand.unasked(1)[0]!;
  hand.answered({ number, at: 40 });
  assert.deepEqual(hand.next(10), { number, from: 40, to: 50 });
});

test("an old answer that was overtaken takes nothing back, and an answer for what is gone says so", () => {
  const hand = handWith(100);
  const [number = 0] = begin(hand, "routine", 50);
  hand.next(20);
  hand.taken({ number, at: 20 });
  assert.equal(hand.answered({ number, at: 0 }), true);
  assert.deepEqual(hand.next(20), { number, from: 20, to: 40 });
  hand.remove(number);
  assert.equal(hand.answered({ number, at: 0 }), false);
});

test("an answer that says less long after is believed: it is sent again from there", () => {
  let now = 0;
  const hand = handWith(100, () => now);
  const [number = 0] = begin(hand, "routine", 50);
  hand.next(50);
  hand.taken({ number, at: 50 });
  now = 30_000;
  hand.answered({ number, at: 30 });
  assert.deepEqual(hand.next(50), { number, from: 30, to: 50 });
});

test("after a restart of the cloud all is asked for and sent anew, and pieces of before are not", () => {
  const hand = handWith(100);
  const [number = 0] = begin(hand, "routine", 50);
  const piece = hand.next(20) as Piece;
  hand.restart();
  hand.lost([piece]);
  assert.equal(hand.next(20), undefined);
  assert.deepEqual(
    hand.unasked(9).map((each) => each.number),
    [number],
  );
  hand.answered({ number, at: 10 });
  assert.deepEqual(hand.next(20), { number, from: 10, to: 30 });
});

test("only what waits for the cloud's word is asked for again", () => {
  const hand = handWith(100);
  const [sending, waiting] = begin(hand, "routine", 50, 60) as [number, number];
  hand.next(20);
  hand.askAgain(0);
  assert.deepEqual(
    hand.unasked(9).map(({ number }) => number),
    [sending],
  );
  hand.taken({ number: sending, at: 20 });
  hand.askAgain(0);
  assert.deepEqual(hand.unasked(9), []);
  assert.ok(waiting > sending);
});

test("a cloud that took what was never sent breaks a rule", () => {
  const hand = handWith(100);
  const [number = 0] = begin(hand, "routine", 50);
  hand.next(20);
  assert.throws(() => hand.taken({ number, at: 21 }), { code: "invalid" });
  assert.throws(() => hand.answered({ number, at: 51 }), { code: "invalid" });
});

/** What happens to a hand: pieces go out, arrive or break off, in any order. */
const event = fc.oneof(
  fc.record({ kind: fc.constant("cut" as const), bytes: fc.integer({ min: 1, max: 40 }) }),
  fc.record({ kind: fc.constant("arrive" as const), which: fc.nat() }),
  fc.record({ kind: fc.constant("break" as const), which: fc.nat() }),
  fc.record({ kind: fc.constant("restart" as const), which: fc.nat() }),
);

test("whatever arrives, breaks off or is forgotten, every byte is sent until it is there, within the window", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 120 }), { minLength: 1, maxLength: 6 }),
      fc.array(event, { maxLength: 200 }),
      (lengths, events) => {
        const windowBytes = 80;
        const hand = handWith(windowBytes);
        const numbers = begin(hand, "routine", ...lengths);
        const arrived = new Map(numbers.map((number, index) => [number, new Uint8Array(lengths[index]!)]));
        let flying: Piece[] = [];
        const arrive = ({ number, from, to }: Piece) => {
          arrived.get(number)?.fill(1, from, to);
          const gap = arrived.get(number)?.indexOf(0) ?? -1;
          hand.taken({ number, at: gap < 0 ? arrived.get(number)!.length : gap });
        };
        const cut = (bytes: number) => {
          const piece = hand.next(bytes);
          if (piece !== undefined) flying.push(piece);
          assert.ok(hand.outstandingBytes() <= windowBytes);
          return piece !== undefined;
        };
        for (const each of events) {
          if (each.kind === "cut") cut(each.bytes);
          else if (each.kind === "restart") {
            flying = [];
            hand.restart();
            for (const { number } of hand.unasked(99)) {
              const gap = arrived.get(number)!.indexOf(0);
              if (gap >= 0) arrived.get(number)!.fill(0, gap);
              hand.answered({ number, at: gap < 0 ? arrived.get(number)!.length : gap });
            }
          } else {
            const [piece] = flying.splice(each.which % Math.max(1, flying.length), 1);
            if (piece === undefined) continue;
            if (each.kind === "arrive") arrive(piece);
            else hand.lost([piece]);
          }
        }
        for (let steps = 0; steps < 2_000 && (cut(40) || flying.length > 0); steps++) {
          for (const piece of flying.splice(0)) arrive(piece);
        }
        assert.ok([...arrived.values()].every((bytes) => !bytes.includes(0)));
        assert.equal(hand.outstandingBytes(), 0);
      },
    ),
    { seed: 7, numRuns: 500 },
  );
});
