import assert from "node:assert/strict";
import { createPrivateKey, createPublicKey } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { DhkemX25519HkdfSha256 } from "@hpke/core";
import { hmac } from "#trust/vault";
import { decapsulate, type Exporting, encapsulate, newKeyPair } from "./hpke.ts";

const hex = (text: string) => Buffer.from(text, "hex");
const ascii = (text: string) => Buffer.from(text, "latin1");
const nothing = Buffer.alloc(0);

/** RFC 9180 §A.7.1: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, Export-Only AEAD, base. */
const vector = {
  info: hex("4f6465206f6e2061204772656369616e2055726e"),
  enc: hex("e5e8f9bfff6c2f29791fc351d2c25ce1299aa5eaca78a757c0b4fb4bcd830918"),
  ephemeral: hex("095182b502f1f91f63ba584c7c3ec473d617b8b4c2cec3fad5af7fa6748165ed"),
  privateKey: hex("33d196c830a12f9ac65d6e565a590d80f04ee9b19c83c87f2c170d972a812848"),
  publicKey: hex("194141ca6c3c3beb4792cd97ba0ea1faff09d98435012345766ee33aae2d7664"),
  exported: [
    { exporter: nothing, secret: hex("7a36221bd56d50fb51ee65edfd98d06a23c4dc87085aa5866cb7087244bd2a36") },
    { exporter: hex("00"), secret: hex("d5535b87099c6c3ce80dc112a2671c6ec8e811a2f284f948cec6dd1708ee33f0") },
    {
      exporter: hex("54657374436f6e74657874"),
      secret: hex("ffaabc85a776136ca0c378e5d084c9140ab552b78f039d2e8775f26efff4c70e"),
    },
  ],
} as const;

test("both ends agree with the vectors of RFC 9180 §A.7.1", async () => {
  const kem = new DhkemX25519HkdfSha256();
  const ephemeral = {
    privateKey: await kem.deserializePrivateKey(vector.ephemeral),
    publicKey: await kem.deserializePublicKey(vector.enc),
  };
  for (const { exporter, secret } of vector.exported) {
    const saying = { info: vector.info, exporter };
    assert.deepEqual(await encapsulate(vector.publicKey, saying, ephemeral), { enc: vector.enc, secret });
    assert.deepEqual(await decapsulate(vector.privateKey, vector.enc, saying), secret);
  }
});

test("a secret is made anew each time, and is another for other words", async () => {
  const { publicKey, privateKey } = await newKeyPair();
  const saying = { info: ascii("one"), exporter: ascii("two") };
  const [one, other] = [await encapsulate(publicKey, saying), await encapsulate(publicKey, saying)];
  assert.notDeepEqual(one.secret, other.secret);
  assert.deepEqual(await decapsulate(privateKey, one.enc, saying), one.secret);
  for (const else_ of [
    { ...saying, info: ascii("other") },
    { ...saying, exporter: ascii("other") },
  ])
    assert.notDeepEqual(await decapsulate(privateKey, one.enc, else_), one.secret);
});

test("keys and points of another length, and points that give nothing but zeros, are refused", async () => {
  const { publicKey, privateKey } = await newKeyPair();
  const saying = { info: nothing, exporter: nothing };
  for (const length of [0, 31, 33, 64]) {
    await assert.rejects(encapsulate(Buffer.alloc(length, 9), saying));
    await assert.rejects(decapsulate(privateKey, Buffer.alloc(length, 9), saying));
    await assert.rejects(decapsulate(Buffer.alloc(length, 9), publicKey, saying));
  }
  for (const low of [Buffer.alloc(32), Buffer.from([1, ...Buffer.alloc(31)])]) {
    await assert.rejects(encapsulate(low, saying));
    await assert.rejects(decapsulate(privateKey, low, saying));
  }
});

interface Agreement {
  readonly tcId: number;
  readonly public: string;
  readonly private: string;
  readonly shared: string;
}

const vectors = join(
  process.env.LEADGLASS_DATA ?? join(import.meta.dirname, "../../../shared/data"),
  "vectors/wycheproof/x25519_test.json",
);

test("X25519 agrees with Wycheproof, and what gives nothing but zeros is refused", async (t) => {
  if (!existsSync(vectors)) return t.skip("needs the Wycheproof vectors: set LEADGLASS_DATA");
  const { testGroups } = JSON.parse(readFileSync(vectors, "utf8")) as {
    readonly testGroups: readonly { readonly tests: readonly Agreement[] }[];
  };
  const saying = { info: ascii("info"), exporter: ascii("exporter") };
  let agreed = 0;
  let refused = 0;
  for (const { tcId, ...given } of testGroups.flatMap(({ tests }) => tests)) {
    const [enc, privateKey, shared] = [hex(given.public), hex(given.private), hex(given.shared)] as const;
    if (shared.every((byte) => byte === 0)) {
      await assert.rejects(decapsulate(privateKey, enc, saying), `test ${tcId}`);
      refused++;
      continue;
    }
    assert.deepEqual(
      await decapsulate(privateKey, enc, saying),
      exported(shared, enc, publicOf(privateKey), saying),
      `test ${tcId}`,
    );
    agreed++;
  }
  t.diagnostic(`${agreed} vectors agreed, ${refused} refused`);
  assert.ok(agreed >= 400 && refused >= 10);
});

function publicOf(privateKey: Buffer): Buffer {
  const der = Buffer.concat([hex("302e020100300506032b656e04220420"), privateKey]);
  const key = createPublicKey(createPrivateKey({ key: der, format: "der", type: "pkcs8" }));
  return key.export({ format: "der", type: "spki" }).subarray(-32);
}

/** RFC 9180 §4.1 and §5 by hand, from the X25519 secret on: the vectors say that one alone. */
function exported(shared: Buffer, enc: Buffer, publicKey: Buffer, { info, exporter }: Exporting): Buffer {
  const labelled = (suite: Buffer) => ({
    extract: (salt: Buffer, label: string, ikm: Uint8Array) =>
      hmac(salt.length === 0 ? Buffer.alloc(32) : salt, ascii("HPKE-v1"), suite, ascii(label), ikm),
    expand: (secret: Buffer, label: string, about: Uint8Array) =>
      hmac(secret, Buffer.of(0, 32), ascii("HPKE-v1"), suite, ascii(label), about, Buffer.of(1)),
  });
  const kem = labelled(Buffer.concat([ascii("KEM"), hex("0020")]));
  const secret = kem.expand(kem.extract(nothing, "eae_prk", shared), "shared_secret", Buffer.concat([enc, publicKey]));
  const suite = labelled(Buffer.concat([ascii("HPKE"), hex("00200001ffff")]));
  const context = Buffer.concat([
    Buffer.of(0),
    suite.extract(nothing, "psk_id_hash", nothing),
    suite.extract(nothing, "info_hash", info),
  ]);
  const exporterSecret = suite.expand(suite.extract(secret, "secret", nothing), "exp", context);
  return suite.expand(exporterSecret, "sec", exporter);
}
