import assert from "node:assert/strict";
import { test } from "node:test";
import { isProblem } from "#base/problem";
import { createMemoryRecordStore } from "#stores/memory";
import { createRecords } from "./index.ts";
import { openVault } from "./vault.fixture.ts";

interface Step {
  readonly patient: string;
}

const { vault } = await openVault();

function newRecords() {
  const store = createMemoryRecordStore();
  const records = createRecords({ store, vault });
  return { store, records, steps: records.shelf<Step>("step") };
}

test("a record is read as it was put, and rests sealed", async () => {
  const { store, records, steps } = newRecords();
  assert.equal(await records.change(steps.put("a", { patient: "Müller^Änne" }, { dueAt: 5 })), true);
  const known = await steps.get("a");
  assert.deepEqual(known, { id: "a", version: 1, dueAt: 5, value: { patient: "Müller^Änne" } });
  assert.equal(await records.change(steps.put("a", { patient: "Other" }, { known })), true);
  const [row] = await store.list("step", "", 9);
  assert.equal(Buffer.from(row?.sealed ?? []).includes("Other"), false);
  assert.deepEqual(await steps.get("a"), { id: "a", version: 2, dueAt: undefined, value: { patient: "Other" } });
  assert.equal(
    await records.change(steps.put("a", { patient: "late" }, { known })),
    false,
    "it is in version 2 by now",
  );
});

test("all records of a kind are read, however many pages they take", async () => {
  const { records, steps } = newRecords();
  const ids = Array.from({ length: 1_001 }, (_, n) => `id-${String(n).padStart(5, "0")}`);
  await records.change(...ids.map((id) => steps.put(id, { patient: id })));
  const found: string[] = [];
  for await (const { id, value } of steps.all()) {
    assert.equal(value.patient, id);
    found.push(id);
  }
  assert.deepEqual(found, ids);
});

test("a record in the place of another, or of its own older version, does not open", async () => {
  const { store, records, steps } = newRecords();
  await records.change(steps.put("a", { patient: "A" }), steps.put("b", { patient: "B" }));
  const [a, b] = await store.list("step", "", 9);
  assert.ok(a && b);
  await store.change([{ replaces: 1, put: { ...b, id: "a", version: 2 } }]);
  await assert.rejects(steps.get("a"), (error) => isProblem(error, "damaged"));
  await store.change([{ replaces: 1, put: { ...b, version: 2 } }]);
  await assert.rejects(steps.get("b"), (error) => isProblem(error, "damaged"));
});

test("an id that stands for a text is the same each time, another for each kind, and tells nothing of the text", () => {
  const { records } = newRecords();
  assert.match(records.idOf("step", "1.2.3"), /^[0-9a-f]{32}$/);
  assert.equal(
    records.idOf("step", "1.2.3"),
    createRecords({ store: newRecords().store, vault }).idOf("step", "1.2.3"),
  );
  assert.notEqual(records.idOf("step", "1.2.3"), records.idOf("item", "1.2.3"));
});

test("a record over 1 MiB is refused before it is sealed", () => {
  const { steps } = newRecords();
  assert.throws(
    () => steps.put("a", { patient: "x".repeat(1024 * 1024) }),
    (error) => isProblem(error, "too-large"),
  );
});
