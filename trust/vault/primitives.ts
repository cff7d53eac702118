import { createCipheriv, createDecipheriv, createHmac, createSecretKey, hkdfSync, type KeyObject } from "node:crypto";
import type { Random } from "#base/id";
import { Problem } from "#base/problem";

/** The only AEAD of the vault: AES-256-GCM with a nonce of 96 bits and a whole tag. */
export const aead = { name: "aes-256-gcm", keyBytes: 32, nonceBytes: 12, tagBytes: 16 } as const;

/** Bytes or, where a key is used more than once, a key object: making a cipher from one costs a quarter. */
export type Key = KeyObject | Uint8Array;

/** A key object of a copy of these bytes; the bytes are overwritten. The copy is cleared when it is collected. */
export function keyOf(bytes: Buffer): KeyObject {
  const key = createSecretKey(bytes);
  bytes.fill(0);
  return key;
}

/** A new random key, of which there is one copy: the caller wipes it. */
export function newKey(random: Random): Buffer {
  const key = Buffer.alloc(aead.keyBytes);
  random(key);
  return key;
}

/** Node takes bytes too, for twice to thrice the time: it learns that they are no key object from an error it throws and catches. */
function nativeKey(key: Key): KeyObject {
  return key instanceof Uint8Array ? createSecretKey(key) : key;
}

function checkSizes(key: Key, nonce: Uint8Array): void {
  // Other sizes are legal GCM, with weaker or untested properties: they can only come from a bug.
  const keyBytes = key instanceof Uint8Array ? key.length : key.symmetricKeySize;
  if (keyBytes !== aead.keyBytes) throw new RangeError("an AES-256-GCM key has 32 bytes");
  if (nonce.length !== aead.nonceBytes) throw new RangeError("an AES-256-GCM nonce has 12 bytes");
}

export interface SegmentCipher {
  update(plain: Uint8Array): Buffer;
  /** Ends the segment: its tag. */
  tag(): Buffer;
}

/** Encrypts one message that arrives in pieces. GCM is a stream cipher: each piece gives as many bytes at once. */
export function segmentCipher(key: Key, nonce: Uint8Array, additional: Uint8Array): SegmentCipher {
  checkSizes(key, nonce);
  const cipher = createCipheriv(aead.name, nativeKey(key), nonce, { authTagLength: aead.tagBytes });
  cipher.setAAD(additional);
  return {
    update: (plain) => cipher.update(plain),
    tag() {
      cipher.final();
      return cipher.getAuthTag();
    },
  };
}

/** Ciphertext followed by the tag. */
export function sealMessage(
  key: Key,
  nonce: Uint8Array,
  additional: Uint8Array,
  plain: Uint8Array,
): readonly [Buffer, Buffer] {
  const cipher = segmentCipher(key, nonce, additional);
  const sealed = cipher.update(plain);
  return [sealed, cipher.tag()];
}

/** The opposite of `sealMessage`, whose two parts stand in a row in `sealed`; undefined when it does not prove. */
export function openMessage(
  key: Key,
  nonce: Uint8Array,
  additional: Uint8Array,
  sealed: Uint8Array,
): Buffer | undefined {
  checkSizes(key, nonce);
  const end = sealed.length - aead.tagBytes;
  if (end < 0) return undefined;
  const decipher = createDecipheriv(aead.name, nativeKey(key), nonce, { authTagLength: aead.tagBytes });
  decipher.setAAD(additional);
  decipher.setAuthTag(sealed.subarray(end));
  const plain = decipher.update(sealed.subarray(0, end));
  try {
    decipher.final();
    return plain;
  } catch {
    // What was decrypted without proof is nobody's business.
    plain.fill(0);
    return undefined;
  }
}

/** HKDF-SHA-256 (RFC 5869). At most 8,160 bytes. */
export function hkdf(secret: Key, salt: Uint8Array, info: Uint8Array, bytes: number): Buffer {
  if (bytes > 255 * 32) throw new Problem("invalid", "HKDF-SHA-256 gives at most 8160 bytes");
  return Buffer.from(hkdfSync("sha256", nativeKey(secret), salt, info, bytes));
}

export function hmac(key: Key, ...parts: readonly Uint8Array[]): Buffer {
  const mac = createHmac("sha256", nativeKey(key));
  for (const part of parts) mac.update(part);
  return mac.digest();
}

/** Parts in a row, each behind its length, so that no two lists of parts give the same bytes. */
export function joined(...parts: readonly (string | Uint8Array)[]): Buffer {
  const out: Uint8Array[] = [];
  for (const part of parts) {
    const bytes = typeof part === "string" ? Buffer.from(part, "utf8") : part;
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    out.push(length, bytes);
  }
  return Buffer.concat(out);
}
