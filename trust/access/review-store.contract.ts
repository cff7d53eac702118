import assert from "node:assert/strict";
import { test } from "node:test";
import type { NoticedReview, ReviewStore } from "./review-store.ts";

const noticed = (id: string, more: Partial<NoticedReview> = {}): NoticedReview => ({
  ...{ id, kind: "vip", actor: "user:rv", patient: "1".repeat(32), study: "2".repeat(32) },
  ...{ day: 20_000, at: 5, count: 1 },
  ...more,
});

/** What every store of reviews must do; part of the contract of the access store. */
export function reviewStoreTests(store: () => ReviewStore): void {
  const all = async () => (await store().reviews({ limit: 100 })).filter(({ actor }) => actor === "user:rv");

  test("a review counts what is noticed again, until it is decided once", async () => {
    assert.equal(await store().noteReview(noticed("rv-1")), true);
    assert.equal(await store().noteReview(noticed("rv-2", { at: 9, count: 3, study: "3".repeat(32) })), false);
    assert.equal(await store().noteReview(noticed("rv-3", { at: 7, patient: "" })), true);
    assert.equal(await store().noteReview(noticed("rv-4", { at: 8, day: 20_001 })), true);
    assert.deepEqual(
      (await all()).map(({ id, firstAt, lastAt, count }) => [id, firstAt, lastAt, count]),
      [
        ["rv-1", 5, 9, 4],
        ["rv-4", 8, 8, 1],
        ["rv-3", 7, 7, 1],
      ],
    );
    const decision = { reviewer: "user:2", outcome: "justified", noteSealed: Uint8Array.of(0, 255), decidedAt: 11 };
    const both = await Promise.all(
      ["user:2", "user:3"].map((reviewer) => store().decideReview("rv-1", { ...decision, reviewer } as never)),
    );
    assert.deepEqual(both.sort(), [false, true]);
    assert.equal(await store().decideReview("none", decision as never), false);
    const decided = await store().review("rv-1");
    assert.equal(decided?.outcome, "justified");
    assert.deepEqual(decided?.noteSealed, decision.noteSealed);
    assert.equal(await store().noteReview(noticed("rv-5", { at: 12 })), true, "what was judged is not added to");
  });

  test("reviews are paged, the last noticed first, the open ones or the decided", async () => {
    const ids = (await all()).map(({ id }) => id);
    assert.deepEqual(ids, ["rv-5", "rv-1", "rv-4", "rv-3"]);
    const open = (await store().reviews({ state: "open", limit: 100 })).filter(({ actor }) => actor === "user:rv");
    assert.deepEqual(
      open.map(({ id }) => id),
      ["rv-5", "rv-4", "rv-3"],
    );
    const [first] = await store().reviews({ limit: 1 });
    assert.ok(first);
    const rest = (await store().reviews({ before: first, limit: 100 })).filter(({ actor }) => actor === "user:rv");
    assert.equal(
      rest.some(({ id }) => id === first.id),
      false,
    );
    assert.equal(await store().review("none"), undefined);
  });
}
