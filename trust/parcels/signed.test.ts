import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isProblem } from "#base/problem";
import {
  newSigningKey,
  type Provenance,
  parcelIdOf,
  provesProvenance,
  type Receipt,
  readReceipt,
  signProvenance,
  signReceipt,
} from "./index.ts";

const key = newSigningKey();
const other = newSigningKey();
const what: Provenance = {
  edge: "e1",
  kind: "instance",
  sha256: "ab".repeat(32),
  transferSyntaxUid: "1.2.840.10008.1.2.1",
  receivedAt: 1_800_000_000_000,
};
const receipt: Receipt = { parcel: "0123456789abcdef".repeat(2), edge: "e1", at: 1_800_000_000_001, outcome: "stored" };

test("an edge's word holds for exactly what it said, and by its key alone", () => {
  const signature = signProvenance(key, what);
  assert.ok(provesProvenance(key.publicKey, what, signature));
  assert.ok(!provesProvenance(other.publicKey, what, signature));
  const changes: Partial<Provenance>[] = [
    { edge: "e2" },
    { kind: "message" },
    { sha256: "ac".repeat(32) },
    { transferSyntaxUid: "" },
    { receivedAt: what.receivedAt + 1 },
    { edge: "e1i", kind: "nstance" },
  ];
  for (const change of changes) assert.ok(!provesProvenance(key.publicKey, { ...what, ...change }, signature));
  for (const bad of ["", "AA", `${signature}AA`, signature.slice(4)])
    assert.ok(!provesProvenance(key.publicKey, what, bad));
});

test("a key that is none is refused", () => {
  for (const bad of ["", "AA", `${key.publicKey}AA`])
    assert.throws(
      () => provesProvenance(bad, what, signProvenance(key, what)),
      (error) => isProblem(error, "invalid"),
    );
});

test("a receipt is read as it was signed, by any of the cloud's keys, and is short", () => {
  for (const outcome of ["stored", "held"] as const) {
    const bytes = signReceipt(key, { ...receipt, outcome });
    assert.ok(bytes.length <= 1024);
    assert.deepEqual(readReceipt([other.publicKey, key.publicKey], bytes), { ...receipt, outcome });
  }
});

test("a receipt that another signed, or nobody is known to, proves nothing", () => {
  const bytes = signReceipt(other, receipt);
  for (const keys of [[], [key.publicKey]])
    assert.throws(
      () => readReceipt(keys, bytes),
      (error) => isProblem(error, "unproven"),
    );
});

test("an edge's word is no receipt, nor the other way round: each is signed under its own label", () => {
  const bytes = signReceipt(key, receipt);
  assert.ok(!provesProvenance(key.publicKey, what, bytes.subarray(-64).toString("base64url")));
  const taken = Buffer.concat([bytes.subarray(0, -64), Buffer.from(signProvenance(key, what), "base64url")]);
  assert.throws(
    () => readReceipt([key.publicKey], taken),
    (error) => isProblem(error, "unproven"),
  );
});

test("a receipt with a flipped bit, cut short or lengthened is not believed", () => {
  const bytes = signReceipt(key, receipt);
  const notBelieved = (changed: Uint8Array) =>
    assert.throws(
      () => readReceipt([key.publicKey], changed),
      (error) => isProblem(error) && error.code !== "fault",
    );
  fc.assert(
    fc.property(fc.nat(bytes.length * 8 - 1), (bit) => {
      const changed = Buffer.from(bytes);
      changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      notBelieved(changed);
    }),
    { seed: 5, numRuns: 200 },
  );
  for (let to = 0; to < bytes.length; to++) notBelieved(bytes.subarray(0, to));
  notBelieved(Buffer.concat([bytes, Buffer.of(0)]));
});

test("what no receipt can name is not signed", () => {
  for (const bad of [{ parcel: "12" }, { parcel: "g".repeat(32) }, { edge: "e".repeat(65) }])
    assert.throws(
      () => signReceipt(key, { ...receipt, ...bad }),
      (error) => isProblem(error, "invalid"),
    );
});

test("the same thing has the same id, under one key", () => {
  const shared = Buffer.alloc(32, 1);
  const id = parcelIdOf(shared, "instance", what.sha256);
  assert.match(id, /^[0-9a-f]{32}$/);
  assert.equal(parcelIdOf(Buffer.from(shared), "instance", what.sha256), id);
  assert.notEqual(parcelIdOf(Buffer.alloc(32, 2), "instance", what.sha256), id);
  assert.notEqual(parcelIdOf(shared, "message", what.sha256), id);
  assert.notEqual(parcelIdOf(shared, "instance", "ac".repeat(32)), id);
});
