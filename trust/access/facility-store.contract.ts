import assert from "node:assert/strict";
import { test } from "node:test";
import { isProblem } from "#base/problem";
import type { Facility, FacilityStore } from "./facility-store.ts";

const facilityOf = (id: string, name: string, createdAt: number): Facility => ({ id, name, createdAt });
const taken = (error: unknown) => isProblem(error, "conflict");

/** The part of an access store's contract that is about facilities. */
export function facilityStoreTests(store: () => FacilityStore): void {
  test("facilities are listed oldest first, and no two have one name", async () => {
    const [first, second] = [facilityOf("fb", "North Wing", 5), facilityOf("fa", "Süd", 5)];
    await store().addFacility(first);
    await store().addFacility(second);
    await store().addFacility(facilityOf("fc", "Annex", 4));
    await assert.rejects(store().addFacility(facilityOf("fd", "Süd", 9)), taken);
    await assert.rejects(store().addFacility(facilityOf("fa", "Other", 9)), taken);
    assert.deepEqual(await store().facilities(), [facilityOf("fc", "Annex", 4), second, first]);
  });

  test("a facility keeps its id under another name, which must be free", async () => {
    await store().addFacility(facilityOf("ga", "East", 50));
    await store().addFacility(facilityOf("gb", "West", 51));
    assert.equal(await store().renameFacility("ga", "East Wing"), true);
    assert.equal(await store().renameFacility("ga", "East Wing"), true);
    await assert.rejects(store().renameFacility("ga", "West"), taken);
    assert.equal(await store().renameFacility("none", "Nowhere"), false);
    const named = (await store().facilities()).filter(({ createdAt }) => createdAt >= 50).map(({ name }) => name);
    assert.deepEqual(named, ["East Wing", "West"]);
  });
}
