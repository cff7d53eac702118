import { argon2 } from "node:crypto";
import type { Random } from "#base/id";
import { Problem } from "#base/problem";
import { aead, joined, openMessage, sealMessage } from "./primitives.ts";

/**
 * The key above all keys. It never leaves what holds it: it is asked to wrap and unwrap, so that a PKCS#11 token or a key
 * service can stand here as well as a passphrase.
 */
export interface RootKey {
  /** What the keyring keeps in the clear, to make the same root key again. */
  readonly settings: RootKeySettings;
  wrap(key: Uint8Array, context: string): Promise<Buffer>;
  /** Undefined when it was not wrapped under this root key for this context. */
  unwrap(wrapped: Uint8Array, context: string): Promise<Buffer | undefined>;
  wipe(): void;
}

export interface RootKeySettings {
  readonly kind: "passphrase";
  readonly argon2id: Argon2Cost;
  /** Hexadecimal. */
  readonly salt: string;
}

export interface Argon2Cost {
  readonly memoryKiB: number;
  readonly passes: number;
  readonly lanes: number;
}

/**
 * OWASP's first choice for argon2id, some 90 ms here. The passphrase that we make has 160 random bits, which no attacker
 * tries through at any cost; this is for those that people choose, without making every start slow.
 */
export const usualCost: Argon2Cost = { memoryKiB: 47104, passes: 1, lanes: 1 };

const costMax = { memoryKiB: 4 * 1024 * 1024, passes: 64, lanes: 64 };

export async function passphraseRootKey(options: {
  passphrase: string;
  random: Random;
  settings?: RootKeySettings;
  cost?: Argon2Cost;
}): Promise<RootKey> {
  const { passphrase, random } = options;
  const settings = options.settings ?? {
    kind: "passphrase",
    argon2id: options.cost ?? usualCost,
    salt: Buffer.from(random(Buffer.alloc(16))).toString("hex"),
  };
  const key = await stretch(settle(passphrase), settings);
  return {
    settings,
    async wrap(secret, context) {
      const nonce = random(Buffer.alloc(aead.nonceBytes));
      return Buffer.concat([nonce, ...sealMessage(key, nonce, joined("leadglass root", context), secret)]);
    },
    async unwrap(wrapped, context) {
      if (wrapped.length < aead.nonceBytes + aead.tagBytes) return undefined;
      const nonce = wrapped.subarray(0, aead.nonceBytes);
      return openMessage(key, nonce, joined("leadglass root", context), wrapped.subarray(aead.nonceBytes));
    },
    wipe: () => void key.fill(0),
  };
}

function stretch(passphrase: string, settings: RootKeySettings): Promise<Buffer> {
  const { memoryKiB: memory, passes, lanes: parallelism } = settings.argon2id;
  if (memory > costMax.memoryKiB || passes > costMax.passes || parallelism > costMax.lanes) {
    throw new Problem("invalid", "the keyring asks for an argon2id cost beyond reason");
  }
  const message = Buffer.from(passphrase, "utf8");
  const nonce = Buffer.from(settings.salt, "hex");
  return new Promise((resolve, reject) => {
    argon2("argon2id", { message, nonce, memory, passes, parallelism, tagLength: aead.keyBytes }, (error, key) =>
      error ? reject(error) : resolve(key),
    );
  });
}

const letters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/** 160 random bits as eight groups of four of Crockford's base 32, which has no letter that is taken for another. */
export function createPassphrase(random: Random): string {
  const bytes = random(new Uint8Array(20));
  let bits = 0n;
  for (const byte of bytes) bits = (bits << 8n) | BigInt(byte);
  const digits = Array.from({ length: 32 }, (_, i) => letters[Number((bits >> BigInt(5 * (31 - i))) & 31n)]);
  return digits.join("").replace(/(.{4})(?=.)/g, "$1-");
}

/** One of ours is read as people write it (case, spaces, O for 0); any other is taken as it is, without its line end. */
function settle(passphrase: string): string {
  const bare = passphrase.toUpperCase().replace(/[\s-]/g, "").replace(/O/g, "0").replace(/[IL]/g, "1");
  if (bare.length === 32 && [...bare].every((letter) => letters.includes(letter))) return bare;
  return passphrase.normalize("NFKC").replace(/[\r\n]+$/, "");
}

const passphraseLettersMin = 20;

/** Problem "invalid" for one that is too short to keep a thief out who has the keyring file. */
export function checkPassphrase(passphrase: string): void {
  if (settle(passphrase).length >= passphraseLettersMin) return;
  throw new Problem("invalid", `a passphrase has at least ${passphraseLettersMin} letters`, {
    remedy: "let `leadglass init` make one, or choose six random words",
  });
}
