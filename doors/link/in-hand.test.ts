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

test("an old answer that was overtaken takes nothing back, and one for what is gone is followed by its withdrawal", () => {
  const hand = handWith(100);
  const [number = 0] = begin(hand, "routine", 50);
  hand.next(20);
  hand.taken({ number, at: 20 });
  hand.answered({ number, at: 0 });
  assert.deepEqual(hand.next(20), { number, from: 20, to: 40 });
  hand.remove(number);
  hand.answered({ number, at: 0 });
  assert.deepEqual(hand.untold(), [number]);
  assert.throws(() => hand.answered({ number: number + 1, at: 0 }), { code: "invalid" });
});

test("an answer that says less long after is believed: the object is begun anew, under another number", () => {
  let now = 0;
  const hand = handWith(100, () => now);
  const [number = 0] = begin(hand, "routine", 50);
  hand.landed([hand.next(50) as Piece]);
  hand.taken({ number, at: 50 });
  now = 30_000;
  hand.answered({ number, at: 30 });
  assert.deepEqual(hand.untold(), [number]);
  const [anew] = hand.unasked(9);
  assert.equal(anew?.number, number + 1);
  // News of the former are no news of this.
  hand.taken({ number, at: 50 });
  hand.answered({ number: number + 1, at: 0 });
  assert.deepEqual(hand.next(50), { number: number + 1, from: 0, to: 50 });
});

test("what has landed and is wanted all the same is sent again, within the window that it has already", () => {
  const hand = handWith(50);
  const [number = 0] = begin(hand, "routine", 50);
  const pieces = [hand.next(20), hand.next(20), hand.next(10)] as Piece[];
  hand.landed(pieces.slice(0, 2));
  // The last may be on its way still: what is wanted may come.
  hand.answered({ number, at: 20 });
  assert.equal(hand.next(50), undefined);
  hand.landed(pieces.slice(2));
  hand.answered({ number, at: 20 });
  assert.deepEqual(hand.next(50), { number, from: 20, to: 50 });
  assert.equal(hand.outstandingBytes(), 50);
  // The cloud has all, and waits for its archive: nothing is sent.
  hand.answered({ number, at: 50 });
  assert.equal(hand.next(50), undefined);
});

test("a withdrawn object has its place and its bytes until the cloud has let go of it, and is withdrawn again until then", () => {
  const hand = handWith(50);
  const [number = 0, other = 0] = begin(hand, "routine", 30, 50);
  const piece = hand.next(30) as Piece;
  assert.ok(hand.withdraw(number));
  assert.deepEqual([hand.size, hand.places(), hand.outstandingBytes()], [1, 2, 30]);
  assert.deepEqual(hand.untold(), [number]);
  assert.deepEqual(hand.untold(), []);
  assert.equal(hand.withdraw(number), undefined);
  hand.lost([piece]);
  assert.deepEqual(hand.next(20), { number: other, from: 0, to: 20 });
  assert.equal(hand.next(20), undefined);
  hand.askAgain(0);
  assert.deepEqual(hand.untold(), [number]);
  hand.released(number);
  assert.deepEqual([hand.places(), hand.outstandingBytes()], [1, 20]);
  hand.released(number);
  assert.deepEqual(hand.next(20), { number: other, from: 20, to: 40 });
});

test("an object that the cloud has let go of by itself is begun anew", () => {
  const hand = handWith(50);
  const [number = 0] = begin(hand, "stat", 30);
  const piece = hand.next(30) as Piece;
  hand.released(number);
  assert.deepEqual([hand.outstandingBytes(), hand.untold()], [0, []]);
  const [anew] = hand.unasked(9);
  hand.lost([piece]);
  assert.equal(hand.next(30), undefined);
  hand.answered({ number: anew?.number ?? 0, at: 0 });
  assert.deepEqual(hand.next(30), { number: anew?.number, from: 0, to: 30 });
});

