import type { Random } from "#base/id";
import { Problem } from "#base/problem";
import type { TenantKeys } from "./keyring.ts";
import { aead, hkdf, joined, openMessage, sealMessage } from "./primitives.ts";

/*
 * A sealed secret: format 1, generation 1 (the lasting master: secrets rest in many places, which a rotation could not all reach), 32
 * random bytes, ciphertext, tag. Each has a key of its own (HKDF with the random bytes as salt and the purpose as info), so the nonce
 * may be zero, and another purpose gives another key.
 */
const head = Buffer.from([1, 1]);
const saltBytes = 32;
const zeroNonce = new Uint8Array(aead.nonceBytes);

function keyFor(tenant: TenantKeys, purpose: string, salt: Uint8Array): Buffer {
  const under = tenant.key("secrets key", aead.keyBytes);
  const key = hkdf(under, salt, joined("leadglass secret", purpose), aead.keyBytes);
  under.fill(0);
  return key;
}

export function sealSecret(tenant: TenantKeys, random: Random, purpose: string, secret: Uint8Array): Buffer {
  const salt = random(Buffer.alloc(saltBytes));
  const key = keyFor(tenant, purpose, salt);
  const sealed = sealMessage(key, zeroNonce, joined(tenant.id, purpose), secret);
  key.fill(0);
  return Buffer.concat([head, salt, ...sealed]);
}

/** Problem "damaged" when it was changed, or sealed for another purpose or tenant. */
export function openSecret(tenant: TenantKeys, purpose: string, sealed: Uint8Array): Buffer {
  const broken = new Problem("damaged", "a sealed secret does not open");
  if (sealed.length < head.length + saltBytes + aead.tagBytes || !head.equals(sealed.subarray(0, head.length)))
    throw broken;
  const key = keyFor(tenant, purpose, sealed.subarray(2, 2 + saltBytes));
  const secret = openMessage(key, zeroNonce, joined(tenant.id, purpose), sealed.subarray(2 + saltBytes));
  key.fill(0);
  if (secret === undefined) throw broken;
  return secret;
}
