import assert from "node:assert/strict";
import { test } from "node:test";
import type { DetailStore, SealedDetail } from "./detail-store.ts";

const detailOf = (n: number): SealedDetail => ({
  commitment: n.toString(16).padStart(64, "0"),
  sealed: Uint8Array.of(n % 256, 0, 255),
});
const sorted = (details: readonly SealedDetail[]) =>
  details
    .map(({ commitment, sealed }) => `${commitment} ${Buffer.from(sealed).toString("hex")}`)
    .sort((a, b) => (a < b ? -1 : 1));

/** What every store of details must do. `open` gives an empty one, with what closes it. */
export function detailStoreContract(
  open: () => Promise<{ readonly detailStore: DetailStore; close(): Promise<void> }>,
): void {
  const withStore = async (work: (store: DetailStore) => Promise<void>) => {
    const { detailStore, close } = await open();
    await work(detailStore).finally(close);
  };
  const many = Array.from({ length: 1500 }, (_, n) => detailOf(n));
  const named = (details: readonly SealedDetail[]) => details.map(({ commitment }) => commitment);

  test("details are given back by their commitments, as many as there are at once", () =>
    withStore(async (store) => {
      assert.deepEqual(await store.get(named(many)), []);
      await store.put(many);
      assert.deepEqual(sorted(await store.get(named(many))), sorted(many));
      assert.deepEqual(
        sorted(await store.get([detailOf(7).commitment, detailOf(9999).commitment])),
        sorted([detailOf(7)]),
      );
      assert.deepEqual(await store.get([]), []);
      await store.put([]);
    }));

  test("details are erased by their commitments, and no others", () =>
    withStore(async (store) => {
      await store.put(many.slice(0, 10));
      assert.equal(await store.erase(named(many.slice(5, 20))), 5);
      assert.equal(await store.erase(named(many.slice(5, 20))), 0);
      assert.equal(await store.erase([]), 0);
      assert.deepEqual(sorted(await store.get(named(many))), sorted(many.slice(0, 5)));
    }));

  test("of details of which one is there already none is put", () =>
    withStore(async (store) => {
      await store.put([detailOf(3)]);
      await assert.rejects(store.put([detailOf(1), detailOf(3), detailOf(2)]));
      assert.deepEqual(sorted(await store.get(named(many))), sorted([detailOf(3)]));
    }));
}
