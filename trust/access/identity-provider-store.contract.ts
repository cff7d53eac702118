import assert from "node:assert/strict";
import { test } from "node:test";
import type { IdentityProvider, IdentityProviderStore } from "./identity-provider-store.ts";

export const providerOf = (id: string, more: Partial<IdentityProvider> = {}): IdentityProvider => ({
  id,
  label: "Hospital",
  issuer: `https://${id}.example.org`,
  clientId: "leadglass",
  clientSecretSealed: Uint8Array.of(0, 255),
  scopes: ["profile"],
  groupsClaim: "groups",
  rules: [{ group: "rad", role: "radiologist", place: { kind: "facility", id: "f1" }, purpose: "treatment" }],
  strongAcr: ["phr"],
  strongAmr: ["mfa", "hwk"],
  createdAt: 1,
  ...more,
});

/** What every store of identity providers must do; part of the contract of the access store. */
export function identityProviderStoreTests(store: () => IdentityProviderStore): void {
  test("a provider is kept as it was put, under its id, until it is removed with whose accounts came from it", async () => {
    const first = providerOf("idp1");
    const second = providerOf("idp2", { createdAt: 2, rules: [], strongAcr: [] });
    await store().putIdentityProvider(second);
    await store().putIdentityProvider(providerOf("idp1", { label: "Before" }));
    await store().putIdentityProvider(first);
    assert.deepEqual(await store().identityProviders(), [first, second]);
    await store().putSubject({ digest: "s1", providerId: "idp1", accountId: "a0" });
    await store().putSubject({ digest: "s1", providerId: "idp1", accountId: "a1" });
    await store().putSubject({ digest: "s2", providerId: "idp2", accountId: "a2" });
    assert.equal(await store().accountOfSubject("s1"), "a1");
    assert.equal(await store().accountOfSubject("none"), undefined);
    assert.equal(await store().providerOfAccount("a2"), "idp2");
    assert.equal(await store().providerOfAccount("none"), undefined);
    assert.equal(await store().removeIdentityProvider("idp1"), true);
    assert.equal(await store().removeIdentityProvider("idp1"), false);
    assert.equal(await store().accountOfSubject("s1"), undefined);
    assert.equal(await store().accountOfSubject("s2"), "a2");
    assert.equal(await store().removeIdentityProvider("idp2"), true);
  });
}
