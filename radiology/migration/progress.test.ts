import assert from "node:assert/strict";
import { test } from "node:test";
import { type Job, noCounts } from "./job.ts";
import { endStage, undatedStage } from "./plan.ts";
import { progressOf } from "./progress.ts";

const job: Job = {
  id: "0".repeat(32),
  spec: {
    ...{ from: "1".repeat(32), modalities: [], checkOnly: false, associations: 1 },
    dates: { from: "20240101", to: "20240110", order: "newest", undated: true },
  },
  ...{ by: "operator", state: "running", startedAt: 0, changedAt: 0, stage: "20240106", unsureDays: 0 },
  ...{ ignoresDates: false, totals: { ...noCounts, found: 80, waiting: 10 } },
};

test("what is left is what waits and what days not listed yet may hold; nobody knows until when before some are over", () => {
  assert.deepEqual(progressOf(job, 0), { daysListed: 4, days: 10, studiesLeft: 130, endsAt: undefined });
  const running = { ...job, studiesPerMinute: 13 };
  assert.equal(progressOf(running, 1_000).endsAt, 1_000 + 10 * 60_000);
  const nights = { ...running, spec: { ...job.spec, hours: { from: 18, to: 6 } } };
  assert.equal(progressOf(nights, 0).endsAt, 20 * 60_000);
  for (const stage of [undatedStage, endStage]) {
    assert.deepEqual(progressOf({ ...job, stage }, 0), {
      daysListed: 10,
      days: 10,
      studiesLeft: 10,
      endsAt: undefined,
    });
  }
});
