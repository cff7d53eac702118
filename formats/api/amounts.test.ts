import assert from "node:assert/strict";
import { test } from "node:test";
import { byteSize, counted, duration } from "./amounts.ts";

test("amounts are told as one says them", () => {
  assert.equal(duration(59_000), "less than a minute");
  assert.equal(duration(3_660_000), "1 h 1 min");
  assert.equal(byteSize(999), "999 B");
  assert.equal(byteSize(1_500_000), "1.5 MB");
  assert.equal(counted(1, "study", "studies"), "1 study");
  assert.equal(counted(1234, "study", "studies"), "1,234 studies");
});
