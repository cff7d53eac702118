import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isProblem } from "#base/problem";
import { ascending, blocksOf, holds, intersection, numbersOf, part, union } from "./blind-lists.ts";

const some = fc.oneof(
  fc.uniqueArray(fc.integer({ min: 1, max: 400 }), { maxLength: 300 }),
  fc.uniqueArray(fc.integer({ min: 1, max: 2 ** 32 - 1 }), { maxLength: 3000, size: "max" }),
);
const list = some.map((numbers) => Uint32Array.from(numbers).sort());

test("a list comes back from its blocks, in whatever order they come and however often a part was put in", () => {
  fc.assert(
    fc.property(list, (numbers) => {
      const blocks = blocksOf(numbers);
      assert.ok(blocks.every(({ length }) => [32, 128, 512, 1920].includes(length)));
      assert.deepEqual(numbersOf(blocks), numbers);
      assert.deepEqual(numbersOf([...blocks.toReversed(), ...blocks]), numbers);
    }),
    { numRuns: 200, seed: 3 },
  );
});

test("union, intersection and parts are those of sets", () => {
  fc.assert(
    fc.property(fc.array(list, { minLength: 1, maxLength: 4 }), fc.nat(500), (lists, at) => {
      const sets = lists.map((numbers) => new Set(numbers));
      const all = ascending(Uint32Array.from(lists.flatMap((numbers) => [...numbers])));
      assert.deepEqual([...union(lists)], [...all]);
      assert.deepEqual(
        [...intersection(lists)],
        [...all].filter((number) => sets.every((set) => set.has(number))),
      );
      assert.equal(holds(all, at), all.includes(at));
      assert.deepEqual([...part(all, at, at + 100)], [...all.filter((number) => number >= at && number < at + 100)]);
    }),
    { numRuns: 300, seed: 3 },
  );
});

test("a block that says it is longer than it is, is damaged", () => {
  const [block] = blocksOf(Uint32Array.of(1, 2, 3));
  assert.ok(block);
  block[1] = 0xff;
  assert.throws(
    () => numbersOf([block]),
    (error) => isProblem(error, "damaged"),
  );
});
