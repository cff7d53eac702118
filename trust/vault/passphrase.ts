import { argon2 } from "node:crypto";
import type { Random } from "#base/id";
import { asProblem, Problem } from "#base/problem";
import { crockford } from "./crockford.ts";
import { aead, joined, openMessage, sealMessage } from "./primitives.ts";
import { anotherKind, type RootKey, type RootKeySettings, type RootKeySource } from "./root-key.ts";

export interface Argon2Cost {
  readonly memoryKiB: number;
  readonly passes: number;
  readonly lanes: number;
}

interface PassphraseSettings extends RootKeySettings {
  readonly kind: "passphrase";
  readonly argon2id: Argon2Cost;
  /** Hexadecimal. */
  readonly salt: string;
}

/**
 * OWASP's first choice for argon2id, some 90 ms here. The passphrase that we make has 160 random bits, which no attacker
 * tries through at any cost; this is for those that people choose, without making every start slow.
 */
const usualCost: Argon2Cost = { memoryKiB: 47104, passes: 1, lanes: 1 };

const costMax = { memoryKiB: 4 * 1024 * 1024, passes: 64, lanes: 64 };

/** A root key that is stretched from a passphrase. Problem "invalid" for a new one that is too short to keep a thief out. */
export function passphraseRoot(options: {
  /** Asked each time the root key is opened, so that no passphrase stays in memory. */
  readonly passphrase: string | (() => Promise<string>);
  readonly random: Random;
  readonly cost?: Argon2Cost;
}): RootKeySource {
  const { passphrase, random, cost = usualCost } = options;
  return async (kept) => {
    const text = typeof passphrase === "string" ? passphrase : await passphrase();
    if (kept === undefined) checkPassphrase(text);
    const salt = () => Buffer.from(random(Buffer.alloc(16))).toString("hex");
    const settings = kept === undefined ? { kind: "passphrase", argon2id: cost, salt: salt() } : checked(kept);
    const key = await stretch(settle(text), settings as PassphraseSettings).catch((error) => {
      throw asProblem(error, "stretching the passphrase as the keyring says");
    });
    return rootKeyOf(key, settings, random);
  };
}

function rootKeyOf(key: Buffer, settings: RootKeySettings, random: Random): RootKey {
  let isClosed = false;
  const checkOpen = () => {
    if (isClosed) throw new Problem("unavailable", "the root key is closed");
  };
  return {
    settings,
    async wrap(secret, context) {
      checkOpen();
      const nonce = random(Buffer.alloc(aead.nonceBytes));
      return Buffer.concat([nonce, ...sealMessage(key, nonce, joined("leadglass root", context), secret)]);
    },
    async unwrap(wrapped, context) {
      checkOpen();
      if (wrapped.length < aead.nonceBytes + aead.tagBytes) return undefined;
      const nonce = wrapped.subarray(0, aead.nonceBytes);
      return openMessage(key, nonce, joined("leadglass root", context), wrapped.subarray(aead.nonceBytes));
    },
    async close() {
      isClosed = true;
      key.fill(0);
    },
  };
}

function checked(settings: RootKeySettings): PassphraseSettings {
  const { kind, argon2id: cost, salt } = settings as Partial<PassphraseSettings>;
  if (kind !== "passphrase") throw anotherKind(settings, "passphrase");
  const costs = [cost?.memoryKiB, cost?.passes, cost?.lanes];
  const isWhole = typeof salt === "string" && costs.every((value) => Number.isSafeInteger(value) && Number(value) > 0);
  if (!isWhole) throw new Problem("damaged", "the keyring does not say how its passphrase is stretched");
  return settings as PassphraseSettings;
}

function stretch(passphrase: string, settings: PassphraseSettings): Promise<Buffer> {
  const { memoryKiB: memory, passes, lanes: parallelism } = settings.argon2id;
  if (memory > costMax.memoryKiB || passes > costMax.passes || parallelism > costMax.lanes) {
    throw new Problem("invalid", "the keyring asks for an argon2id cost beyond reason");
  }
  const message = Buffer.from(passphrase, "utf8");
  const nonce = Buffer.from(settings.salt, "hex");
  return new Promise((resolve, reject) => {
    argon2("argon2id", { message, nonce, memory, passes, parallelism, tagLength: aead.keyBytes }, (error, key) => {
      message.fill(0);
      if (error) reject(error);
      else resolve(key);
    });
  });
}

/** 160 random bits as eight groups of four of Crockford's base 32. */
export function createPassphrase(random: Random): string {
  return crockford.encode(random(new Uint8Array(20)));
}

/** One of ours is read as people write it (case, spaces, O for 0); any other is taken as it is, without its line end. */
function settle(passphrase: string): string {
  const bare = crockford.bare(passphrase);
  if (bare?.length === 32) return bare;
  return passphrase.normalize("NFKC").replace(/[\r\n]+$/, "");
}

const passphraseLettersMin = 20;

function checkPassphrase(passphrase: string): void {
  if (settle(passphrase).length >= passphraseLettersMin) return;
  throw new Problem("invalid", `a passphrase has at least ${passphraseLettersMin} letters`, {
    remedy: "let Leadglass make one, or choose six random words",
  });
}
