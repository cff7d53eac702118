import assert from "node:assert/strict";
import { test } from "node:test";
import { isProblem } from "#base/problem";
import type { Passkey, PasskeyStore } from "./passkey-store.ts";

export const passkeyOf = (id: string, accountId: string, more: Partial<Passkey> = {}): Passkey => ({
  id,
  accountId,
  name: "Laptop",
  publicKey: Uint8Array.of(0xa5, 0, 255),
  counter: 0,
  transports: ["internal", "hybrid"],
  isSynced: true,
  createdAt: 1_700_000_000_000,
  lastUsedAt: 0,
  ...more,
});

/** What every passkey store must do; part of the contract of the access store. `account` makes one of this id. */
export function passkeyStoreTests(store: () => PasskeyStore, account: (id: string) => Promise<void>): void {
  test("passkeys are kept as they were made, several for an account, each id once", async () => {
    await account("pk-owner");
    await account("pk-other");
    const first = passkeyOf("pk1", "pk-owner", { transports: [] });
    const second = passkeyOf("pk2", "pk-owner", { createdAt: first.createdAt + 1, isSynced: false });
    await store().addPasskey(second);
    await store().addPasskey(first);
    await assert.rejects(store().addPasskey(passkeyOf("pk1", "pk-other")), (error) => isProblem(error, "conflict"));
    assert.deepEqual(await store().passkeysOf("pk-owner"), [first, second]);
    assert.deepEqual(await store().passkey("pk1"), first);
    assert.equal(await store().passkey("none\0"), undefined);
    assert.deepEqual(await store().passkeysOf("pk-other"), []);
    const counts = await store().passkeyCounts();
    assert.deepEqual([counts.get("pk-owner"), counts.has("pk-other")], [2, false]);
  });

  test("a use is noted once for a counter, also by two at once", async () => {
    await account("pk-user");
    await store().addPasskey(passkeyOf("pk3", "pk-user", { counter: 7 }));
    const use = () => store().usePasskey({ id: "pk3", counter: 7 }, { counter: 8, lastUsedAt: 99 });
    assert.deepEqual((await Promise.all([use(), use()])).sort(), [false, true]);
    const { counter, lastUsedAt } = (await store().passkey("pk3")) ?? passkeyOf("none", "none");
    assert.deepEqual({ counter, lastUsedAt }, { counter: 8, lastUsedAt: 99 });
    assert.equal(await store().usePasskey({ id: "none", counter: 0 }, { counter: 1, lastUsedAt: 1 }), false);
  });

  test("only its owner renames and removes a passkey", async () => {
    await account("pk-namer");
    await store().addPasskey(passkeyOf("pk4", "pk-namer"));
    assert.equal(await store().renamePasskey("pk-user", "pk4", "mine"), false);
    assert.equal(await store().renamePasskey("pk-namer", "pk4", "Phone"), true);
    assert.equal((await store().passkey("pk4"))?.name, "Phone");
    assert.equal(await store().removePasskey("pk-user", "pk4"), false);
    assert.equal(await store().removePasskey("pk-namer", "pk4"), true);
    assert.equal(await store().removePasskey("pk-namer", "pk4"), false);
    assert.equal(await store().passkey("pk4"), undefined);
  });
}
