import assert from "node:assert/strict";
import { test } from "node:test";
import { createVirtualClock } from "#base/clock";
import { systemRandom } from "#base/id";
import { usualDeviceRights } from "#formats/api";
import { createMemoryAccessStore } from "#stores/memory";
import type { DeviceTerms } from "./devices.ts";
import { boundToName, createDevices, createFacilities, scopeOf, takesImages, takesMessages } from "./index.ts";

function opened() {
  const parts = { store: createMemoryAccessStore(), clock: createVirtualClock(), random: systemRandom };
  return { devices: createDevices(parts), facilities: createFacilities(parts) };
}

test("a device is let do what was said, all but being told when nothing was, and keeps what is not said anew", async () => {
  const { devices } = opened();
  assert.deepEqual((await devices.add("CT1", "10.0.0.7")).may, usualDeviceRights);
  const narrowed = await devices.add("CT1", "10.0.0.7", { may: ["worklist", "store"], port: 104 });
  assert.deepEqual([narrowed.may, narrowed.port], [["store", "worklist"], 104]);
  assert.deepEqual(await devices.add("CT1", "10.0.0.7"), narrowed);
  for (const terms of [{ port: -1 }, { port: 65_536 }, { port: 1.5 }, { may: [] }]) {
    await assert.rejects(devices.add("CT1", "10.0.0.7", terms), { code: "invalid" });
  }
  assert.deepEqual(await devices.list(), [narrowed]);
});

test("images are sent to the one device of a title that takes them", async () => {
  const { devices } = opened();
  await devices.add("WS1", "10.0.0.7");
  assert.equal(await devices.destination("WS1"), undefined, "it takes none");
  const taking = await devices.add("WS1", "10.0.0.7", { port: 104 });
  assert.deepEqual(await devices.destination("WS1"), taking);
  await devices.add("WS1", "10.0.0.8");
  assert.deepEqual(await devices.destination("WS1"), taking, "the other takes none");
  await devices.add("WS1", "10.0.0.8", { port: 104 });
  assert.equal(await devices.destination("WS1"), undefined, "which of the two is not known");
  assert.equal(await devices.destination("ws1"), undefined);
});

test("what is sent by HL7 goes to a port, without TLS to an address near by alone; images never go there", async () => {
  const { devices } = opened();
  const add = (address: string, terms: DeviceTerms) => devices.add("RIS", address, { may: ["results"], ...terms });
  await assert.rejects(add("10.0.0.7", {}), { code: "invalid", message: /needs a port/ });
  for (const far of ["8.8.8.8", "172.32.0.1", "2001:db8::1"]) {
    await assert.rejects(add(far, { port: 2575 }), { code: "invalid", message: /loopback or a private address/ });
    await assert.rejects(add(far, { port: 2575, tls: true }), { code: "invalid", message: /needs a certificate/ });
    assert.ok(await add(far, { port: 2575, tls: true, certificate: boundToName("CN=RIS") }));
    await devices.remove({ ae: "RIS" });
  }
  for (const near of ["127.0.0.1", "10.0.0.7", "192.168.1.2", "172.16.0.1", "::1", "fd00::1", "fe80::1"])
    assert.ok(takesMessages(await add(near, { port: 2575 })));
  assert.equal(await devices.destination("RIS"), undefined);
  await devices.remove({ ae: "RIS" });
  const both = await devices.add("PACS", "10.0.0.7", { port: 104, may: ["store"] });
  assert.deepEqual([takesImages(both), takesMessages(both)], [true, false]);
});

test("what a device has open counts no more when it is let do other things, is elsewhere, or is removed", async () => {
  const { devices, facilities } = opened();
  const north = await facilities.add("North");
  const ended: string[] = [];
  devices.watchChanged(({ ae }) => ended.push(ae));
  await devices.add("CT1", "10.0.0.7");
  const standing = async () => (await devices.admit("CT1", "10.0.0.7"))?.isStanding ?? (() => false);
  const first = await standing();
  await devices.add("CT1", "10.0.0.7", { port: 104 });
  await devices.add("MR1", "10.0.0.8");
  assert.ok(first(), "where it takes images changes nothing of what it does");
  await devices.add("CT1", "10.0.0.7", { may: ["store"] });
  const second = await standing();
  assert.deepEqual([first(), second()], [false, true]);
  await devices.add("CT1", "10.0.0.7", { facility: north.id });
  const third = await standing();
  await devices.remove({ ae: "CT1" });
  assert.deepEqual([second(), third(), ended.length], [false, false, 3]);
});

test("the scope of a device are its rights, in its facility alone where it stands in one", () => {
  assert.deepEqual(scopeOf({ may: [], facility: "" }), { acts: ["association.open", "dicom.echo"], places: [] });
  const { acts, places } = scopeOf({ may: ["find", "retrieve"], facility: "f1" });
  assert.equal(acts.filter((act) => act === "study.search").length, 1);
  assert.deepEqual(places, [{ kind: "facility", id: "f1" }]);
});
