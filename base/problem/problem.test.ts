import assert from "node:assert/strict";
import { test } from "node:test";
import { asProblem, isPassing, isProblem, Problem } from "./index.ts";

test("a full disk is told apart from other faults", () => {
  const full = asProblem(Object.assign(new Error("x"), { code: "ENOSPC" }), "writing a pack");
  assert.equal(full.code, "no-room");
  assert.match(full.message, /writing a pack/);
  assert.equal(asProblem(new Error("secret detail"), "reading").code, "fault");
});

test("the message of an unknown error is not shown, but kept as cause for the log", () => {
  const problem = asProblem(new Error("DOE^JANE"), "reading");
  assert.doesNotMatch(problem.message, /DOE/);
  assert.match((problem.cause as Error).message, /DOE/);
});

test("a Problem passes through unchanged", () => {
  const problem = new Problem("absent", "no such study");
  assert.equal(asProblem(problem, "anything"), problem);
  assert.ok(isProblem(problem, "absent"));
  assert.ok(!isProblem(problem, "denied"));
});

test("what the caller did wrong, may not or cannot have does not pass; what lacks room, time or a machine does", () => {
  const codes = [
    "unavailable",
    "busy",
    "no-room",
    "fault",
    "invalid",
    "denied",
    "absent",
    "damaged",
    "unsupported",
  ] as const;
  const passing = codes.filter((code) => isPassing(new Problem(code, "x")));
  assert.deepEqual(passing, ["unavailable", "busy", "no-room", "fault"]);
});
