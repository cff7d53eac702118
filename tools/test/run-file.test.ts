import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { Outcome } from "./outcome.ts";
import { runFile } from "./run-file.ts";
import { summarize } from "./summary.ts";

const scratch = mkdtempSync(join(tmpdir(), "leadglass-runner-"));
after(() => rmSync(scratch, { recursive: true, force: true }));

const root = join(import.meta.dirname, "fixtures");
const run = (file: string, timeoutMs = 60_000): Promise<Outcome> => runFile(file, { root, scratch, timeoutMs });

test("passed, failed and skipped tests are counted once each, suites and parents not", async () => {
  const outcome = await run("mixed.test.ts");
  assert.equal(outcome.passed, 3);
  assert.deepEqual(
    outcome.failures.map((failure) => failure.name),
    ["fails", "a part fails"],
  );
  assert.deepEqual(outcome.skips, ["needs dcmtk: apt install dcmtk"]);
  assert.match(outcome.failures[0]?.detail ?? "", /1 !== 2/);
});

test("a file that is killed, exits early, hangs, is cancelled, is empty or does not load has failed", async () => {
  const cases: [string, RegExp][] = [
    ["crashes.test.ts", /ended by SIGKILL/],
    ["leaves-early.test.ts", /exited with code 0 before its tests had ended/],
    ["hangs.test.ts", /ended after 1 s/],
    ["cancelled.test.ts", /cancelled|timed out/],
    ["empty.test.ts", /holds no test|before its tests/],
    ["does-not-load.test.ts", /broken at the top|before its tests/],
  ];
  for (const [file, why] of cases) {
    const outcome = await run(file, file === "hangs.test.ts" ? 1000 : 60_000);
    assert.ok(outcome.failures.length > 0, file);
    assert.match(outcome.failures.map((failure) => failure.detail).join("\n") + outcome.output, why, file);
  }
});

test("a file that passes has no failure and the summary ends with the counts", async () => {
  const outcomes = [await run("passes.test.ts"), await run("mixed.test.ts")];
  assert.deepEqual(outcomes[0]?.failures, []);
  const lines = summarize(outcomes).split("\n");
  assert.equal(lines.at(-1), "4 passed, 2 failed, 1 skipped");
  assert.ok(lines.includes("1 skipped: needs dcmtk: apt install dcmtk"));
});
