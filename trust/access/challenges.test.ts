import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createVirtualClock } from "#base/clock";
import { systemRandom } from "#base/id";
import { createChallenges } from "./challenges.ts";

const house = () => {
  const clock = createVirtualClock();
  return { clock, challenges: createChallenges({ clock, random: systemRandom }) };
};

test("a challenge is taken once, for what and where it was issued, within five minutes", () => {
  const { clock, challenges } = house();
  const issued = challenges.issue("sign-in", "browser");
  assert.equal(challenges.take(issued, "register", "browser"), false);
  assert.equal(challenges.take(issued, "sign-in", "another browser"), false);
  assert.equal(challenges.take(issued, "sign-in", "browser"), true);
  assert.equal(challenges.take(issued, "sign-in", "browser"), false, "replayed");
  const late = challenges.issue("sign-in", "browser");
  clock.advance(5 * 60_000);
  assert.equal(challenges.take(late, "sign-in", "browser"), false, "over");
});

test("one of another process, or changed in any bit, is none", () => {
  const { challenges } = house();
  const issued = challenges.issue("sign-in", "browser");
  assert.equal(house().challenges.take(issued, "sign-in", "browser"), false);
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 54 * 8 - 1 }), (bit) => {
      const bytes = Buffer.from(issued, "base64url");
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      return !challenges.take(bytes.toString("base64url"), "sign-in", "browser");
    }),
  );
  for (const odd of ["", "x", issued.slice(1), `${issued}AA`])
    assert.equal(challenges.take(odd, "sign-in", "browser"), false);
});
