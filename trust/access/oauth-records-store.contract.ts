import assert from "node:assert/strict";
import { test } from "node:test";
import type { AccessStore } from "./access-store.ts";
import type { OauthRecordsStore, StoredOauthRecord } from "./oauth-records-store.ts";

const recordOf = (digest: string, more: Partial<StoredOauthRecord> = {}): StoredOauthRecord => ({
  kind: "AccessToken",
  digest,
  sealed: Uint8Array.of(0, 1, 255),
  endsAt: 2_000_000_000_000,
  ...more,
});

/** What every store of OAuth records must do; part of the contract of the access store. */
export function oauthRecordsStoreTests(
  store: () => OauthRecordsStore & Pick<AccessStore, "clientNamed" | "addToken" | "token" | "clients">,
): void {
  const ours = async () =>
    (await store().oauthRecords())
      .filter(({ digest }) => digest.startsWith("oauth-"))
      .sort((a, b) => (a.digest + a.kind < b.digest + b.kind ? -1 : 1));

  test("an OAuth record is kept once for its kind and digest, the last one put", async () => {
    await store().putOauthRecord(recordOf("oauth-1"));
    await store().putOauthRecord(recordOf("oauth-1", { sealed: Uint8Array.of(9), endsAt: 7 }));
    await store().putOauthRecord(recordOf("oauth-1", { kind: "Grant" }));
    assert.deepEqual(await ours(), [
      recordOf("oauth-1", { sealed: Uint8Array.of(9), endsAt: 7 }),
      recordOf("oauth-1", { kind: "Grant" }),
    ]);
    await store().removeOauthRecords([recordOf("oauth-1"), recordOf("oauth-none")]);
    assert.deepEqual(await ours(), [recordOf("oauth-1", { kind: "Grant" })]);
    await store().removeOauthRecords([recordOf("oauth-1", { kind: "Grant" })]);
    await store().removeOauthRecords([]);
    assert.deepEqual(await ours(), []);
  });

  test("a client goes with its registration and its tokens, and another keeps its own", async () => {
    const times = { masked: false, createdAt: 1, endsAt: 2_000_000_000_000 };
    for (const id of ["oauth-gone", "oauth-stays"]) {
      await store().clientNamed({ id, name: id, createdAt: 5 });
      await store().putOauthClient({ clientId: id, registration: "{}" });
      await store().putOauthClient({ clientId: id, registration: `{"of":"${id}"}` });
      await store().addToken({ digest: `token-${id}`, clientId: id, ...times });
    }
    assert.equal(await store().removeClient("oauth-gone"), true);
    assert.equal(await store().removeClient("oauth-gone"), false);
    assert.equal(await store().token("token-oauth-gone"), undefined);
    assert.equal((await store().token("token-oauth-stays"))?.clientId, "oauth-stays");
    const registrations = (await store().oauthClients()).filter(({ clientId }) => clientId.startsWith("oauth-"));
    assert.deepEqual(registrations, [{ clientId: "oauth-stays", registration: '{"of":"oauth-stays"}' }]);
    await store().removeClient("oauth-stays");
    assert.ok((await store().clients()).every(({ id }) => !id.startsWith("oauth-")));
  });
}
