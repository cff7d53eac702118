import assert from "node:assert/strict";
import { test } from "node:test";
import { createVirtualClock } from "#base/clock";
import { silentLog } from "#base/log";
import { createMemoryRecordStore } from "#stores/memory";
import { createRecords, type Records } from "#trust/vault";
import { openArchive } from "../archive/archive.fixture.ts";
import { createKnownParcels } from "./known-parcels.ts";

const [one, other] = ["0e".repeat(16), "0f".repeat(16)];
const id = "ab".repeat(16);
const instance = { sopUid: "1.2.3", sha256: "c0".repeat(32) };

async function recordsThat(faults: { isChanged: boolean }) {
  const { vault, archive } = await openArchive();
  await archive.close();
  const records = createRecords({ store: createMemoryRecordStore(), vault });
  const change: Records["change"] = async (...changes) => (faults.isChanged ? false : records.change(...changes));
  return () => createKnownParcels({ records: { ...records, change }, clock: createVirtualClock(), log: silentLog });
}

test("an instance is known whoever sent it, a message to the edge that sent it alone", async () => {
  const open = await recordsThat({ isChanged: false });
  const known = open();
  await known.note(one, id, undefined);
  assert.equal(await known.get(other, id), undefined);
  assert.equal((await known.get(one, id))?.instance, undefined);
  await known.note(other, id, instance);
  await known.close();
  for (const edge of [one, other]) assert.deepEqual((await open().get(edge, id))?.instance, instance);
});

test("that a message was done is durable when it is noted, however many instances wait; else it says so and is written when asked", async () => {
  const faults = { isChanged: true };
  const open = await recordsThat(faults);
  const known = open();
  for (let at = 0; at < 220; at++) await known.note(one, at.toString(16).padStart(32, "0"), instance);
  await assert.rejects(known.note(one, id, undefined), { code: "unavailable" });
  await assert.rejects(known.get(one, id), { code: "unavailable" });
  faults.isChanged = false;
  assert.notEqual(await known.get(one, id), undefined);
  assert.notEqual(await open().get(one, id), undefined);
  const later = "ac".repeat(16);
  await known.note(one, later, undefined);
  assert.notEqual(await open().get(one, later), undefined);
  await known.close();
});
