import assert from "node:assert/strict";
import { test } from "node:test";
import { parseLinkLimits } from "./link-limits.ts";

test("limits of the link are hours and megabits a second", () => {
  assert.deepEqual(parseLinkLimits(undefined), []);
  assert.deepEqual(parseLinkLimits({ limits: [{ from: 22, to: 6, megabits: 8 }] }), [
    { fromHour: 22, toHour: 6, bytesPerSecond: 1_000_000 },
  ]);
});

test("what is no such limit refuses to start", () => {
  const wrong = [null, [], "20", {}, { limits: {} }, { limits: [null] }, { limits: [{ from: 7, to: 7, megabits: 1 }] }];
  const more = [{ limits: [{ from: -1, to: 7, megabits: 1 }] }, { limits: [{ from: 7, to: 19, megabits: "fast" }] }];
  for (const setting of [...wrong, ...more, { limits: [], other: 1 }])
    assert.throws(
      () => parseLinkLimits(setting),
      { code: "invalid", message: /refusing to start/ },
      JSON.stringify(setting),
    );
});
