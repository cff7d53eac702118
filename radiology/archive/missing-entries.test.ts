import assert from "node:assert/strict";
import { test } from "node:test";
import { createVirtualClock } from "#base/clock";
import { createMemoryEntryStore } from "#stores/memory";
import { createGate } from "#trust/access";
import { createAuditLog } from "#trust/audit";
import { policyWhere } from "../../trust/access/grants.fixture.ts";
import { createMissingEntries } from "./missing-entries.ts";

const idOf = (number: number) => number.toString(16).padStart(32, "0");

/** A log in which one entry a second was written for each of these instances, and how far back it is read. */
async function logOf(instances: number) {
  const clock = createVirtualClock(1_700_000_000_000);
  const store = createMemoryEntryStore();
  const log = await createAuditLog({ store, signingSeed: Buffer.alloc(32, 1), origin: "test/log", clock });
  const gate = createGate({ policy: policyWhere(), audit: log, clock });
  const actor = { kind: "device", id: "device:1" } as const;
  const receivedAt: number[] = [];
  for (let number = 0; number < instances; number++) {
    receivedAt.push(clock.now());
    await gate.pass(actor, "instance.store", { kind: "instance", id: idOf(number) }, async () => {});
    clock.advance(1000);
  }
  let read = 0;
  const audit = {
    size: log.size,
    async entries(from: number, to: number) {
      read += to - from;
      return log.entries(from, to);
    },
  };
  return { log, missing: createMissingEntries({ audit, gate }), receivedAt, read: () => read, now: clock.now };
}

test("an instance that the log knows gets no second entry, however far back its own lies", async () => {
  const { log, missing, receivedAt } = await logOf(2_500);
  for (const number of [2_499, 0, 1_200]) {
    await missing.makeFor({ id: idOf(number), receivedAt: receivedAt[number] ?? 0 });
  }
  assert.equal(log.size(), 2_500);
});

test("an instance that a crash kept from the log gets an entry by the system, and one only", async () => {
  const { log, missing, now } = await logOf(3);
  const id = idOf(77);
  await missing.makeFor({ id, receivedAt: now() });
  assert.deepEqual(
    (await log.entries(3, 5)).map(({ actor, act, on, outcome }) => ({ actor, act, on, outcome })),
    [{ actor: "system", act: "instance.store", on: { kind: "instance", id }, outcome: "done" }],
  );
});

test("the log is read back to the hour before an instance came, not to its beginning", async () => {
  const { missing, read, now } = await logOf(9_000);
  await missing.makeFor({ id: idOf(99_999), receivedAt: now() });
  assert.ok(read() >= 3_600 && read() <= 5_000, `${read()} entries`);
});

test("an act that failed is no entry of an instance", async () => {
  const { log, missing, now } = await logOf(0);
  await log.append({
    actor: "device:1",
    act: "instance.store",
    on: { kind: "instance", id: idOf(1) },
    outcome: "failed",
  });
  await missing.makeFor({ id: idOf(1), receivedAt: now() });
  assert.equal(log.size(), 2);
});
