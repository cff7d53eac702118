import type { KeyObject } from "node:crypto";
import type { Random } from "#base/id";
import { Problem } from "#base/problem";
import type { IdentityValues, IndexBox, SealedIdentity } from "./identity.ts";
import type { IdentityKeys, StudyIdentity } from "./identity-keys.ts";
import { createKept } from "./kept.ts";
import type { TenantKeys } from "./keyring.ts";
import { aead, hkdf, hmac, joined, keyOf, openMessage, sealMessage } from "./primitives.ts";

/*
 * A row: format 1, nonce of 12 random bytes, ciphertext of its values as JSON filled up to a multiple of 128 bytes, tag, under the
 * study's key for rows: far below 2^32 rows a key.
 * A block: format 1, salt of 16 bytes (random, one a start of the program), nonce of 12 random bytes, ciphertext, tag, under
 * HKDF(index key, salt): what one run of the program writes has a key of its own, so random nonces do not run out.
 */
const format = 1;
const saltBytes = 16;
/** Measured in docs/decisions/0008: unpadded, lengths gave away ten times as many names as guessing does. */
const rowsFilledTo = 128;
const rowHeadBytes = 1 + aead.nonceBytes;
const blockHeadBytes = 1 + saltBytes + aead.nonceBytes;

interface Parts {
  readonly tenant: TenantKeys;
  readonly identityKeys: IdentityKeys;
}

function rowContext(tenant: TenantKeys, studyToken: string): Buffer {
  return joined("leadglass index row", tenant.id, studyToken);
}

function openRowWith(key: StudyIdentity, tenant: TenantKeys, { studyToken, sealed }: SealedIdentity): IdentityValues {
  const plain =
    sealed.length >= rowHeadBytes && sealed[0] === format
      ? openMessage(
          key.rows,
          sealed.subarray(1, rowHeadBytes),
          rowContext(tenant, studyToken),
          sealed.subarray(rowHeadBytes),
        )
      : undefined;
  if (plain === undefined) {
    throw new Problem("damaged", "a row of the index failed its proof", {
      remedy: "make the index again with `leadglass vault rebuild`",
    });
  }
  const values = JSON.parse(plain.toString("utf8")) as IdentityValues;
  plain.fill(0);
  return values;
}

export async function openRow({ tenant, identityKeys }: Parts, identity: SealedIdentity): Promise<IdentityValues> {
  const key = await identityKeys.keyOf(identity.studyToken);
  if (key === undefined) throw shredded();
  return openRowWith(key, tenant, identity);
}

/** Filled up with blanks, which JSON passes over, so that a row's length does not tell how long a name is. */
function paddedText(text: string): Buffer {
  const bytes = Math.ceil(Buffer.byteLength(text) / rowsFilledTo) * rowsFilledTo;
  const plain = Buffer.alloc(bytes, " ");
  plain.write(text);
  return plain;
}

function shredded(): Problem {
  return new Problem("absent", "the key of this study is not there");
}

export function createIndexBox(parts: Parts & { readonly indexKey: KeyObject; readonly random: Random }): IndexBox {
  const { tenant, identityKeys, indexKey, random } = parts;
  const digestKey = keyOf(hkdf(indexKey, tenant.id, joined("leadglass index digests"), aead.keyBytes));
  const blockKeys = createKept<KeyObject>(1024);
  const ownSalt = Buffer.from(random(Buffer.alloc(saltBytes)));

  const blockKey = (salt: Buffer): KeyObject => {
    const name = salt.toString("hex");
    const known = blockKeys.get(name);
    if (known !== undefined) return known;
    const key = keyOf(hkdf(indexKey, salt, joined("leadglass index blocks", tenant.id), aead.keyBytes));
    blockKeys.put(name, key);
    return key;
  };
  const sealWith = (key: StudyIdentity, studyToken: string, values: IdentityValues): Uint8Array => {
    const plain = paddedText(JSON.stringify(values));
    const nonce = random(Buffer.alloc(aead.nonceBytes));
    const sealed = sealMessage(key.rows, nonce, rowContext(tenant, studyToken), plain);
    plain.fill(0);
    return Buffer.concat([Buffer.from([format]), nonce, ...sealed]);
  };

  return {
    digest: (kind, text) => hmac(digestKey, joined(kind, text)),
    patientOf: identityKeys.patientOf,
    async sealIdentity(studyToken, values) {
      const found = identityKeys.keyOf(studyToken);
      const key = found instanceof Promise ? await found : found;
      if (key === undefined) throw shredded();
      return sealWith(key, studyToken, values);
    },
    async examine(identities, passes) {
      const keys = identities.map(({ studyToken }) => identityKeys.keyOf(studyToken));
      const arrived = keys.some((key) => key instanceof Promise) ? await Promise.all(keys) : keys;
      return identities.map((identity, at) => {
        const key = arrived[at] as StudyIdentity | undefined;
        return key !== undefined && passes(openRowWith(key, tenant, identity), at);
      });
    },
    async amend(identity, change) {
      const key = await identityKeys.keyOf(identity.studyToken);
      if (key === undefined) throw shredded();
      const changed = change(openRowWith(key, tenant, identity));
      return changed === undefined ? undefined : sealWith(key, identity.studyToken, changed);
    },
    sealBlock(context, plain) {
      const nonce = random(Buffer.alloc(aead.nonceBytes));
      const sealed = sealMessage(blockKey(ownSalt), nonce, joined("leadglass index block", tenant.id, context), plain);
      return Buffer.concat([Buffer.from([format]), ownSalt, nonce, ...sealed]);
    },
    openBlock(context, sealed) {
      const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.length);
      const plain =
        bytes.length >= blockHeadBytes && bytes[0] === format
          ? openMessage(
              blockKey(bytes.subarray(1, 1 + saltBytes)),
              bytes.subarray(1 + saltBytes, blockHeadBytes),
              joined("leadglass index block", tenant.id, context),
              bytes.subarray(blockHeadBytes),
            )
          : undefined;
      if (plain !== undefined) return plain;
      throw new Problem("damaged", "a block of the index failed its proof", {
        remedy: "make the index again with `leadglass vault rebuild`",
      });
    },
  };
}
