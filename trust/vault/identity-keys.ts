import type { KeyObject } from "node:crypto";
import { newToken, type Random } from "#base/id";
import { createKept } from "./kept.ts";
import type { KeyStore } from "./key-store.ts";
import type { TenantKeys } from "./keyring.ts";
import { aead, hkdf, hmac, joined, keyOf, newKey, openMessage, sealMessage } from "./primitives.ts";
import { brokenKey, unwrapKey, wrapKey } from "./wrapped-key.ts";

/**
 * The identity keys of studies: each is random and wrapped under the key of its patient, which is wrapped under the tenant's
 * identity key. Deleting a patient's key shreds the identity of all that patient's studies at once.
 */
export interface IdentityKeys {
  /**
   * Makes the study's identity key under the key of `patient` (any text that stands for one; made when it is new) unless the study
   * has one. Durable when it resolves.
   */
  ensure(studyToken: string, patient: string): Promise<void>;
  /** At once when it was used lately. Undefined when there is none (shredded, or never was). */
  keyOf(studyToken: string): StudyIdentity | undefined | Promise<StudyIdentity | undefined>;
  /** The token of the patient whose key holds the study's. */
  patientOf(studyToken: string): Promise<string | undefined>;
  /** Token of a patient that is known. */
  patientToken(patient: string): Promise<string | undefined>;
  /** Wraps a study's key under another patient's (a merge, a study that was moved). Durable when it resolves. */
  move(studyToken: string, patient: string): Promise<void>;
  forget(token: string): void;
  wipe(): void;
}

export interface StudyIdentity {
  /** For objects: identity halves. */
  readonly objects: KeyObject;
  /** For rows of the index. */
  readonly rows: KeyObject;
}

const keptMax = 8192;
const tenantKey = "identity key";
const purpose = "patient key";

