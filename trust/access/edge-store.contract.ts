import assert from "node:assert/strict";
import { test } from "node:test";
import { isProblem } from "#base/problem";
import type { Edge, EdgeStore } from "./edge-store.ts";

export const edgeOf = (id: string, more: Partial<Edge> = {}): Edge => ({
  ...{ id, name: `box ${id}`, facility: "", state: "invited", version: 1 },
  ...{ codeDigest: `digest ${id}`, codeEndsAt: 9, serial: "", nextSerial: "", notAfter: 0, software: "" },
  ...{ createdAt: 1, enrolledAt: 0, lastSeenAt: 0, revokedAt: 0 },
  ...more,
});

/** The part of an access store's contract that is about edges. */
export function edgeStoreTests(store: () => EdgeStore): void {
  test("edges are listed oldest first, found by id, and no two have one name", async () => {
    const [younger, older] = [edgeOf("ea", { createdAt: 2, facility: "f1" }), edgeOf("eb", { name: "Süd 'o" })];
    await store().addEdge(younger);
    await store().addEdge(older);
    await assert.rejects(store().addEdge(edgeOf("ec", { name: "Süd 'o" })), (error) => isProblem(error, "conflict"));
    await assert.rejects(store().addEdge(edgeOf("ea", { name: "other" })), (error) => isProblem(error, "conflict"));
    assert.deepEqual(await store().edges(), [older, younger]);
    assert.deepEqual(await store().edge("ea"), younger);
    assert.equal(await store().edge("none\0"), undefined);
  });

  test("an edge changes once from where it was known, also when two change it at once", async () => {
    const edge = edgeOf("ed");
    await store().addEdge(edge);
    const both = await Promise.all(
      ["0A", "0B"].map((serial) => store().changeEdge(edge, { state: "enrolled", codeDigest: "", serial })),
    );
    assert.deepEqual(both.sort(), [false, true]);
    const { serial = "", ...changed } = (await store().edge("ed")) ?? edgeOf("none");
    assert.match(serial, /^0[AB]$/);
    const { serial: _, ...wanted } = edgeOf("ed", { state: "enrolled", codeDigest: "", version: 2 });
    assert.deepEqual(changed, wanted);
    const times = { notAfter: 5, enrolledAt: 6, revokedAt: 7, codeEndsAt: 8, nextSerial: "0C", software: "1.2" };
    assert.equal(await store().changeEdge({ id: "ed", version: 2 }, times), true);
    assert.deepEqual(await store().edge("ed"), { ...changed, ...times, serial, version: 3 });
    assert.equal(await store().changeEdge({ id: "none", version: 1 }, { state: "revoked" }), false);
  });

  test("keys that an edge signed with are listed newest first, each once, and stay when it is removed", async () => {
    await store().addEdge(edgeOf("eg"));
    const [first, second, other] = [
      { edge: "eg", publicKey: "one", since: 1 },
      { edge: "eg", publicKey: "two", since: 2 },
      { edge: "none", publicKey: "one", since: 3 },
    ];
    for (const key of [first, second, other, { ...first, since: 9 }]) await store().addSigningKey(key);
    assert.deepEqual(await store().signingKeys("eg"), [second, first]);
    assert.equal(await store().removeEdge("eg"), true);
    assert.deepEqual(await store().signingKeys("eg"), [second, first]);
    assert.deepEqual(await store().signingKeys("none"), [other]);
    assert.deepEqual(await store().signingKeys("ez"), []);
  });

  test("when it was last seen is no change, and what is removed is gone", async () => {
    const edge = edgeOf("ef");
    await store().addEdge(edge);
    await store().touchEdge("ef", 77);
    await store().touchEdge("none", 77);
    assert.deepEqual(await store().edge("ef"), { ...edge, lastSeenAt: 77 });
    assert.equal(await store().removeEdge("ef"), true);
    assert.equal(await store().removeEdge("ef"), false);
    assert.equal(await store().edge("ef"), undefined);
  });
}
