import assert from "node:assert/strict";
import { test } from "node:test";
import { type Outcome, outcomeOf, type StateAction } from "./transitions.ts";

const states = ["absent", "SCHEDULED", "IN PROGRESS", "COMPLETED", "CANCELED"] as const;

/* PS3.4 Table CC.1.1-2, row by row as it is printed. */
const printed: readonly (readonly [StateAction, boolean, readonly Outcome[]])[] = [
  ["create", true, ["SCHEDULED", 0x0111, 0x0111, 0x0111, 0x0111]],
  ["IN PROGRESS", true, [0xc307, "IN PROGRESS", 0xc302, 0xc300, 0xc300]],
  ["IN PROGRESS", false, [0xc307, 0xc301, 0xc301, 0xc301, 0xc301]],
  ["SCHEDULED", true, [0xc307, 0xc303, 0xc303, 0xc303, 0xc303]],
  ["SCHEDULED", false, [0xc307, 0xc303, 0xc303, 0xc303, 0xc303]],
  ["COMPLETED", true, [0xc307, 0xc310, "COMPLETED", 0xb306, 0xc300]],
  ["COMPLETED", false, [0xc307, 0xc301, 0xc301, 0xc301, 0xc301]],
  ["request cancel", true, [0xc307, "CANCELED", "tell", 0xc311, 0xb304]],
  ["request cancel", false, [0xc307, "CANCELED", "tell", 0xc311, 0xb304]],
  ["CANCELED", true, [0xc307, 0xc310, "CANCELED", 0xc300, 0xb304]],
  ["CANCELED", false, [0xc307, 0xc301, 0xc301, 0xc301, 0xc301]],
];

test("each action on each state comes out as the standard's table has it", () => {
  for (const [action, isCorrect, outcomes] of printed) {
    const found = states.map((state) => outcomeOf(action, state, isCorrect));
    assert.deepEqual(found, outcomes, `${action} ${isCorrect}`);
  }
});
