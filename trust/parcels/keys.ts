import { createHash } from "node:crypto";
import { Problem } from "#base/problem";
import { newKeyPair, pointBytes } from "./hpke.ts";

/** Raw X25519 keys (RFC 7748), base64url. */
export interface ParcelKeyPair extends ParcelPublicKey {
  readonly privateKey: string;
}

export interface ParcelPublicKey {
  /** 16 hexadecimal digits: the first 8 bytes of SHA-256 of the public key. */
  readonly id: string;
  readonly publicKey: string;
}

export async function newParcelKey(): Promise<ParcelKeyPair> {
  const { publicKey, privateKey } = await newKeyPair();
  const pair = {
    id: idOf(publicKey),
    publicKey: publicKey.toString("base64url"),
    privateKey: privateKey.toString("base64url"),
  };
  privateKey.fill(0);
  return pair;
}

function idOf(publicKey: Uint8Array): string {
  return createHash("sha256").update(publicKey).digest().toString("hex", 0, 8);
}

/** The raw key. Problem `invalid` for what is no key, or has another's id. */
export function publicKeyBytes({ id, publicKey }: ParcelPublicKey): Buffer {
  const raw = Buffer.from(publicKey, "base64url");
  if (raw.length !== pointBytes || idOf(raw) !== id)
    throw new Problem("invalid", "the key to seal parcels to is not whole");
  return raw;
}
