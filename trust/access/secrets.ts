import { argon2, createHash, timingSafeEqual } from "node:crypto";
import type { Random } from "#base/id";

/** OWASP's minimum for argon2id: 19 MiB, two passes, one lane. Written into each hash, so it can be raised later. */
const cost = { memoryKib: 19_456, passes: 2, lanes: 1 };
const tagBytes = 32;

/** A password as `$argon2id$m=…,t=…,p=…$salt$tag`. */
export async function hashPassword(password: string, random: Random): Promise<string> {
  const salt = Buffer.from(random(new Uint8Array(16)));
  const tag = await derive(password, salt, cost);
  const { memoryKib, passes, lanes } = cost;
  return `$argon2id$v=19$m=${memoryKib},t=${passes},p=${lanes}$${salt.toString("base64")}$${tag.toString("base64")}`;
}

export async function passwordMatches(password: string, encoded: string): Promise<boolean> {
  const found = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([^$]+)\$([^$]+)$/.exec(encoded);
  if (found === null) return false;
  const [, memory, passes, lanes, salt = "", tag = ""] = found;
  const expected = Buffer.from(tag, "base64");
  const actual = await derive(password, Buffer.from(salt, "base64"), {
    memoryKib: Number(memory),
    passes: Number(passes),
    lanes: Number(lanes),
  });
  return actual.length === expected.length && timingSafeEqual(actual, expected);
}

function derive(password: string, salt: Buffer, at: typeof cost): Promise<Buffer> {
  const message = Buffer.from(password.normalize("NFKC"), "utf8");
  return new Promise((resolve, reject) => {
    argon2(
      "argon2id",
      { message, nonce: salt, parallelism: at.lanes, tagLength: tagBytes, memory: at.memoryKib, passes: at.passes },
      (error, tag) => {
        message.fill(0);
        if (error) reject(error);
        else resolve(tag);
      },
    );
  });
}

/** 256 random bits, base64url: a session's or a token's secret. */
export function newSecret(random: Random): string {
  return Buffer.from(random(new Uint8Array(32))).toString("base64url");
}

/** What is kept of a secret that has full entropy: its SHA-256, hex. */
export function digestOf(secret: string): string {
  return createHash("sha256").update(secret, "utf8").digest("hex");
}

/** Recovery codes: 80 bits each in four groups of Crockford base32, for reading aloud and typing. */
export function newRecoveryCode(random: Random): string {
  const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  const letters = Array.from(random(new Uint8Array(16)), (byte) => alphabet[byte & 31]).join("");
  return letters.match(/.{4}/g)?.join("-") ?? "";
}

/** The same code however it was typed. */
export function recoveryCodeDigest(typed: string): string {
  return digestOf(typed.toUpperCase().replace(/[^0-9A-Z]/g, ""));
}
