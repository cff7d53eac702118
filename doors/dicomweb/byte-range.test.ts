import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseRange } from "./byte-range.ts";

test("first to last, open end and suffix", () => {
  assert.deepEqual(parseRange("bytes=0-99", 1000), { from: 0, to: 100 });
  assert.deepEqual(parseRange("bytes=990-", 1000), { from: 990, to: 1000 });
  assert.deepEqual(parseRange("bytes=-10", 1000), { from: 990, to: 1000 });
  assert.deepEqual(parseRange("bytes=0-99999", 1000), { from: 0, to: 1000 });
});

test("a range behind the end, or of no bytes, is none", () => {
  assert.equal(parseRange("bytes=1000-", 1000), "none");
  assert.equal(parseRange("bytes=-0", 1000), "none");
  assert.equal(parseRange("bytes=0-0", 0), "none");
});

test("several ranges, other units and nonsense are ignored", () => {
  for (const header of [undefined, "", "bytes=0-1,5-9", "items=0-1", "bytes=-", "bytes=9-3", "bytes=a-b"]) {
    assert.equal(parseRange(header, 1000), "whole");
  }
});

test("whatever is asked, the span lies inside", () => {
  const ends = fc.option(fc.nat({ max: 5000 }), { nil: undefined });
  fc.assert(
    fc.property(ends, ends, fc.nat({ max: 3000 }), (first, last, size) => {
      const span = parseRange(`bytes=${first ?? ""}-${last ?? ""}`, size);
      if (typeof span === "string") return true;
      return span.from >= 0 && span.from < span.to && span.to <= size;
    }),
    { seed: 11, numRuns: 500 },
  );
});
