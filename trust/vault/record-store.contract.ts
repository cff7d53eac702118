import assert from "node:assert/strict";
import { test } from "node:test";
import type { RecordRow, RecordStore } from "./record-store.ts";

const row = (id: string, version = 1, dueAt?: number, kind = "step"): RecordRow => ({
  ...{ kind, id, version, dueAt },
  sealed: Uint8Array.of(0, version, 255),
});
const put = (one: RecordRow) => ({ put: one, replaces: one.version - 1 });
const idsOf = (rows: readonly RecordRow[]) => rows.map(({ id }) => id);

/** What every store of records must do. `open` gives an empty one, with what closes it. */
export function recordStoreContract(
  open: () => Promise<{ readonly recordStore: RecordStore; close(): Promise<void> }>,
): void {
  const withStore = async (work: (store: RecordStore) => Promise<void>) => {
    const { recordStore, close } = await open();
    await work(recordStore).finally(close);
  };

  test("records are given back by kind and id, and in the order of their ids", () =>
    withStore(async (store) => {
      const rows = ["b", "a", "c"].map((id) => row(id));
      assert.equal(await store.change([...rows, row("a", 1, undefined, "item")].map(put)), true);
      assert.deepEqual(await store.get("step", "a"), row("a"));
      assert.equal(await store.get("step", "d"), undefined);
      assert.equal(await store.get("other\0", "a"), undefined);
      assert.deepEqual(await store.list("step", "", 2), [row("a"), row("b")]);
      assert.deepEqual(await store.list("step", "b", 2), [row("c")]);
      assert.deepEqual(await store.list("item", "", 9), [row("a", 1, undefined, "item")]);
    }));

  test("what is due comes in the order of its time, and what never is does not", () =>
    withStore(async (store) => {
      await store.change([row("a", 1, 300), row("b", 1, 100), row("c", 1, 200), row("d"), row("e", 1, 100)].map(put));
      assert.deepEqual(idsOf(await store.due("step", 200, 9)), ["b", "e", "c"]);
      assert.deepEqual(idsOf(await store.due("step", 400, 2)), ["b", "e"]);
      assert.deepEqual(await store.due("step", 99, 9), []);
      assert.equal(await store.change([put(row("b", 2))]), true);
      assert.deepEqual(idsOf(await store.due("step", 200, 9)), ["e", "c"], "it has no time any more");
    }));

  test("a change of a record that is not as it was known changes nothing, nor what was to change with it", () =>
    withStore(async (store) => {
      await store.change([put(row("a")), put(row("b"))]);
      assert.equal(await store.change([put(row("c")), put(row("a"))]), false, "it is there already");
      assert.equal(await store.change([put(row("c")), put(row("a", 3))]), false, "it is in version 1");
      assert.equal(await store.change([put(row("c")), put(row("d", 2))]), false, "it is not there");
      const removing = { remove: { kind: "step", id: "b" }, replaces: 2 };
      assert.equal(await store.change([put(row("c")), removing]), false);
      assert.deepEqual(idsOf(await store.list("step", "", 9)), ["a", "b"]);
      assert.equal(await store.change([put(row("a", 2)), { ...removing, replaces: 1 }, put(row("c"))]), true);
      assert.deepEqual(await store.list("step", "", 9), [row("a", 2), row("c")]);
      assert.equal(await store.change([]), true);
    }));

  test("of two who change one record at the same time one is told that it was changed", () =>
    withStore(async (store) => {
      await store.change([put(row("a"))]);
      const both = await Promise.all([store.change([put(row("a", 2))]), store.change([put(row("a", 2))])]);
      assert.deepEqual(both.sort(), [false, true]);
    }));
}
