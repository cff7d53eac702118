import assert from "node:assert/strict";
import { test } from "node:test";
import { createVirtualClock } from "#base/clock";
import { isProblem } from "#base/problem";
import { createMemoryRecordStore } from "#stores/memory";
import { operator } from "#trust/access";
import { createRecords } from "#trust/vault";
import { openVault } from "../../trust/vault/vault.fixture.ts";
import { openHeldSteps } from "./held-steps.ts";
import { dataSetOf, itemOf, itemValues, type Planned } from "./schedule.fixture.ts";
import { contentOf, type PerformedStatus, stepsIn } from "./scheduled-step.ts";

const dayMs = 24 * 60 * 60 * 1000;

async function openHeld() {
  const { vault } = await openVault();
  const clock = createVirtualClock(Date.UTC(2026, 2, 1, 8));
  const held = await openHeldSteps(createRecords({ store: createMemoryRecordStore(), vault }), clock);
  const put = (token: string, planned: Planned, performed: Record<string, PerformedStatus> = {}) => {
    const [attributes] = stepsIn(itemOf(planned));
    assert.ok(attributes);
    return held.inTurn(() => held.put(new Map([[token, contentOf(attributes, "", performed)]]), operator));
  };
  return {
    clock,
    put,
    tokens: () =>
      held
        .all()
        .map(({ token }) => token)
        .sort(),
  };
}

test("a step that nobody says the end of is forgotten a quarter of a year after its day, or after what was last said of it", async () => {
  const { clock, put, tokens } = await openHeld();
  await put("today", { date: "20260301" });
  await put("long past", { date: "20010101" });
  await put("in a month", { date: "20260331" });
  await put("no date", { date: "2026" });
  await clock.advance(30 * dayMs);
  await put("today", { date: "20260301" }, { p: "IN PROGRESS" });
  await clock.advance(61 * dayMs);
  await put("another", { date: "20260601" });
  assert.deepEqual(tokens(), ["another", "in a month", "today"]);
  await clock.advance(31 * dayMs);
  await put("another", { date: "20260602" });
  assert.deepEqual(tokens(), ["another"]);
});

test("an ended step is kept for a week from its end, however often it is planned again", async () => {
  const { clock, put, tokens } = await openHeld();
  await put("done", {});
  await clock.advance(2 * dayMs);
  await put("done", {}, { p: "COMPLETED" });
  await clock.advance(5 * dayMs);
  await put("done", { name: "Doe^John" }, { p: "COMPLETED" });
  await clock.advance(3 * dayMs);
  await put("another", {});
  assert.deepEqual(tokens(), ["another"]);
});

test("an item of more steps than are planned at once is refused", () => {
  const [step] = itemValues().ScheduledProcedureStepSequence as Record<string, string>[];
  const many = Array.from({ length: 101 }, (_, n) => ({ ...step, ScheduledProcedureStepID: `${n}` }));
  assert.throws(
    () => stepsIn(dataSetOf({ ...itemValues(), ScheduledProcedureStepSequence: many })),
    (error) => isProblem(error, "too-large"),
  );
});
