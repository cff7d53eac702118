import assert from "node:assert/strict";
import { test } from "node:test";
import { tamper } from "../faults/tampering.ts";
import { has } from "../house/index.ts";

test("attack 94: a log that was forked, rolled back, cut, changed or signed anew is refused by both verifiers, which agree on what is wrong", async (t) => {
  if (!has("python3")) return t.skip("needs python3: apt install python3");
  const { kinds, logs, refused } = await tamper({ logs: 4 });
  assert.ok(kinds >= 25 && refused === kinds * logs);
  t.diagnostic(`${kinds} kinds of tampering with ${logs} logs; all: npm run faults -- tampering --logs 100`);
});
