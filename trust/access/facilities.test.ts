import assert from "node:assert/strict";
import { test } from "node:test";
import { createVirtualClock } from "#base/clock";
import { systemRandom } from "#base/id";
import { createMemoryAccessStore } from "#stores/memory";
import { createDevices, createFacilities } from "./index.ts";

function opened() {
  const parts = { store: createMemoryAccessStore(), clock: createVirtualClock(), random: systemRandom };
  return { facilities: createFacilities(parts), devices: createDevices(parts) };
}

test("a facility has a token that its name does not say, keeps it under another name, and is found by it", async () => {
  const { facilities } = opened();
  const facility = await facilities.add("  North Wing ");
  assert.match(facility.id, /^[0-9a-f]{32}$/);
  assert.equal(facility.name, "North Wing");
  assert.deepEqual(await facilities.rename(facility.id, "North"), { ...facility, name: "North" });
  assert.deepEqual(await facilities.list(), [{ ...facility, name: "North" }]);
  assert.equal(await facilities.require(facility.id), facility.id);
  assert.equal(await facilities.require(""), "");
  await assert.rejects(facilities.require("0".repeat(32)), { code: "absent" });
  await assert.rejects(facilities.rename("0".repeat(32), "X"), { code: "absent" });
});

test("what is no name is refused, and a name is one facility's", async () => {
  const { facilities } = opened();
  await facilities.add("North");
  for (const name of ["", "  ", "a\nb", "\ud800", "x".repeat(65)]) {
    await assert.rejects(facilities.add(name), { code: "invalid" });
  }
  await assert.rejects(facilities.add("North "), { code: "conflict" });
});

test("a device stands in the facility that it was put in last, and stays there when it is only admitted again", async () => {
  const { facilities, devices } = opened();
  const [north, south] = [await facilities.add("North"), await facilities.add("South")];
  const added = await devices.add("CT1", "10.0.0.7");
  assert.equal(added.facility, "");
  assert.equal((await devices.add("CT1", "10.0.0.7", { facility: north.id })).facility, north.id);
  assert.equal((await devices.add("CT1", "10.0.0.7")).facility, north.id);
  assert.equal((await devices.add("CT1", "10.0.0.7", { facility: south.id })).facility, south.id);
  assert.equal((await devices.add("CT1", "10.0.0.7", { facility: "" })).facility, "");
  assert.deepEqual(await devices.list(), [{ ...added, facility: "" }]);
  await assert.rejects(devices.add("CT1", "10.0.0.7", { facility: "0".repeat(32) }), { code: "absent" });
  assert.equal((await devices.admit("CT1", "10.0.0.7"))?.facility, "");
});
