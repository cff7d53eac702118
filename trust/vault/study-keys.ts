import type { KeyObject } from "node:crypto";
import { newToken, type Random } from "#base/id";
import { createKept } from "./kept.ts";
import type { KeyStore } from "./key-store.ts";
import type { TenantKeys } from "./keyring.ts";
import { hmac, joined, keyOf, newKey } from "./primitives.ts";
import { unwrapKey, wrapKey } from "./wrapped-key.ts";

/** The data keys of studies, for their image halves, opened when they are needed. */
export interface StudyKeys {
  /** Token of a study, made with its key when it is new: durable before it resolves. */
  token(studyUid: string): Promise<string>;
  /** The token where there is one; never makes one. */
  tokenOf(studyUid: string): Promise<string | undefined>;
  /** The data key; at once when it was used lately. Undefined when there is none (shredded, or never was). */
  keyOf(studyToken: string): KeyObject | undefined | Promise<KeyObject | undefined>;
  /** Forgets one study, after its key was deleted or wrapped anew. */
  forget(studyToken: string): void;
  /** Forgets every key. */
  wipe(): void;
}

/** How many studies stay open in memory; each is some 300 bytes. */
const keptMax = 8192;
const purpose = "study key";
const tenantKey = "image key";

export function createStudyKeys(options: {
  keyStore: KeyStore;
  tenant: TenantKeys;
  indexKey: KeyObject;
  random: Random;
}): StudyKeys {
  const { keyStore, tenant, indexKey, random } = options;
  const keys = createKept<KeyObject>(keptMax);
  const tokens = createKept<string>(keptMax);
  const underWay = new Map<string, Promise<string>>();
  /** Raised by every `forget`: what was read before it is not kept. */
  let epoch = 0;
  const digestOf = (studyUid: string) => hmac(indexKey, joined("study instance uid", studyUid));

  const load = async (studyUid: string): Promise<string> => {
    const digest = digestOf(studyUid);
    const begun = epoch;
    let kept = await keyStore.get(digest);
    if (kept === undefined) {
      const key = newKey(random);
      const studyToken = newToken(random);
      const wrappedKey = wrapKey({ tenant, tenantKey, purpose, token: studyToken, random }, key);
      kept = await keyStore.putIfAbsent(digest, { studyToken, wrappedKey });
      if (kept.studyToken === studyToken && begun === epoch) keys.put(studyToken, keyOf(key));
      key.fill(0);
    }
    if (begun === epoch) tokens.put(studyUid, kept.studyToken);
    return kept.studyToken;
  };

  const unwrapped = async (studyToken: string): Promise<KeyObject | undefined> => {
    const begun = epoch;
    const kept = await keyStore.byToken(studyToken);
    if (kept === undefined) return undefined;
    const key = keyOf(unwrapKey({ tenant, tenantKey, purpose, token: studyToken }, kept.wrappedKey));
    if (begun === epoch) keys.put(studyToken, key);
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
    tokenOf: async (studyUid) => tokens.get(studyUid) ?? (await keyStore.get(digestOf(studyUid)))?.studyToken,
    keyOf: (studyToken) => keys.get(studyToken) ?? unwrapped(studyToken),
    forget(studyToken) {
      epoch++;
      keys.delete(studyToken);
      // Which UID had the token is not kept; a UID that is asked for again reads the key store.
      tokens.clear();
    },
    wipe() {
      epoch++;
      keys.clear();
      tokens.clear();
    },
  };
}
