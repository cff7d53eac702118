import assert from "node:assert/strict";
import { test } from "node:test";
import { createVirtualClock } from "./index.ts";

test("a virtual clock fires timers in order of their time, and only when moved past them", () => {
  const clock = createVirtualClock();
  const fired: string[] = [];
  clock.after(20, () => fired.push("late"));
  clock.after(10, () => fired.push("early"));
  clock.after(15, () => fired.push("stopped")).stop();
  clock.advance(9);
  assert.deepEqual(fired, []);
  clock.advance(11);
  assert.deepEqual(fired, ["early", "late"]);
});

test("a timer that is set while another fires is due within the same move", () => {
  const clock = createVirtualClock();
  const at: number[] = [];
  clock.after(5, () => clock.after(5, () => at.push(clock.monotonicMs())));
  clock.advance(10);
  assert.deepEqual(at, [10]);
});
