import assert from "node:assert/strict";
import { test } from "node:test";
import { createVirtualClock } from "#base/clock";
import { isProblem } from "#base/problem";
import { createMemoryRecordStore } from "#stores/memory";
import { createRecords } from "#trust/vault";
import { openVault } from "../../trust/vault/vault.fixture.ts";
import { isGone, openHeldWorkItems, type WorkItem } from "./held-work-items.ts";
import { jsonOf } from "./work-items.fixture.ts";

const dayMs = 24 * 60 * 60 * 1000;

async function openHeld(itemsMax: number) {
  const { vault } = await openVault();
  const store = createMemoryRecordStore();
  const clock = createVirtualClock(Date.UTC(2026, 2, 1, 8));
  const held = await openHeldWorkItems(createRecords({ store, vault }), clock, itemsMax);
  return { held, store, clock };
}

const itemOf = (uid: string, more: Partial<WorkItem> = {}): WorkItem => ({
  uid,
  attributes: jsonOf({ SOPInstanceUID: uid }),
  facts: { facility: "", patient: "", study: "", order: "" },
  subscribers: {},
  ...more,
});

test("several are put at once, or none of them", async () => {
  const { held, store } = await openHeld(3);
  await held.put(itemOf("1.1"), itemOf("1.2"));
  assert.equal(held.all().length, 2);
  store.failNext(new Error("the disk is away"), "change");
  await assert.rejects(held.put(itemOf("1.2", { endedAt: 1 }), itemOf("1.3")), /the disk is away/);
  assert.deepEqual(held.all(), [itemOf("1.1"), itemOf("1.2")]);
});

test("what is gone gives way to what is new, the longest gone first", async () => {
  const { held, clock } = await openHeld(2);
  const has = (...uids: string[]) => uids.map((uid) => held.get(uid) !== undefined);
  for (const uid of ["1.1", "1.2"]) {
    await held.put(itemOf(uid, { endedAt: clock.now() }));
    await clock.advance(1_000);
  }
  await assert.rejects(held.put(itemOf("1.3")), (error) => isProblem(error, "no-room"), "both are there still");
  await clock.advance(7 * dayMs);
  await held.put(itemOf("1.3"));
  assert.ok(held.get("1.3"));
  await held.put(itemOf("1.4"));
  assert.deepEqual(has("1.1", "1.2", "1.3", "1.4"), [false, false, true, true]);
  await assert.rejects(held.put(itemOf("1.5")), (error) => isProblem(error, "no-room"));
  assert.ok(!held.all().some(isGone));
});
