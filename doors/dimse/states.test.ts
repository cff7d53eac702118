import assert from "node:assert/strict";
import { test } from "node:test";
import { type Event, type State, transition } from "./states.ts";

/**
 * PS3.8 Table 9-10 once more, written down by columns: for each state, event number, action and next state. `9/10` is a
 * choice. An event that is not listed is an empty cell.
 */
const columns: Record<State, string> = {
  1: "1 AE-1 4, 5 AE-5 2",
  2: "3 AA-1 13, 4 AA-1 13, 6 AE-6 3/13, 10 AA-1 13, 12 AA-1 13, 13 AA-1 13, 16 AA-2 1, 17 AA-5 1, 18 AA-2 1, 19 AA-1 13",
  3: "3 AA-8 13, 4 AA-8 13, 6 AA-8 13, 7 AE-7 6, 8 AE-8 13, 10 AA-8 13, 12 AA-8 13, 13 AA-8 13, 15 AA-1 13, 16 AA-3 1, 17 AA-4 1, 19 AA-8 13",
  4: "2 AE-2 5, 15 AA-2 1, 17 AA-4 1",
  5: "3 AE-3 6, 4 AE-4 1, 6 AA-8 13, 10 AA-8 13, 12 AA-8 13, 13 AA-8 13, 15 AA-1 13, 16 AA-3 1, 17 AA-4 1, 19 AA-8 13",
  6: "3 AA-8 13, 4 AA-8 13, 6 AA-8 13, 9 DT-1 6, 10 DT-2 6, 11 AR-1 7, 12 AR-2 8, 13 AA-8 13, 15 AA-1 13, 16 AA-3 1, 17 AA-4 1, 19 AA-8 13",
  7: "3 AA-8 13, 4 AA-8 13, 6 AA-8 13, 10 AR-6 7, 12 AR-8 9/10, 13 AR-3 1, 15 AA-1 13, 16 AA-3 1, 17 AA-4 1, 19 AA-8 13",
  8: "3 AA-8 13, 4 AA-8 13, 6 AA-8 13, 9 AR-7 8, 10 AA-8 13, 12 AA-8 13, 13 AA-8 13, 14 AR-4 13, 15 AA-1 13, 16 AA-3 1, 17 AA-4 1, 19 AA-8 13",
  9: "3 AA-8 13, 4 AA-8 13, 6 AA-8 13, 10 AA-8 13, 12 AA-8 13, 13 AA-8 13, 14 AR-9 11, 15 AA-1 13, 16 AA-3 1, 17 AA-4 1, 19 AA-8 13",
  10: "3 AA-8 13, 4 AA-8 13, 6 AA-8 13, 10 AA-8 13, 12 AA-8 13, 13 AR-10 12, 15 AA-1 13, 16 AA-3 1, 17 AA-4 1, 19 AA-8 13",
  11: "3 AA-8 13, 4 AA-8 13, 6 AA-8 13, 10 AA-8 13, 12 AA-8 13, 13 AR-3 1, 15 AA-1 13, 16 AA-3 1, 17 AA-4 1, 19 AA-8 13",
  12: "3 AA-8 13, 4 AA-8 13, 6 AA-8 13, 10 AA-8 13, 12 AA-8 13, 13 AA-8 13, 14 AR-4 13, 15 AA-1 13, 16 AA-3 1, 17 AA-4 1, 19 AA-8 13",
  13: "3 AA-6 13, 4 AA-6 13, 6 AA-7 13, 10 AA-6 13, 12 AA-6 13, 13 AA-6 13, 16 AA-2 1, 17 AR-5 1, 18 AA-2 1, 19 AA-7 13",
};

test("all 13 states by 19 events are those of PS3.8 Table 9-10", () => {
  let cells = 0;
  for (const [name, column] of Object.entries(columns)) {
    const expected = new Map(column.split(", ").map((cell) => [Number(cell.split(" ")[0]), cell.split(" ").slice(1)]));
    for (let event = 1; event <= 19; event++) {
      const found = transition(Number(name) as State, event as Event);
      const shown = found && [found.action, [found.next].flat().join("/")];
      assert.deepEqual(shown, expected.get(event), `state ${name}, event ${event}`);
      cells++;
    }
  }
  assert.equal(cells, 247);
});
