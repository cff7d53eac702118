import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { hkdf, hmac, joined, keyOf, openMessage, sealMessage, segmentCipher } from "./primitives.ts";

const data = process.env.LEADGLASS_DATA ?? join(import.meta.dirname, "../../../shared/data");

interface Vector {
  readonly [field: string]: string | number;
  readonly tcId: number;
  readonly result: "valid" | "invalid";
}

interface VectorFile {
  readonly testGroups: readonly { readonly tests: readonly Vector[]; readonly tagSize?: number }[];
}

function vectorsIn(name: string): VectorFile["testGroups"] | undefined {
  const path = join(data, "vectors/wycheproof", name);
  return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as VectorFile).testGroups : undefined;
}

const bytes = (vector: Vector, field: string) => Buffer.from(String(vector[field]), "hex");
const needsData = "needs the Wycheproof vectors: set LEADGLASS_DATA";

test("AES-256-GCM agrees with Wycheproof, and other sizes of key and nonce are refused", (t) => {
  const groups = vectorsIn("aes_gcm_test.json");
  if (groups === undefined) return t.skip(needsData);
  let agreed = 0;
  let refused = 0;
  for (const vector of groups.flatMap(({ tests }) => tests)) {
    const [key, nonce, aad, msg] = ["key", "iv", "aad", "msg"].map((field) => bytes(vector, field)) as Buffer[];
    if (key === undefined || nonce === undefined || aad === undefined || msg === undefined) assert.fail();
    const sealed = Buffer.concat([bytes(vector, "ct"), bytes(vector, "tag")]);
    if (key.length !== 32 || nonce.length !== 12) {
      assert.throws(() => openMessage(key, nonce, aad, sealed), RangeError);
      assert.throws(() => sealMessage(key, nonce, aad, msg), RangeError);
      refused++;
      continue;
    }
    const opened = openMessage(key, nonce, aad, sealed);
    assert.deepEqual(opened, vector.result === "valid" ? msg : undefined, `test ${vector.tcId}`);
    if (vector.result === "valid") {
      assert.deepEqual(Buffer.concat(sealMessage(key, nonce, aad, msg)), sealed);
      const cipher = segmentCipher(key, nonce, aad);
      const bytewise = Array.from(msg, (_, at) => cipher.update(msg.subarray(at, at + 1)));
      assert.deepEqual(Buffer.concat([...bytewise, cipher.tag()]), sealed, "in pieces");
    }
    assert.deepEqual(openMessage(keyOf(Buffer.from(key)), nonce, aad, sealed), opened);
    agreed++;
  }
  t.diagnostic(`${agreed} vectors agreed, ${refused} of other sizes refused`);
  assert.ok(agreed >= 60 && refused >= 100);
});

test("HKDF-SHA-256 agrees with Wycheproof, and refuses to give more than it can", (t) => {
  const groups = vectorsIn("hkdf_sha256_test.json");
  if (groups === undefined) return t.skip(needsData);
  for (const vector of groups.flatMap(({ tests }) => tests)) {
    const [ikm, salt, info] = ["ikm", "salt", "info"].map((field) => bytes(vector, field)) as [Buffer, Buffer, Buffer];
    if (vector.result === "invalid") assert.throws(() => hkdf(ikm, salt, info, Number(vector.size)));
    else assert.deepEqual(hkdf(ikm, salt, info, Number(vector.size)), bytes(vector, "okm"), `test ${vector.tcId}`);
  }
});

test("HMAC-SHA-256 agrees with Wycheproof", (t) => {
  const groups = vectorsIn("hmac_sha256_test.json");
  if (groups === undefined) return t.skip(needsData);
  for (const { tests, tagSize } of groups) {
    for (const vector of tests) {
      const [key, msg] = [bytes(vector, "key"), bytes(vector, "msg")];
      const tag = hmac(key, msg).subarray(0, Number(tagSize) / 8);
      assert.equal(tag.equals(bytes(vector, "tag")), vector.result === "valid", `test ${vector.tcId}`);
      const half = msg.length >> 1;
      assert.deepEqual(hmac(key, msg.subarray(0, half), msg.subarray(half)), hmac(key, msg), "in parts");
    }
  }
});

test("a message too short to hold a tag does not open", () => {
  assert.equal(openMessage(Buffer.alloc(32), Buffer.alloc(12), Buffer.alloc(0), Buffer.alloc(15)), undefined);
});

test("no two lists of parts are joined to the same bytes", () => {
  assert.notDeepEqual(joined("ab", "c"), joined("a", "bc"));
  assert.notDeepEqual(joined("a"), joined("a", ""));
});

test("bytes that became a key object are overwritten", () => {
  const secret = Buffer.alloc(32, 7);
  keyOf(secret);
  assert.deepEqual(secret, Buffer.alloc(32));
});
