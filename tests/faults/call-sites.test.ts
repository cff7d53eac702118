import assert from "node:assert/strict";
import { test } from "node:test";
import { failCalls } from "./call-sites.ts";

// Every call of every workload: npm run faults -- calls. Done before the test begins: node:test follows every promise that is made inside of one, which doubles the time.
const { wrong, ...report } = await failCalls({ by: "sites" });

test("each place that calls the disk fails once in each way: no false acknowledgement, no second sync, a clear error", (t) => {
  t.diagnostic(JSON.stringify(report));
  const [first] = wrong;
  assert.ok(
    first === undefined,
    `${wrong.length} runs are not as they must be, the first: ${first?.where}: ${first?.error}`,
  );
  assert.ok(report.sites > 150 && report.runs > 1_000);
  assert.ok(report.refused > 500, "the faults were met");
});
