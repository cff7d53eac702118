import assert from "node:assert/strict";
import { test } from "node:test";
import type { SavedViewStore } from "./saved-view-store.ts";

/** What every store of kept views must do; part of the contract of the access store. `account` makes one of this id. */
export function savedViewStoreTests(store: () => SavedViewStore, account: (id: string) => Promise<void>): void {
  test("views are kept for their account alone, the oldest first, and removed by it alone", async () => {
    await account("sv-1");
    await account("sv-2");
    const view = (id: string, accountId: string, createdAt: number) => ({
      ...{ id, accountId, createdAt },
      sealed: Uint8Array.of(0, 255, createdAt),
    });
    for (const one of [view("sva", "sv-1", 2), view("svb", "sv-1", 1), view("svc", "sv-2", 3)]) {
      await store().addSavedView(one);
    }
    assert.deepEqual(await store().savedViewsOf("sv-1"), [view("svb", "sv-1", 1), view("sva", "sv-1", 2)]);
    assert.equal(await store().removeSavedView("sv-2", "sva"), false);
    assert.equal(await store().removeSavedView("sv-1", "sva"), true);
    assert.equal(await store().removeSavedView("sv-1", "sva"), false);
    assert.deepEqual(await store().savedViewsOf("sv-1"), [view("svb", "sv-1", 1)]);
    assert.deepEqual(await store().savedViewsOf("sv-2"), [view("svc", "sv-2", 3)]);
    assert.deepEqual(await store().savedViewsOf("nobody\0"), []);
  });
}
