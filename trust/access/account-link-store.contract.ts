import assert from "node:assert/strict";
import { test } from "node:test";
import type { AccountLink, AccountLinkStore } from "./account-link-store.ts";

export const linkTo = (accountId: string, digest: string, kind: AccountLink["kind"] = "recover"): AccountLink => ({
  ...{ digest, accountId, kind, issuedBy: "user:2" },
  reasonSealed: Uint8Array.of(0, 255),
  createdAt: 1,
  endsAt: 2_000_000_000_000,
});

/** What every store of account links must do; part of the contract of the access store. `account` makes one of this id. */
export function accountLinkStoreTests(store: () => AccountLinkStore, account: (id: string) => Promise<void>): void {
  test("a link to an account is found by its digest until it is removed, and a later one takes its place", async () => {
    await account("al-1");
    await account("al-2");
    const kept = linkTo("al-1", "al-b", "enrol");
    await store().putAccountLink(linkTo("al-1", "al-a"));
    await store().putAccountLink(linkTo("al-2", "al-c"));
    await store().putAccountLink(kept);
    assert.equal(await store().accountLink("al-a"), undefined);
    assert.deepEqual(await store().accountLink("al-b"), kept);
    assert.deepEqual(await store().accountLink("al-c"), linkTo("al-2", "al-c"));
    await store().removeAccountLink("al-b");
    await store().removeAccountLink("al-b");
    await store().removeAccountLink("al-c");
    assert.equal(await store().accountLink("al-b"), undefined);
  });
}
