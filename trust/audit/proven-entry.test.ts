import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { createVirtualClock } from "#base/clock";
import { createMemoryEntryStore } from "#stores/memory";
import { createAuditLog, openProvenEntry, proveEntry } from "./index.ts";

async function logOf(count: number) {
  const audit = await createAuditLog({
    store: createMemoryEntryStore(),
    signingSeed: randomBytes(32),
    origin: "leadglass.log/test",
    clock: createVirtualClock(),
  });
  for (let i = 0; i < count; i++) await audit.append({ actor: "operator", act: `act.${i}`, outcome: "done" });
  return audit;
}

test("each entry of logs of many sizes is proven by itself, and opens as what was logged", async () => {
  for (const count of [1, 2, 3, 7, 8, 20]) {
    const audit = await logOf(count);
    for (let i = 0; i < count; i++) {
      const opened = openProvenEntry(await proveEntry(audit, i), audit.verifierKey());
      assert.equal(opened.act, `act.${i}`);
    }
  }
});

test("another line, place, path, note or key proves nothing", async () => {
  const audit = await logOf(5);
  const other = await logOf(5);
  const proven = await proveEntry(audit, 2);
  const elsewhere = await proveEntry(audit, 3);
  const key = audit.verifierKey();
  const refused = (changed: Partial<typeof proven>, by = key) =>
    assert.throws(() => openProvenEntry({ ...proven, ...changed }, by), { code: "damaged" });
  refused({ line: elsewhere.line });
  refused({ line: proven.line.replace("act.2", "act.9") });
  refused({ index: 3 });
  refused({ path: elsewhere.path });
  refused({ path: [] });
  refused({ checkpoint: (await proveEntry(other, 2)).checkpoint });
  refused({ checkpoint: proven.checkpoint.replace(/\n5\n/, "\n6\n") });
  refused({}, other.verifierKey());
  await assert.rejects(proveEntry(audit, 99), { code: "absent" });
});