test("a piece that is late is sent once more while it is of use, and neither of the two counts for the other", () => {
  const hand = handWith(50);
  const [number = 0] = begin(hand, "routine", 30);
  const piece = hand.next(30) as Piece;
  const again = hand.again(piece) as Piece;
  assert.deepEqual(again, piece);
  hand.lost([piece]);
  assert.deepEqual(hand.next(30), piece);
  hand.landed([again]);
  hand.taken({ number, at: 30 });
  assert.equal(hand.again(piece), undefined);
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

/** What happens to a hand: pieces go out, arrive, arrive and are not kept, or break off, in any order; the cloud begins anew or lets go. */
const event = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("cut" as const), which: fc.integer({ min: 1, max: 40 }) }) },
  ...(["arrive", "vanish", "break", "again", "withdraw", "release", "answer", "restart"] as const).map((kind) => ({
    weight: kind === "arrive" ? 3 : 1,
    arbitrary: fc.record({ kind: fc.constant(kind), which: fc.nat() }),
  })),
);

test("whatever arrives, breaks off or is forgotten, every byte is sent until it is there, within the window", () => {
  const windowBytes = 80;
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 120 }), { minLength: 1, maxLength: 6 }),
      fc.array(event, { maxLength: 200 }),
      (lengths, events) => {
        const hand = handWith(windowBytes);
        hand.add(
          "routine",
          lengths.map((length, index) => object(index, length)),
        );
        /** What the cloud has of each, by its number. */
        const cloud = new Map<number, Uint8Array>();
        let flying: Piece[] = [];
        const upTo = (number: number): number => {
          const bytes = cloud.get(number) as Uint8Array;
          const gap = bytes.indexOf(0);
          return gap < 0 ? bytes.length : gap;
        };
        const askAll = () => {
          for (const number of hand.untold()) {
            cloud.delete(number);
            hand.released(number);
          }
          for (const { number, length } of hand.unasked(99)) {
            if (!cloud.has(number)) cloud.set(number, new Uint8Array(length));
            hand.answered({ number, at: upTo(number) });
          }
        };
        const arrive = (piece: Piece, isKept: boolean) => {
          hand.landed([piece]);
          if (!isKept || !cloud.has(piece.number)) return;
          cloud.get(piece.number)?.fill(1, piece.from, piece.to);
          hand.taken({ number: piece.number, at: upTo(piece.number) });
        };
        const cut = (bytes: number) => {
          const piece = hand.next(bytes);
          if (piece !== undefined) flying.push(piece);
          assert.ok(hand.outstandingBytes() >= 0 && hand.outstandingBytes() <= windowBytes);
          return piece !== undefined;
        };
        const numbers = () => [...cloud.keys()];
        const happens = ({ kind, which }: { kind: string; which: number }): void => {
          const number = numbers()[which % Math.max(1, cloud.size)] ?? 1;
          const at = which % Math.max(1, flying.length);
          if (kind === "cut") cut(which);
          else if (kind === "answer") {
            if (cloud.has(number)) hand.answered({ number, at: upTo(number) });
          } else if (kind === "restart") {
            flying = [];
            cloud.clear();
            hand.restart();
          } else if (kind === "withdraw") {
            // The queue gives it again.
            const given = hand.withdraw(number);
            if (given !== undefined) hand.add("routine", [given]);
          } else if (kind === "release") {
            cloud.delete(number);
            hand.released(number);
          } else if (kind === "again") {
            const copy = flying[at] && hand.again(flying[at]);
            if (copy !== undefined) flying.push(copy);
          } else {
            const [piece] = flying.splice(at, 1);
            if (piece === undefined) return;
            if (kind === "break") hand.lost([piece]);
            else arrive(piece, kind === "arrive");
          }
        };
        askAll();
        for (const each of events) {
          happens(each);
          askAll();
        }
        for (let steps = 0; steps < 2_000 && hand.size > 0; steps++) {
          while (cut(40));
          for (const piece of flying.splice(0)) arrive(piece, true);
          hand.askAgain(0);
          askAll();
          for (const number of numbers()) if (upTo(number) === cloud.get(number)?.length) hand.remove(number);
        }
        assert.equal(hand.size, 0);
        assert.equal(hand.outstandingBytes(), 0);
      },
    ),
    { seed: 7, numRuns: 500 },
  );
});
