import assert from "node:assert/strict";
import { test } from "node:test";
import { createVirtualClock } from "#base/clock";
import { createLog } from "#base/log";
import { createTally } from "./tally.ts";

test("the first of a kind is told at once, a million more by their number", () => {
  const lines: string[] = [];
  const clock = createVirtualClock();
  const tally = createTally({ clock, log: createLog({ sink: (line) => lines.push(JSON.parse(line).what), clock }) });
  for (let index = 0; index < 1_000_000; index++) tally("guesses");
  tally("other things");
  assert.deepEqual(lines, ["refused: guesses", "refused: other things"]);
  clock.advance(10_000);
  assert.deepEqual(lines.slice(2), ["refused again: guesses"]);
  tally("guesses");
  assert.equal(lines.at(-1), "refused: guesses");
});
