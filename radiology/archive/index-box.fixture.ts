import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createSecretKey,
  type KeyObject,
  randomBytes,
} from "node:crypto";
import { Problem } from "#base/problem";
import type { IdentityValues, IndexBox, SealedIdentity } from "#trust/vault";

/** A real index box (AES-256-GCM, HMAC-SHA-256) with keys made of a fixed text, for tests of what stands on it. */
export interface TestIndexBox extends IndexBox {
  /** What a row says; throws when its study was shredded. */
  open(identity: SealedIdentity): IdentityValues;
  shred(studyToken: string): void;
  /** Token of the patient under whose key the study's identity lies: one of its own until `move`. */
  patientIn(studyToken: string): string;
  move(studyToken: string, patientToken: string): void;
  /** How many rows were opened by now. */
  readonly openedCount: number;
}

const nonceBytes = 12;
const tagBytes = 16;
const keyOf = (text: string) => createSecretKey(createHash("sha256").update(`test index box ${text}`).digest());

function seal(key: KeyObject, context: string, plain: Uint8Array): Buffer {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(Buffer.from(context));
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

function unseal(key: KeyObject, context: string, sealed: Uint8Array): Buffer {
  try {
    const decipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(0, nonceBytes))
      .setAAD(Buffer.from(context))
      .setAuthTag(sealed.subarray(-tagBytes));
    return Buffer.concat([decipher.update(sealed.subarray(nonceBytes, -tagBytes)), decipher.final()]);
  } catch (cause) {
    throw new Problem("damaged", "sealed bytes of the index failed their proof", { cause });
  }
}

export function createTestIndexBox(): TestIndexBox {
  const shredded = new Set<string>();
  const studyKeys = new Map<string, KeyObject>();
  const patients = new Map<string, string>();
  const [digestKey, blockKey] = [keyOf("digests"), keyOf("blocks")];
  let openedCount = 0;
  const patientIn = (studyToken: string) =>
    patients.get(studyToken) ?? createHash("sha256").update(`patient of ${studyToken}`).digest("hex").slice(0, 32);
  const studyKey = (studyToken: string): KeyObject => {
    const known = studyKeys.get(studyToken) ?? keyOf(`study ${studyToken}`);
    studyKeys.set(studyToken, known);
    return known;
  };
  const sealRow = (studyToken: string, values: IdentityValues): Uint8Array => {
    if (shredded.has(studyToken)) throw new Problem("absent", "the key of this study is not there");
    return seal(studyKey(studyToken), studyToken, Buffer.from(JSON.stringify(values)));
  };
  const open = ({ studyToken, sealed }: SealedIdentity): IdentityValues => {
    if (shredded.has(studyToken)) throw new Problem("absent", "the key of this study is not there");
    openedCount++;
    return JSON.parse(unseal(studyKey(studyToken), studyToken, sealed).toString()) as IdentityValues;
  };
  return {
    digest: (kind, text) => createHmac("sha256", digestKey).update(`${kind}\0`).update(text).digest(),
    patientOf: async (studyToken) => patientIn(studyToken),
    patientIn,
    sealIdentity: async (studyToken, values) => sealRow(studyToken, values),
    examine: async (identities, passes) =>
      identities.map((identity, at) => !shredded.has(identity.studyToken) && passes(open(identity), at)),
    async amend(identity, change) {
      const changed = change(open(identity));
      return changed && sealRow(identity.studyToken, changed);
    },
    sealBlock: (context, plain) => seal(blockKey, context, plain),
    openBlock: (context, sealed) => unseal(blockKey, context, sealed),
    open,
    shred: (studyToken) => void shredded.add(studyToken),
    move: (studyToken, patientToken) => void patients.set(studyToken, patientToken),
    get openedCount() {
      return openedCount;
    },
  };
}
