import assert from "node:assert/strict";
import { test } from "node:test";
import { createVirtualClock } from "#base/clock";
import { createLog } from "./index.ts";

test("a line is one JSON object whatever the fields hold", () => {
  const lines: string[] = [];
  const log = createLog({ sink: (line) => lines.push(line), clock: createVirtualClock() });
  log.info("association opened", { ae: "CT1\r\n{\u001b[31m" });
  assert.equal(lines.length, 1);
  assert.ok(![..."\r\n\u001b"].some((control) => (lines[0] ?? "").includes(control)));
  assert.equal(JSON.parse(lines[0] ?? "").ae, "CT1\r\n{\u001b[31m");
});

test("an error's message stays out of the log, its name and code do not", () => {
  const lines: string[] = [];
  const log = createLog({ sink: (line) => lines.push(line), clock: createVirtualClock() });
  log.error("cannot read", {}, Object.assign(new Error("DOE^JANE"), { code: "EIO" }));
  assert.doesNotMatch(lines[0] ?? "", /DOE/);
  assert.equal(JSON.parse(lines[0] ?? "").code, "EIO");
});
