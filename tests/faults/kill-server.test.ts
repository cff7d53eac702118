import assert from "node:assert/strict";
import { test } from "node:test";
import { killServerAgainAndAgain } from "./kill-server.ts";

test("killed 30 times while images arrive, the server loses nothing it acknowledged and has nothing twice", async (t) => {
  const report = await killServerAgainAndAgain({ times: 30 });
  t.diagnostic(
    `${report.acknowledged} acknowledged, ${report.killsAtStart} kills at start, ready in ${Math.round(Math.max(...report.readyMs))} ms at most`,
  );
  assert.ok(report.kills >= 30);
  assert.ok(report.acknowledged > 100, "the kills came before anything was stored");
});
