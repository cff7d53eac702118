import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isProblem } from "#base/problem";
import { type CutTable, createMender, decodeCuts, encodeCuts } from "./cuts.ts";

const tableOf = (steps: readonly (readonly [number, number])[]): CutTable => {
  const offsets: number[] = [];
  const lengths: number[] = [];
  let end = 0;
  for (const [gap, length] of steps) {
    offsets.push(end + gap);
    lengths.push(length);
    end += gap + length;
  }
  return { offsets: Float64Array.from(offsets), lengths: Float64Array.from(lengths) };
};
const step = (max: number) => fc.tuple(fc.integer({ min: 1, max }), fc.integer({ min: 1, max }));

test("A table is decoded as it was encoded, small and large", () => {
  const steps = fc.oneof(
    fc.array(step(300), { maxLength: 200 }),
    fc.array(step(2 ** 44), { maxLength: 100 }),
    fc.array(step(40), { maxLength: 3 }).map((all) => [[0, 7] as [number, number], ...all]),
  );
  fc.assert(
    fc.property(steps, (all) => {
      const table = tableOf(all);
      assert.deepEqual(decodeCuts(encodeCuts(table)), table);
    }),
    { numRuns: 400, seed: 3 },
  );
  assert.equal(encodeCuts(tableOf([])).length, 1);
  assert.equal(encodeCuts(tableOf(Array.from({ length: 80 }, () => [8, 20]))).length, 161);
});

test("Bytes that are no table are damaged, never a crash, and take no memory on their word", () => {
  const real = encodeCuts(tableOf(Array.from({ length: 50 }, (_, i) => [i + 1, 300])));
  const before = process.memoryUsage().arrayBuffers;
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array({ maxLength: 40 }),
        fc.nat({ max: real.length - 1 }).map((n) => real.slice(0, n)),
        fc.tuple(fc.nat({ max: real.length - 1 }), fc.nat({ max: 255 })).map(([at, byte]) => real.with(at, byte)),
      ),
      (bytes) => {
        let table: CutTable;
        try {
          table = decodeCuts(bytes);
        } catch (error) {
          assert.ok(isProblem(error, "damaged"));
          return;
        }
        const { offsets, lengths } = table;
        for (let i = 0; i < offsets.length; i += 1) {
          assert.ok(lengths[i]! > 0 && (i === 0 || offsets[i]! > offsets[i - 1]! + lengths[i - 1]!));
        }
      },
    ),
    { numRuns: 3000, seed: 4 },
  );
  for (const lie of ["ffffff7f0101", "ffffffffffffff0f", "ff".repeat(20), "020105000500", "01050100", "010500", ""]) {
    assert.throws(
      () => decodeCuts(Buffer.from(lie, "hex")),
      (error) => isProblem(error, "damaged"),
    );
  }
  assert.ok(process.memoryUsage().arrayBuffers - before < 8_000_000);
});

test("Any range of an object is mended by itself", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 200 })), { maxLength: 12 }),
      fc.array(fc.tuple(fc.nat({ max: 3000 }), fc.nat({ max: 600 })), { minLength: 1, maxLength: 10 }),
      (steps, ranges) => {
        const table = tableOf(steps);
        const received = Uint8Array.from({ length: 2500 }, (_, i) => (i * 31 + 7) & 255);
        const image = received.slice();
        const cuts: number[] = [];
        table.offsets.forEach((offset, i) => {
          cuts.push(...received.subarray(offset, offset + table.lengths[i]!));
          image.fill(0, offset, offset + table.lengths[i]!);
        });
        const all = Uint8Array.from(cuts);
        const mender = createMender(table);
        assert.equal(
          mender.cutBytes,
          steps.reduce((sum, [, length]) => sum + length, 0),
        );
        for (const [offset, length] of ranges) {
          const part = image.slice(offset, offset + length);
          const needed = mender.cutsIn(offset, part.length);
          mender.mend(offset, part, all.subarray(needed.offset, needed.offset + needed.length));
          assert.deepEqual(part, received.slice(offset, offset + length));
        }
      },
    ),
    { numRuns: 500, seed: 9 },
  );
});

test("A table of 100,000 cuts is read, and any of its places found", () => {
  const table = tableOf(Array.from({ length: 100_000 }, (_, i) => [8 + (i % 3), 2 + (i % 60)]));
  const mender = createMender(decodeCuts(encodeCuts(table)));
  for (let i = 0; i < 100_000; i += 7) {
    const { offset, length } = mender.cutsIn(table.offsets[i]! - 1, 2);
    assert.equal(length, 1);
    const bytes = new Uint8Array(2);
    mender.mend(table.offsets[i]! - 1, bytes, Uint8Array.of((offset & 127) | 128));
    assert.deepEqual([...bytes], [0, (offset & 127) | 128]);
  }
});

test("Cut bytes of another length than the range lacks are refused, and nothing is changed", () => {
  const mender = createMender(tableOf([[4, 4]]));
  const bytes = new Uint8Array(10);
  for (const length of [0, 3, 5]) {
    assert.throws(
      () => mender.mend(0, bytes, new Uint8Array(length).fill(1)),
      (error) => isProblem(error, "damaged"),
    );
  }
  assert.deepEqual(bytes, new Uint8Array(10));
  mender.mend(8, bytes, new Uint8Array(0));
  assert.deepEqual(bytes, new Uint8Array(10));
});
