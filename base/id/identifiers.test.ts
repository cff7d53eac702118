import assert from "node:assert/strict";
import { test } from "node:test";
import { newToken, newUid, seededRandom, systemRandom } from "./index.ts";

test("a token is 32 hex digits and does not repeat", () => {
  const tokens = new Set(Array.from({ length: 1000 }, () => newToken(systemRandom)));
  assert.equal(tokens.size, 1000);
  for (const token of tokens) assert.match(token, /^[0-9a-f]{32}$/);
});

test("a UID is valid by PS3.5 §9.1", () => {
  const random = seededRandom(7);
  for (let i = 0; i < 1000; i++) {
    const uid = newUid(random);
    assert.match(uid, /^2\.25\.(0|[1-9][0-9]*)$/);
    assert.ok(uid.length <= 64);
  }
});
