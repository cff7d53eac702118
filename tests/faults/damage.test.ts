import assert from "node:assert/strict";
import { test } from "node:test";
import { damageAgainAndAgain } from "./damage.ts";
import { flipEveryBit } from "./flips.ts";

// Done before the first test begins: node:test follows every promise that is made inside of one, which doubles the time.
const [flips, damages] = [await flipEveryBit({ stride: 997 }), await damageAgainAndAgain({ times: 20_000 })];

test("every flipped bit of a sealed object's framing, tags, record and footer is detected, and of its ciphertext one in 997", (t) => {
  t.diagnostic(JSON.stringify(flips));
  assert.ok(flips.flips > 3500);
  assert.equal(flips.refused + flips.stillRead, flips.flips);
  // Record, its head and its tag: not read with the object, and told of by `check`.
  assert.equal(flips.stillRead, (16 + 40 + 16) * 8);
});

test("20,000 random damages are detected, and nothing damaged is served", (t) => {
  t.diagnostic(JSON.stringify(damages));
  assert.ok(Object.values(damages.damages).every((count) => count > 4000));
  assert.ok(damages.refused > damages.stillRead);
});
