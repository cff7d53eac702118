import assert from "node:assert/strict";
import { test } from "node:test";
import { acts } from "#trust/access";
import { wordedActs } from "../../apps/web/src/words/act-words.ts";

test("every act that there is has words for who reads the roles, and no words are left of one that is gone", () => {
  assert.deepEqual([...wordedActs].sort(), [...acts].sort());
});
