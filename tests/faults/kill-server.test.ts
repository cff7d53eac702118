import assert from "node:assert/strict";
import { test } from "node:test";
import { killServerAgainAndAgain } from "./kill-server.ts";

/** A thousand and more: npm run faults -- kill */
const times = 16;

test("killed again and again while images arrive and while it starts, the server loses nothing it acknowledged and has nothing twice", async (t) => {
  const report = await killServerAgainAndAgain({ times });
  t.diagnostic(
    `${report.kills} kills, ${report.acknowledged} acknowledged, ${report.killsAtStart} kills at start, ready in ${Math.round(Math.max(...report.readyMs))} ms at most`,
  );
  assert.ok(report.kills >= times && report.killsAtStart >= 2);
  assert.ok(report.acknowledged > 20, "the kills came before anything was stored");
});
