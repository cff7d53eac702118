import { generateKeyPairSync } from "node:crypto";
import { signingKey, type Verify, verifyingKey } from "#trust/audit";

/** Ed25519 (RFC 8032): the raw public key and the seed, base64url. */
export interface SigningKey {
  readonly publicKey: string;
  readonly privateKey: string;
}

export function newSigningKey(): SigningKey {
  const { x = "", d = "" } = generateKeyPairSync("ed25519").privateKey.export({ format: "jwk" });
  return { publicKey: x, privateKey: d };
}

export function signatureOf(key: SigningKey, message: Uint8Array): Buffer {
  const seed = Buffer.from(key.privateKey, "base64url");
  try {
    return signingKey(seed).sign(message);
  } finally {
    seed.fill(0);
  }
}

/** Problem `invalid` for what is no public key. */
export function verifierOf(publicKey: string): Verify {
  return verifyingKey(Buffer.from(publicKey, "base64url"));
}
