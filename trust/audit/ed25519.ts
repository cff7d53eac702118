import { createPrivateKey, createPublicKey, sign, verify } from "node:crypto";
import { Problem } from "#base/problem";

/** DER in front of a raw Ed25519 seed (RFC 8410 §7) and of a raw public key (§4). */
const pkcs8Prefix = Buffer.from("302e020100300506032b657004220420", "hex");
const spkiPrefix = Buffer.from("302a300506032b6570032100", "hex");

export interface SigningKey {
  /** 32 bytes. */
  readonly publicKey: Buffer;
  /** 64 bytes, the same for the same message. */
  sign(message: Uint8Array): Buffer;
}

/** Ed25519 (RFC 8032) of a seed of 32 bytes. */
export function signingKey(seed: Uint8Array): SigningKey {
  if (seed.length !== 32) throw new Problem("invalid", "the seed of a signing key is not 32 bytes");
  const privateKey = createPrivateKey({ key: Buffer.concat([pkcs8Prefix, seed]), format: "der", type: "pkcs8" });
  const publicKey = createPublicKey(privateKey).export({ format: "der", type: "spki" }).subarray(spkiPrefix.length);
  return { publicKey, sign: (message) => sign(null, message, privateKey) };
}

export type Verify = (message: Uint8Array, signature: Uint8Array) => boolean;

/** Tells a signature that a public key's owner made from anything else, a signature of another length included. */
export function verifyingKey(publicKey: Uint8Array): Verify {
  if (publicKey.length !== 32) throw new Problem("invalid", "a public key is not 32 bytes");
  const key = createPublicKey({ key: Buffer.concat([spkiPrefix, publicKey]), format: "der", type: "spki" });
  return (message, signature) => signature.length === 64 && verify(null, message, key, signature);
}
