import assert from "node:assert/strict";
import { test } from "node:test";
import { downSpans, plotWords } from "./history-view.ts";

test("times without a link are spans; what was not sampled is none", () => {
  assert.deepEqual(downSpans({ up: [1, 0, 0.2, null, 0, 1, 0.5] }), [
    [1, 2],
    [4, 4],
  ]);
  assert.deepEqual(downSpans({ up: [null, null] }), []);
});

test("a plot is told in a sentence", () => {
  const words = (value: number) => `${value} items`;
  assert.equal(
    plotWords("Waiting", [null, 4, 9, 2, null], words),
    "Waiting: 2 items at the end, between 2 items and 9 items",
  );
  assert.equal(plotWords("Waiting", [null], words), "Waiting: nothing is known of this time");
});
