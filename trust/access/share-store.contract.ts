import assert from "node:assert/strict";
import { test } from "node:test";
import { grantOf } from "./grant-store.contract.ts";
import type { GrantStore } from "./grant-store.ts";
import type { ShareStore, StoredShare } from "./share-store.ts";

export const shareOf = (id: string, more: Partial<StoredShare> = {}): StoredShare => ({
  id,
  digest: `digest of ${id}`,
  codeDigest: `code of ${id}`,
  study: "5".repeat(32),
  mode: "view",
  purpose: "treatment",
  madeBy: "user:1",
  madeAt: 1,
  endsAt: 2_000_000_000_000,
  uses: 0,
  lastUsedAt: 0,
  aboutSealed: Uint8Array.of(0, 255),
  ...more,
});

/** What every store of share links must do; part of the contract of the access store. */
export function shareStoreTests(store: () => ShareStore & GrantStore): void {
  test("a share is kept with what its holder is granted, found by its digest, and counts its uses", async () => {
    const [first, second] = [shareOf("sh-1"), shareOf("sh-2", { madeAt: 2, mode: "download" })];
    const grant = grantOf("sh-g", "share:sh-2", { role: "recipient", place: { kind: "study", id: second.study } });
    await store().addShare(first, []);
    await store().addShare(second, [grant]);
    assert.deepEqual(
      (await store().grants()).filter(({ id }) => id === "sh-g"),
      [grant],
    );
    assert.deepEqual(await store().shareOf("digest of sh-1"), first);
    assert.equal(await store().shareOf("digest of none"), undefined);
    await store().useShare("sh-1", 7);
    await store().useShare("sh-1", 9);
    await store().useShare("none", 9);
    assert.deepEqual(await store().shares(), [second, { ...first, uses: 2, lastUsedAt: 9 }]);
    await assert.rejects(store().addShare(shareOf("sh-3", { digest: first.digest }), [grantOf("sh-h", "share:sh-3")]));
    assert.equal(
      (await store().grants()).some(({ id }) => id === "sh-h"),
      false,
    );
  });
}
