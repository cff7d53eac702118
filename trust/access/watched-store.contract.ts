import assert from "node:assert/strict";
import { test } from "node:test";
import type { WatchedStore } from "./watched-store.ts";

/** What every store of marked patients and people must do; part of the contract of the access store. `account` makes one of this id. */
export function watchedStoreTests(store: () => WatchedStore, account: (id: string) => Promise<void>): void {
  test("patients are marked once each, and unmarked", async () => {
    const marked = { patient: "a".repeat(32), reasonSealed: Uint8Array.of(0, 255), markedBy: "user:1", markedAt: 1 };
    await store().markPatient(marked);
    await store().markPatient({ ...marked, markedAt: 2 });
    await store().markPatient({ ...marked, patient: "b".repeat(32), markedAt: 3 });
    assert.deepEqual(await store().markedPatients(), [
      { ...marked, patient: "b".repeat(32), markedAt: 3 },
      { ...marked, markedAt: 2 },
    ]);
    assert.equal(await store().unmarkPatient(marked.patient), true);
    assert.equal(await store().unmarkPatient(marked.patient), false);
    await store().unmarkPatient("b".repeat(32));
    assert.deepEqual(await store().markedPatients(), []);
  });

  test("what is known of a person is replaced by what is known next", async () => {
    await account("pf-1");
    await store().putPersonFacts({ accountId: "pf-1", sealed: Uint8Array.of(1) });
    await store().putPersonFacts({ accountId: "pf-1", sealed: Uint8Array.of(0, 255) });
    const ours = (await store().personFacts()).filter(({ accountId }) => accountId === "pf-1");
    assert.deepEqual(ours, [{ accountId: "pf-1", sealed: Uint8Array.of(0, 255) }]);
  });
}
