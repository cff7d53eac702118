import type { Random } from "#base/id";
import { Problem } from "#base/problem";
import { aead, hkdf, joined, keyOf, openMessage, sealMessage } from "./primitives.ts";

/** Seals what a backup holds and the home does not seal by itself: manifests, audit lines, accounts, settings. */
export interface BackupBox {
  /** `context` says what it is (a manifest of that number, those lines): in the place of another it does not open. */
  seal(context: string, plain: Uint8Array): Buffer;
  /** Problem "damaged" when it was changed, or sealed for another context or by another tenant. */
  open(context: string, sealed: Uint8Array): Buffer;
}

/** The purpose of the tenant's key that a backup box takes. */
export const backupKeyPurpose = "backup key";
export const backupKeyBytes = aead.keyBytes;

/*
 * A sealed piece: format 1, 32 random bytes, ciphertext, tag. Each has a key of its own (HKDF with the random bytes as salt and
 * the context as info), so the nonce may be zero.
 */
const format = 1;
const saltBytes = 32;
const zeroNonce = new Uint8Array(aead.nonceBytes);

/** Takes over `key` (32 bytes of the tenant, the same at every start): it is overwritten. */
export function createBackupBox(key: Buffer, random: Random): BackupBox {
  const under = keyOf(key);
  const pieceKey = (context: string, salt: Uint8Array) =>
    hkdf(under, salt, joined("leadglass backup", context), aead.keyBytes);
  const bound = (context: string) => joined("leadglass backup", Buffer.from([format]), context);
  return {
    seal(context, plain) {
      const salt = Buffer.from(random(Buffer.alloc(saltBytes)));
      const own = pieceKey(context, salt);
      const sealed = sealMessage(own, zeroNonce, bound(context), plain);
      own.fill(0);
      return Buffer.concat([Buffer.from([format]), salt, ...sealed]);
    },
    open(context, sealed) {
      const broken = new Problem("damaged", "a sealed piece of a backup does not open", {
        remedy: "it was changed, or belongs to another home or another passphrase",
      });
      if (sealed.length < 1 + saltBytes + aead.tagBytes || sealed[0] !== format) throw broken;
      const own = pieceKey(context, sealed.subarray(1, 1 + saltBytes));
      const plain = openMessage(own, zeroNonce, bound(context), sealed.subarray(1 + saltBytes));
      own.fill(0);
      if (plain === undefined) throw broken;
      return plain;
    },
  };
}
