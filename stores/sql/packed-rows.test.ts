import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { packRows, type Row, unpackRows } from "./packed-rows.ts";

const number = fc.double({ noNaN: true });
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  // A view in the midst of a buffer, as Node's pool gives.
  fc.uint8Array({ minLength: 3, maxLength: 40 }).map((all) => all.subarray(1, -1)),
);
const value = fc.oneof(number, fc.string(), bytes, fc.constant(null));
const column = fc.constantFrom(number, fc.string(), bytes, value);

const rows: fc.Arbitrary<Row[]> = fc
  .array(column, { maxLength: 6 })
  .chain((columns) => fc.array(fc.tuple(...columns), { maxLength: 12 }));

test("rows of any shape come out of a message as they went in, and what was given is still there", () => {
  fc.assert(
    fc.property(rows, (given) => {
      const before = structuredClone(given);
      const moved: ArrayBuffer[] = [];
      const packed = packRows(given, moved);
      assert.deepEqual(unpackRows(structuredClone(packed, { transfer: moved })), before);
      assert.deepEqual(given, before);
    }),
    { numRuns: 500 },
  );
});

test("a value of a large buffer takes no more than itself along", () => {
  const pool = new Uint8Array(64 * 1024).fill(7);
  const [first] = packRows([[pool.subarray(8, 24)]], []).columns;
  assert.ok(Array.isArray(first));
  assert.equal((first[0] as Uint8Array).buffer.byteLength, 16);
});
