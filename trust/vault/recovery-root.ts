import { createHash, createPrivateKey, createPublicKey, diffieHellman, type KeyObject } from "node:crypto";
import type { Random } from "#base/id";
import { Problem } from "#base/problem";
import { aead, hkdf, joined, newKey, openMessage, sealMessage } from "./primitives.ts";

/*
 * The recovery kit is an X25519 key pair (RFC 7748) of its own. The keyring holds the public half, so that masters that are made later are
 * wrapped for the kit too, without it; the private half exists only while the kit is made and used.
 *
 * Wrapped for the kit: public key of a pair made for this one, ciphertext, tag. Key: HKDF-SHA-256 of the shared secret, both public
 * keys as salt. It is used once, so the nonce is zero.
 */
const pointBytes = 32;
const zeroNonce = new Uint8Array(aead.nonceBytes);

// RFC 8410: the constant heads of a PKCS#8 and an SPKI X25519 key; the raw key follows.
const privateHead = Buffer.from("302e020100300506032b656e04220420", "hex");
const publicHead = Buffer.from("302a300506032b656e032100", "hex");

function privateKeyOf(secret: Uint8Array): KeyObject {
  const key = Buffer.concat([privateHead, secret]);
  const made = createPrivateKey({ key, format: "der", type: "pkcs8" });
  key.fill(0);
  return made;
}

function publicKeyOf(raw: Uint8Array): KeyObject {
  return createPublicKey({ key: Buffer.concat([publicHead, raw]), format: "der", type: "spki" });
}

/** 32 bytes: what the keyring keeps of a kit. */
export function publicHalf(secret: Uint8Array): Buffer {
  const spki = createPublicKey(privateKeyOf(secret)).export({ format: "der", type: "spki" });
  return Buffer.from(spki.subarray(publicHead.length));
}

/** Tells kits apart; says nothing of them. */
export function nameOfKit(publicKey: Uint8Array): Buffer {
  return createHash("sha256").update(publicKey).digest();
}

function keyBetween(own: KeyObject, other: Uint8Array, made: Uint8Array, kit: Uint8Array, context: string): Buffer {
  const shared = diffieHellman({ privateKey: own, publicKey: publicKeyOf(other) });
  const key = hkdf(shared, Buffer.concat([made, kit]), joined("leadglass recovery", context), aead.keyBytes);
  shared.fill(0);
  return key;
}

export function wrapForKit(publicKey: Uint8Array, random: Random, secret: Uint8Array, context: string): Buffer {
  if (publicKey.length !== pointBytes) throw new Problem("damaged", "the keyring's recovery key is not whole");
  const once = newKey(random);
  const made = publicHalf(once);
  const key = keyBetween(privateKeyOf(once), publicKey, made, publicKey, context);
  once.fill(0);
  const sealed = sealMessage(key, zeroNonce, joined("leadglass recovery", context), secret);
  key.fill(0);
  return Buffer.concat([made, ...sealed]);
}

/** Undefined when it was not wrapped for the kit of this secret and for this context. */
export function unwrapWithKit(kitSecret: Uint8Array, wrapped: Uint8Array, context: string): Buffer | undefined {
  if (wrapped.length < pointBytes + aead.tagBytes) return undefined;
  const made = wrapped.subarray(0, pointBytes);
  const key = keyBetween(privateKeyOf(kitSecret), made, made, publicHalf(kitSecret), context);
  const secret = openMessage(key, zeroNonce, joined("leadglass recovery", context), wrapped.subarray(pointBytes));
  key.fill(0);
  return secret;
}
