import assert from "node:assert/strict";
import { test } from "node:test";
import { outage } from "./outage.ts";

/** The whole, 20,000 parcels in seven days with 1,000 flaps: npm run faults -- outage */
const order = { seed: 1, days: 1, parcels: 600, flaps: 20, kills: 20 };

// Done before the test begins: node:test follows every promise that is made inside of one.
const report = await outage(order);

test("a day without a link that lasts, the edge killed anywhere: nothing lost, nothing twice, messages in their order", (t) => {
  t.diagnostic(JSON.stringify(report));
  assert.equal(report.arrived, order.parcels);
  assert.equal(report.kills, order.kills);
  assert.equal(report.flaps, order.flaps);
});
