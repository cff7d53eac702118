import assert from "node:assert/strict";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createVirtualClock } from "#base/clock";
import { systemRandom } from "#base/id";
import type { Edge } from "#trust/access";
import { openParcel, readReceipt, sealParcel, signReceipt } from "#trust/parcels";
import { edgeOf } from "../../trust/access/edge-store.contract.ts";
import { plainSecrets } from "./links.fixture.ts";
import { createParcelOffice, parcelOfficeFile } from "./parcel-office.ts";

const dayMs = 86_400_000;

function opened(folder = mkdtempSync(join(tmpdir(), "lg-office-")), clock = createVirtualClock(), seen: Edge[] = []) {
  const edges = { signingKeysOf: async (id: string) => [`key of ${id}`], list: async () => seen };
  const parts = { folder, vault: { secrets: plainSecrets }, edges, clock, random: systemRandom };
  return { folder, clock, keeper: createParcelOffice(parts) };
}

test("what an edge is told fits what the office holds, and is the same after a start", async () => {
  const { keeper, folder } = opened();
  const [told, twice, office] = await Promise.all([keeper.cloudKeys("e1"), keeper.cloudKeys("e1"), keeper.open()]);
  assert.deepEqual(told, twice);
  assert.equal(office.keyOf(told.parcelKey.id)?.publicKey, told.parcelKey.publicKey);
  assert.equal(office.keyOf("0".repeat(16)), undefined);
  assert.equal(office.samenessKey, told.samenessKey);
  assert.deepEqual(await office.signingKeysOf("e"), ["key of e"]);
  const receipt = { parcel: "0".repeat(32), edge: "e", at: 1, outcome: "stored" } as const;
  assert.deepEqual(readReceipt(told.receiptKeys, signReceipt(office.receiptKey, receipt)), receipt);
  assert.deepEqual(await opened(folder).keeper.cloudKeys("e1"), told);
  const sealed = JSON.parse(readFileSync(join(folder, parcelOfficeFile), "utf8")) as object;
  assert.deepEqual(Object.keys(sealed), ["sealed"]);
});

test("edges are told another parcel key each year, and at once when asked; what was sealed before opens still", async () => {
  const { keeper, clock, folder } = opened();
  const first = await keeper.cloudKeys("e1");
  await clock.advance(365 * dayMs - 1);
  assert.deepEqual(await keeper.cloudKeys("e1"), first);
  await clock.advance(1);
  const second = await keeper.cloudKeys("e1");
  assert.notEqual(second.parcelKey.id, first.parcelKey.id);
  assert.deepEqual({ ...second, parcelKey: first.parcelKey }, first);
  assert.equal((await keeper.changeParcelKey()).former, 2);
  const third = await keeper.cloudKeys("e1");
  assert.notEqual(third.parcelKey.id, second.parcelKey.id);

  const parts: Buffer[] = [];
  (await sealParcel(first.parcelKey, Buffer.from("head"), (part) => parts.push(part))).end(Buffer.from("tail"));
  const { keyOf } = await opened(folder, clock).keeper.open();
  const opener = openParcel(keyOf, { head: () => {}, content: () => {} });
  await opener.write(Buffer.concat(parts));
  assert.deepEqual(await opener.end(), Buffer.from("tail"));
});

test("former parcel keys are destroyed when asked, once every edge has been told of the newest", async () => {
  const clock = createVirtualClock();
  const seen = [edgeOf("e1", { state: "enrolled" }), edgeOf("e2", { state: "revoked" })];
  const { keeper, folder } = opened(undefined, clock, seen);
  const { parcelKey } = await keeper.cloudKeys("e1");
  await clock.advance(5);
  const changed = await keeper.changeParcelKey();
  assert.deepEqual([changed.former, changed.madeAt], [1, clock.now()]);
  await assert.rejects(keeper.forgetFormerKeys(), { code: "conflict" });
  assert.ok((await keeper.open()).keyOf(parcelKey.id));
  await keeper.cloudKeys("e2");
  await assert.rejects(keeper.forgetFormerKeys(), { code: "conflict" }, "e1 may seal to the former");
  await keeper.cloudKeys("e1");
  assert.deepEqual(await keeper.forgetFormerKeys(), { ...changed, former: 0 });
  for (const each of [keeper, opened(folder, clock).keeper]) {
    const { keyOf } = await each.open();
    assert.equal(keyOf(parcelKey.id), undefined);
    assert.ok(keyOf(changed.id));
  }
});
