import assert from "node:assert/strict";
import { test } from "node:test";
import type { Grant, GrantStore } from "./grant-store.ts";

export const grantOf = (id: string, holder: string, more: Partial<Grant> = {}): Grant => ({
  id,
  holder,
  role: "radiologist",
  place: { kind: "tenant" },
  purpose: "treatment",
  endsAt: 0,
  givenBy: "operator",
  givenAt: 5,
  endedAt: 0,
  endedBy: "",
  ...more,
});

/** What every grant store must do; part of the contract of the access store. */
export function grantStoreTests(store: () => GrantStore): void {
  test("grants are kept as they were given, the ended ones too, and end once", async () => {
    const first = grantOf("g1", "user:1", { givenAt: 1, place: { kind: "study", id: "ab" }, endsAt: 99 });
    const second = grantOf("g2", "user:1", { givenAt: 2, role: "front-desk", purpose: "payment" });
    await store().addGrants([second, first]);
    await store().addGrants([]);
    const ours = async () => (await store().grants()).filter(({ holder }) => holder === "user:1");
    assert.deepEqual(await ours(), [first, second]);
    const both = await Promise.all(["a", "b"].map((by) => store().endGrant("g1", 7, by)));
    assert.deepEqual(both.sort(), [false, true]);
    assert.equal(await store().endGrant("none", 7, "a"), false);
    const [ended, held] = await ours();
    assert.equal(ended?.endedAt, 7);
    assert.deepEqual(held, second);
  });
}
