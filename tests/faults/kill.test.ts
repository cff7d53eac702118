import assert from "node:assert/strict";
import { test } from "node:test";
import { killAgainAndAgain } from "./kill.ts";

test("killed 30 times while it writes, the vault loses nothing that was acknowledged and has nothing twice", async (t) => {
  const report = await killAgainAndAgain({ times: 30 });
  t.diagnostic(
    `${report.acknowledged} acknowledged, ${report.found} found, ready in ${Math.round(report.slowestReadyMs)} ms at most`,
  );
  assert.equal(report.kills, 30);
  assert.ok(report.acknowledged > 30, "the kills came before anything was written");
  assert.ok(report.found >= report.acknowledged);
});
