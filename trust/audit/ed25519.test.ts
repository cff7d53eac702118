import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { isProblem } from "#base/problem";
import { signingKey, verifyingKey } from "./ed25519.ts";

const data = process.env.LEADGLASS_DATA ?? join(import.meta.dirname, "../../../shared/data");

interface VectorFile {
  readonly testGroups: readonly {
    readonly publicKey: { readonly pk: string };
    readonly tests: readonly { tcId: number; comment: string; msg: string; sig: string; result: "valid" | "invalid" }[];
  }[];
}

test("signatures are told apart as Wycheproof says", (t) => {
  const path = join(data, "vectors/wycheproof/ed25519_test.json");
  if (!existsSync(path)) return t.skip("needs the Wycheproof vectors: set LEADGLASS_DATA");
  const counts = { valid: 0, invalid: 0 };
  for (const { publicKey, tests } of (JSON.parse(readFileSync(path, "utf8")) as VectorFile).testGroups) {
    const verify = verifyingKey(Buffer.from(publicKey.pk, "hex"));
    for (const { tcId, comment, msg, sig, result } of tests) {
      const holds = verify(Buffer.from(msg, "hex"), Buffer.from(sig, "hex"));
      assert.equal(holds, result === "valid", `test ${tcId}: ${comment}`);
      counts[result]++;
    }
  }
  t.diagnostic(`${counts.valid} valid, ${counts.invalid} invalid`);
  assert.ok(counts.valid >= 80 && counts.invalid >= 60);
});

/** RFC 8032 §7.1, tests 1 to 3: seed, public key, message, signature. */
const rfc8032 = [
  [
    "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
    "",
    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
  ],
  [
    "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
    "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
    "72",
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
  ],
  [
    "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
    "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
    "af82",
    "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
  ],
] as const;

test("a seed gives the public key and the signatures of RFC 8032", () => {
  for (const [seed, publicKey, message, signature] of rfc8032) {
    const key = signingKey(Buffer.from(seed, "hex"));
    assert.equal(key.publicKey.toString("hex"), publicKey);
    assert.equal(key.sign(Buffer.from(message, "hex")).toString("hex"), signature);
    assert.ok(verifyingKey(key.publicKey)(Buffer.from(message, "hex"), Buffer.from(signature, "hex")));
  }
});

test("a seed or public key of another length is refused", () => {
  for (const bytes of [0, 31, 33, 64]) {
    assert.throws(
      () => signingKey(Buffer.alloc(bytes)),
      (error) => isProblem(error, "invalid"),
    );
    assert.throws(
      () => verifyingKey(Buffer.alloc(bytes)),
      (error) => isProblem(error, "invalid"),
    );
  }
});
