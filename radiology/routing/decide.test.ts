import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type RoutingConditions, routingTexts } from "#formats/api";
import { decide, type RoutingFacts } from "./decide.ts";
import { keeping, machineA } from "./routing.fixture.ts";
import type { RoutingRule } from "./rule.ts";

const noon = new Date(2026, 2, 4, 12, 0).getTime(); // a Wednesday
const rule = (id: string, when: RoutingConditions, more: Partial<RoutingRule> = {}): RoutingRule => ({
  ...{ ...keeping, id, when, machines: [machineA] },
  ...more,
});
const fits = (when: RoutingConditions, facts: RoutingFacts, at = noon) =>
  decide([rule("1", when)], facts, at).rule === "1";

test("the first rule that fits decides; one that is paused is not looked at; without any, images are kept and go to the cloud", () => {
  const rules = [
    rule("1", { modality: { is: ["CT"] } }, { isPaused: true }),
    rule("2", { modality: { is: ["CT"] } }, { cloud: true }),
    rule("3", {}),
  ];
  assert.equal(decide(rules, { modality: "CT" }, noon).rule, "2");
  assert.equal(decide(rules, { modality: "MR" }, noon).rule, "3");
  assert.deepEqual(decide([], { modality: "CT" }, noon), {
    ...{ rule: undefined, cloud: true, keep: true, machines: [], changes: undefined },
  });
});

test("texts are compared without case and accents, with wildcards, and all conditions must hold", () => {
  const when = { description: { is: ["*schädel*", "head"] }, callingAe: { is: ["CT?"] } };
  assert.ok(fits(when, { description: "CT SCHADEL nativ", callingAe: "ct1" }));
  assert.ok(!fits(when, { description: "CT SCHADEL nativ", callingAe: "CT10" }));
  assert.ok(!fits(when, { callingAe: "CT1" }));
});

test("`not` is none of them, also where nothing is known", () => {
  const when = { bodyPart: { is: ["CHEST", "ABDOMEN"], not: true } };
  assert.ok(fits(when, { bodyPart: "HEAD" }));
  assert.ok(fits(when, {}));
  assert.ok(!fits(when, { bodyPart: "chest" }));
});

test("hours over midnight belong to the day on which they begin", () => {
  const night = { hours: { from: 18 * 60, to: 7 * 60, weekdays: [5] } };
  const at = (day: number, hour: number) => fits(night, {}, new Date(2026, 2, day, hour).getTime());
  assert.deepEqual(
    [at(6, 17), at(6, 18), at(7, 6), at(7, 7), at(7, 19), at(6, 6)],
    [false, true, true, false, false, false],
  );
  assert.ok(fits({ hours: { from: 0, to: 0, weekdays: [3] } }, {}));
  assert.ok(!fits({ hours: { from: 0, to: 0, weekdays: [3], not: true } }, {}));
});

const condition = fc.record({ is: fc.array(fc.string({ maxLength: 8 }), { maxLength: 3 }), not: fc.boolean() });
const facts = fc.dictionary(fc.constantFrom(...routingTexts), fc.string({ maxLength: 12 }), { maxKeys: 8 });
const anyRule = fc
  .tuple(fc.dictionary(fc.constantFrom(...routingTexts), condition, { maxKeys: 3 }), fc.boolean())
  .map(([when, isPaused]) => ({ when, isPaused }));

test("whatever rules say, the one that decides fits alone too, and none before it does", () => {
  fc.assert(
    fc.property(fc.array(anyRule, { maxLength: 6 }), facts, (made, given) => {
      const rules = made.map(({ when, isPaused }, at) => rule(String(at), when, { isPaused }));
      const decided = decide(rules, given, noon).rule;
      const first = rules.find((one) => decide([one], given, noon).rule === one.id);
      assert.equal(decided, first?.id);
    }),
    { seed: 61, numRuns: 300 },
  );
});
