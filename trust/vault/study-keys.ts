import type { KeyObject } from "node:crypto";
import { newToken, type Random } from "#base/id";
import { Problem } from "#base/problem";
import type { KeyStore, WrappedStudyKey } from "./key-store.ts";
import type { TenantKeys } from "./keyring.ts";
import { aead, hmac, joined, keyOf, openMessage, sealMessage } from "./primitives.ts";

/** The data keys of studies, opened when they are needed. */
export interface StudyKeys {
  /** Token of a study, made with its key when it is new: durable before it resolves. */
  token(studyUid: string): Promise<string>;
  /** The data key; at once when it was used lately. Undefined when there is none (shredded, or never was). */
  keyOf(studyToken: string): KeyObject | undefined | Promise<KeyObject | undefined>;
  /** Forgets every key. */
  wipe(): void;
}

/** How many studies stay open in memory; each is some 300 bytes. */
const keptMax = 4096;

export function createStudyKeys(options: { keyStore: KeyStore; tenant: TenantKeys; random: Random }): StudyKeys {
  const { keyStore, tenant, random } = options;
  const indexKey = keyOf(tenant.key("index key", 32));
  const keys = new Map<string, KeyObject>();
  const tokens = new Map<string, string>();
  const underWay = new Map<string, Promise<string>>();

  const keep = (studyToken: string, key: KeyObject) => {
    keys.delete(studyToken);
    keys.set(studyToken, key);
    if (keys.size > keptMax) keys.delete(keys.keys().next().value as string);
  };
  const keepToken = (studyUid: string, studyToken: string) => {
    tokens.set(studyUid, studyToken);
    if (tokens.size > keptMax) tokens.delete(tokens.keys().next().value as string);
  };

  const load = async (studyUid: string): Promise<string> => {
    const digest = hmac(indexKey, joined("study instance uid", studyUid));
    let kept = await keyStore.get(digest);
    if (kept === undefined) {
      const key = Buffer.from(random(Buffer.alloc(aead.keyBytes)));
      const studyToken = newToken(random);
      kept = await keyStore.putIfAbsent(digest, { studyToken, wrappedKey: wrap(tenant, random, studyToken, key) });
      if (kept.studyToken === studyToken) keep(studyToken, keyOf(key));
    }
    keepToken(studyUid, kept.studyToken);
    return kept.studyToken;
  };

  const unwrapped = async (studyToken: string): Promise<KeyObject | undefined> => {
    const kept = await keyStore.byToken(studyToken);
    if (kept === undefined) return undefined;
    const key = keyOf(unwrap(tenant, kept));
    keep(studyToken, key);
    return key;
  };

  return {
    token(studyUid) {
      const known = tokens.get(studyUid);
      if (known !== undefined) return Promise.resolve(known);
      const pending = underWay.get(studyUid) ?? load(studyUid).finally(() => underWay.delete(studyUid));
      underWay.set(studyUid, pending);
      return pending;
    },
    keyOf(studyToken) {
      const known = keys.get(studyToken);
      if (known !== undefined) keep(studyToken, known);
      return known ?? unwrapped(studyToken);
    },
    wipe() {
      keys.clear();
      tokens.clear();
    },
  };
}

/*
 * A wrapped key: format 1, generation of the tenant's master key, nonce of 12 random bytes, ciphertext, tag. Additional data
 * names tenant and study, so that a key moved to another study's place does not open.
 */
const wrappedBytes = 2 + aead.nonceBytes + aead.keyBytes + aead.tagBytes;

function wrappingKey(tenant: TenantKeys, generation: number): Buffer {
  return tenant.key("image key", aead.keyBytes, generation);
}

function wrap(tenant: TenantKeys, random: Random, studyToken: string, key: Buffer): Buffer {
  const nonce = random(Buffer.alloc(aead.nonceBytes));
  const under = wrappingKey(tenant, tenant.generation);
  const sealed = sealMessage(under, nonce, joined("leadglass study key", tenant.id, studyToken), key);
  under.fill(0);
  return Buffer.concat([Buffer.from([1, tenant.generation]), nonce, ...sealed]);
}

function unwrap(tenant: TenantKeys, kept: WrappedStudyKey): Buffer {
  const bytes = kept.wrappedKey;
  const broken = new Problem("damaged", "the wrapped key of a study does not open", {
    remedy: "restore the key store of this home from its backup",
  });
  if (bytes.length !== wrappedBytes || bytes[0] !== 1) throw broken;
  const under = wrappingKey(tenant, bytes[1] ?? 0);
  const context = joined("leadglass study key", tenant.id, kept.studyToken);
  const key = openMessage(under, bytes.subarray(2, 14), context, bytes.subarray(14));
  under.fill(0);
  if (key === undefined) throw broken;
  return key;
}
