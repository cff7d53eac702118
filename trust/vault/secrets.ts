import type { Random } from "#base/id";
import { Problem } from "#base/problem";
import type { TenantKeys } from "./keyring.ts";
import { aead, hkdf, joined, openMessage, sealMessage } from "./primitives.ts";

/*
 * A sealed secret: format 1, generation of the master key, 32 random bytes, ciphertext, tag. Each has a key of its own (HKDF
 * with the random bytes as salt and the purpose as info), so the nonce may be zero, and another purpose gives another key.
 */
const saltBytes = 32;
const zeroNonce = new Uint8Array(aead.nonceBytes);

function keyFor(tenant: TenantKeys, generation: number, purpose: string, salt: Uint8Array): Buffer {
  const under = tenant.key("secrets key", aead.keyBytes, generation);
  const key = hkdf(under, salt, joined("leadglass secret", purpose), aead.keyBytes);
  under.fill(0);
  return key;
}

export function sealSecret(tenant: TenantKeys, random: Random, purpose: string, secret: Uint8Array): Buffer {
  const head = Buffer.from([1, tenant.generation]);
  const salt = random(Buffer.alloc(saltBytes));
  const key = keyFor(tenant, tenant.generation, purpose, salt);
  const sealed = sealMessage(key, zeroNonce, joined(tenant.id, purpose), secret);
  key.fill(0);
  return Buffer.concat([head, salt, ...sealed]);
}

/** Problem "damaged" when it was changed, or sealed for another purpose or tenant. */
export function openSecret(tenant: TenantKeys, purpose: string, sealed: Uint8Array): Buffer {
  const broken = new Problem("damaged", "a sealed secret does not open");
  if (sealed.length < 2 + saltBytes + aead.tagBytes || sealed[0] !== 1) throw broken;
  const key = keyFor(tenant, sealed[1] ?? 0, purpose, sealed.subarray(2, 2 + saltBytes));
  const secret = openMessage(key, zeroNonce, joined(tenant.id, purpose), sealed.subarray(2 + saltBytes));
  key.fill(0);
  if (secret === undefined) throw broken;
  return secret;
}
