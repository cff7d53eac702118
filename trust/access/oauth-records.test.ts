import assert from "node:assert/strict";
import { test } from "node:test";
import { createVirtualClock } from "#base/clock";
import { createMemoryAccessStore } from "#stores/memory";
import { openBox } from "./confirmations.fixture.ts";
import { createOauthRecords } from "./oauth-records.ts";

const start = async (store = createMemoryAccessStore(), clock = createVirtualClock()) => ({
  ...{ store, clock },
  records: await createOauthRecords({ store, box: openBox, clock }),
});
const later = (clock: { now(): number }, ms = 60_000) => clock.now() + ms;

test("a record is found by its secret until its time is over, also after a restart; at rest its secret is not there", async () => {
  const { store, clock, records } = await start();
  await records.put("AccessToken", "secret-1", { grantId: "g" }, later(clock));
  assert.deepEqual(records.find("AccessToken", "secret-1")?.content, { grantId: "g" });
  assert.equal(records.find("RefreshToken", "secret-1"), undefined);
  assert.doesNotMatch(JSON.stringify(await store.oauthRecords()), /secret-1/);
  const again = await start(store, clock);
  assert.ok(again.records.find("AccessToken", "secret-1"));
  clock.advance(60_000);
  assert.equal(again.records.find("AccessToken", "secret-1"), undefined);
  await again.records.put("AccessToken", "another", {}, later(clock));
  assert.equal((await store.oauthRecords()).length, 1, "what is over leaves the disk as well");
});

test("of two who use one at once one does, and it stays used after a restart", async () => {
  const { store, clock, records } = await start();
  await records.put("RefreshToken", "r", {}, later(clock));
  const both = await Promise.all([records.consume("RefreshToken", "r"), records.consume("RefreshToken", "r")]);
  assert.deepEqual(both, [true, false]);
  const again = await start(store, clock);
  assert.equal(await again.records.consume("RefreshToken", "r"), false);
  assert.equal(await again.records.consume("RefreshToken", "none"), false);
});

test("what must be new is added once, also by two at once, and again when the first is over", async () => {
  const { clock, records } = await start();
  const add = () => records.add("ReplayDetection", "jti", {}, later(clock));
  assert.deepEqual(await Promise.all([add(), add()]), [true, false]);
  clock.advance(60_000);
  assert.equal(await add(), true);
});

test("what is removed counts no more at once, whatever the disk says; what is not stored is not there", async () => {
  const { store, clock, records } = await start();
  await records.put("AccessToken", "a", { grantId: "g" }, later(clock));
  store.failNext(new Error("disk"), "removeOauthRecords");
  await assert.rejects(records.removeWhere((_kind, { grantId }) => grantId === "g"));
  assert.equal(records.find("AccessToken", "a"), undefined);
  store.failNext(new Error("disk"), "putOauthRecord");
  await assert.rejects(records.put("AccessToken", "b", {}, later(clock)));
  assert.equal(records.find("AccessToken", "b"), undefined);
  await records.put("Grant", "c", { v: 1 }, later(clock));
  store.failNext(new Error("disk"), "putOauthRecord");
  await assert.rejects(records.put("Grant", "c", { v: 2 }, later(clock)));
  assert.deepEqual(records.find("Grant", "c")?.content, { v: 1 });
});

test("a record that is removed while it is written does not come back with a restart", async () => {
  const { store, clock, records } = await start();
  const written = records.add("AccessToken", "a", { grantId: "g" }, later(clock));
  await records.removeWhere((_kind, { grantId }) => grantId === "g");
  await written;
  assert.equal(records.find("AccessToken", "a"), undefined);
  assert.deepEqual(await store.oauthRecords(), []);
});

test("what strangers can make writes nothing to disk, and is refused when there is too much of it", async () => {
  const { store, clock, records } = await start();
  for (let at = 0; at < 20_000; at++) await records.put("Interaction", String(at), {}, later(clock, 600_000));
  await assert.rejects(records.put("Interaction", "one too many", {}, later(clock)), { code: "busy" });
  await records.put("AccessToken", "others go on", {}, later(clock));
  assert.equal((await store.oauthRecords()).length, 1);
  clock.advance(600_000);
  await records.put("Interaction", "again", {}, later(clock));
});