export function createIdentityKeys(options: {
  keyStore: KeyStore;
  tenant: TenantKeys;
  indexKey: KeyObject;
  random: Random;
}): IdentityKeys {
  const { keyStore, tenant, indexKey, random } = options;
  const studies = createKept<StudyIdentity>(keptMax);
  const patients = createKept<KeyObject>(keptMax);
  const underWay = new Map<string, Promise<void>>();
  /** Raised by every `forget`: what was read before it is not kept. */
  let epoch = 0;
  const patientDigest = (patient: string) => hmac(indexKey, joined("patient", patient));
  const studyDigest = (studyToken: string) => hmac(indexKey, joined("identity of study", studyToken));

  const patientKey = async (token: string): Promise<KeyObject | undefined> => {
    const known = patients.get(token);
    if (known !== undefined) return known;
    const begun = epoch;
    const kept = await keyStore.byToken(token);
    if (kept === undefined) return undefined;
    const key = keyOf(unwrapKey({ tenant, tenantKey, purpose, token }, kept.wrappedKey));
    if (begun === epoch) patients.put(token, key);
    return key;
  };
  const makePatient = async (patient: string): Promise<string> => {
    const digest = patientDigest(patient);
    const standing = await keyStore.get(digest);
    if (standing !== undefined) return standing.studyToken;
    const token = newToken(random);
    const key = newKey(random);
    const wrappedKey = wrapKey({ tenant, tenantKey, purpose, token, random }, key);
    key.fill(0);
    return (await keyStore.putIfAbsent(digest, { studyToken: token, wrappedKey })).studyToken;
  };
  const wrapStudy = async (studyToken: string, patient: string, key: Buffer): Promise<Buffer> => {
    const token = await makePatient(patient);
    const under = await patientKey(token);
    if (under === undefined) throw brokenKey();
    const wrapping = wrappingKey(tenant, under, token, studyToken);
    const nonce = Buffer.alloc(aead.nonceBytes);
    random(nonce.subarray(aead.nonceBytes - nonceRandomBytes));
    const sealed = sealMessage(wrapping, nonce, studyContext(tenant, studyToken), key);
    wrapping.fill(0);
    return Buffer.concat([
      Buffer.from([format]),
      Buffer.from(token, "hex"),
      nonce.subarray(aead.nonceBytes - nonceRandomBytes),
      ...sealed,
    ]);
  };
  const make = async (studyToken: string, patient: string): Promise<void> => {
    const digest = studyDigest(studyToken);
    if ((await keyStore.get(digest)) !== undefined) return;
    const key = newKey(random);
    const wrappedKey = await wrapStudy(studyToken, patient, key);
    key.fill(0);
    await keyStore.putIfAbsent(digest, { studyToken, wrappedKey });
  };
  const unwrapStudy = async (studyToken: string): Promise<Buffer | undefined> => {
    const kept = await keyStore.byToken(studyToken);
    if (kept === undefined) return undefined;
    const wrapped = kept.wrappedKey;
    if (wrapped.length !== studyWrappedBytes || wrapped[0] !== format) throw brokenKey();
    const token = wrapped.toString("hex", 1, 17);
    const under = await patientKey(token);
    if (under === undefined) return undefined;
    const wrapping = wrappingKey(tenant, under, token, studyToken);
    const nonce = Buffer.alloc(aead.nonceBytes);
    wrapped.copy(nonce, aead.nonceBytes - nonceRandomBytes, 17, 17 + nonceRandomBytes);
    const context = studyContext(tenant, studyToken);
    const key = openMessage(wrapping, nonce, context, wrapped.subarray(17 + nonceRandomBytes));
    wrapping.fill(0);
    if (key === undefined) throw brokenKey();
    return key;
  };
  const load = async (studyToken: string): Promise<StudyIdentity | undefined> => {
    const begun = epoch;
    const key = await unwrapStudy(studyToken);
    if (key === undefined) return undefined;
    const part = (use: string) => keyOf(hkdf(key, tenant.id, joined("leadglass identity", use), aead.keyBytes));
    const identity = { objects: part("objects"), rows: part("index rows") };
    key.fill(0);
    if (begun === epoch) studies.put(studyToken, identity);
    return identity;
  };

  return {
    async ensure(studyToken, patient) {
      if (studies.get(studyToken) !== undefined) return;
      const pending = underWay.get(studyToken) ?? make(studyToken, patient).finally(() => underWay.delete(studyToken));
      underWay.set(studyToken, pending);
      await pending;
      await load(studyToken);
    },
    keyOf: (studyToken) => studies.get(studyToken) ?? load(studyToken),
    async patientOf(studyToken) {
      const kept = await keyStore.byToken(studyToken);
      return kept?.wrappedKey[0] === format ? kept.wrappedKey.toString("hex", 1, 17) : undefined;
    },
    patientToken: async (patient) => (await keyStore.get(patientDigest(patient)))?.studyToken,
    async move(studyToken, patient) {
      const standing = (await keyStore.byToken(studyToken))?.wrappedKey;
      const key = await unwrapStudy(studyToken);
      if (key === undefined) throw brokenKey();
      const wrappedKey = await wrapStudy(studyToken, patient, key);
      key.fill(0);
      // One that was shredded or moved meanwhile stays so.
      if (!(await keyStore.replace(studyToken, wrappedKey, standing))) throw brokenKey();
      epoch++;
      studies.delete(studyToken);
    },
    forget(token) {
      epoch++;
      patients.delete(token);
      // Whose studies these are is not kept here: all are read again.
      studies.clear();
    },
    wipe() {
      epoch++;
      studies.clear();
      patients.clear();
    },
  };
}

/*
 * A study's identity key under its patient's: format 2, the patient's token, 7 random bytes of nonce, ciphertext, tag. The wrapping key
 * belongs to this patient and study alone, so the nonce only tells one wrapping from the next.
 */
const format = 2;
const nonceRandomBytes = 7;
const studyWrappedBytes = 1 + 16 + nonceRandomBytes + aead.keyBytes + aead.tagBytes;

function wrappingKey(tenant: TenantKeys, patientKey: KeyObject, token: string, studyToken: string): Buffer {
  return hkdf(patientKey, tenant.id, joined("leadglass study identity", token, studyToken), aead.keyBytes);
}

const studyContext = (tenant: TenantKeys, studyToken: string) =>
  joined("leadglass study identity key", tenant.id, studyToken);
