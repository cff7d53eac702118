import assert from "node:assert/strict";
import { test } from "node:test";
import type { KnownBrowserStore } from "./known-browser-store.ts";

/** What every store of known browsers must do; part of the contract of the access store. `account` makes one of this id. */
export function knownBrowserStoreTests(store: () => KnownBrowserStore, account: (id: string) => Promise<void>): void {
  test("a browser is known for the account that signed in with it, the newest ones only", async () => {
    await account("kb-1");
    await account("kb-2");
    for (const createdAt of [1, 2, 3]) {
      await store().addKnownBrowser({ digest: `kb${createdAt}`, accountId: "kb-1", createdAt }, 2);
    }
    await store().addKnownBrowser({ digest: "kb3", accountId: "kb-2", createdAt: 4 }, 2);
    const known = (id: string) =>
      Promise.all(["kb1", "kb2", "kb3", "none\0"].map((d) => store().isKnownBrowser(d, id)));
    assert.deepEqual(await known("kb-1"), [false, true, true, false]);
    assert.deepEqual(await known("kb-2"), [false, false, true, false]);
    await store().forgetKnownBrowsers("kb-1");
    assert.deepEqual(await known("kb-1"), [false, false, false, false]);
    assert.deepEqual(await known("kb-2"), [false, false, true, false]);
  });
}
