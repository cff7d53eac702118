import type { Random } from "#base/id";
import { Problem } from "#base/problem";
import type { TenantKeys } from "./keyring.ts";
import { aead, joined, openMessage, sealMessage } from "./primitives.ts";

/*
 * A key wrapped under a tenant's key: format 1, generation of the tenant's master key, nonce of 12 random bytes, ciphertext, tag.
 * Additional data names tenant, purpose and token, so that a key moved to another's place does not open.
 */
const wrappedBytes = 2 + aead.nonceBytes + aead.keyBytes + aead.tagBytes;
const format = 1;

export interface WrappedUnder {
  readonly tenant: TenantKeys;
  /** Purpose of the tenant's key: "image key", "identity key". */
  readonly tenantKey: string;
  /** What the wrapped key is: "study key", "patient key". */
  readonly purpose: string;
  /** Of the study or patient. */
  readonly token: string;
}

const contextOf = ({ tenant, purpose, token }: WrappedUnder) => joined(`leadglass ${purpose}`, tenant.id, token);

/** Wraps under the newest generation. */
export function wrapKey(under: WrappedUnder & { readonly random: Random }, key: Buffer): Buffer {
  const { tenant, tenantKey, random } = under;
  const nonce = random(Buffer.alloc(aead.nonceBytes));
  const wrapping = tenant.key(tenantKey, aead.keyBytes, tenant.generation);
  const sealed = sealMessage(wrapping, nonce, contextOf(under), key);
  wrapping.fill(0);
  return Buffer.concat([Buffer.from([format, tenant.generation]), nonce, ...sealed]);
}

/** The generation of the tenant's master key that a key is wrapped under; undefined when it is wrapped under another key than a tenant's. */
export function generationOf(wrapped: Buffer): number | undefined {
  return wrapped[0] === format ? wrapped[1] : undefined;
}

/** Problem "damaged" when it does not open. The caller wipes the key. */
export function unwrapKey(under: WrappedUnder, wrapped: Buffer): Buffer {
  if (wrapped.length !== wrappedBytes || wrapped[0] !== format) throw brokenKey();
  const wrapping = under.tenant.key(under.tenantKey, aead.keyBytes, wrapped[1] ?? 0);
  const key = openMessage(wrapping, wrapped.subarray(2, 14), contextOf(under), wrapped.subarray(14));
  wrapping.fill(0);
  if (key === undefined) throw brokenKey();
  return key;
}

export function brokenKey(): Problem {
  return new Problem("damaged", "the wrapped key of a study does not open", {
    remedy: "restore the key stores of this home from their backup",
  });
}
