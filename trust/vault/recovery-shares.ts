import { createHash } from "node:crypto";
import { combine, split } from "shamir-secret-sharing";
import { Problem } from "#base/problem";
import { crockford } from "./crockford.ts";

/*
 * A share as it is printed: 45 bytes in Crockford's base 32, 18 groups of four.
 *
 *     0  1  format: 1
 *     1  4  which kit: the first bytes of SHA-256 of the kit's public key
 *     5  1  number of the share, from 1
 *     6 33  the share (GF(2^8), one byte a secret byte, and the point)
 *    39  6  SHA-256 of what stands before, cut
 */
const format = 1;
const secretBytes = 32;
const shareBytes = secretBytes + 1;
const wholeBytes = 45;
const checkAt = wholeBytes - 6;

const sharesMade = 3;
const sharesNeeded = 2;

/** Three printable shares of a secret of 32 bytes; any two give it back, one says nothing of it. */
export async function splitSecret(secret: Uint8Array, kit: Uint8Array): Promise<readonly string[]> {
  // The library takes whole arrays of its own, no views.
  const own = Uint8Array.from(secret);
  const shares = await split(own, sharesMade, sharesNeeded);
  own.fill(0);
  return shares.map((share, at) => {
    const bytes = Buffer.alloc(wholeBytes);
    bytes[0] = format;
    bytes.set(kit.subarray(0, 4), 1);
    bytes[5] = at + 1;
    bytes.set(share, 6);
    bytes.set(checkOf(bytes), checkAt);
    share.fill(0);
    const text = crockford.encode(bytes);
    bytes.fill(0);
    return text;
  });
}

/**
 * The secret of two shares. Problem "invalid" for one that was mistyped, "conflict" for shares of different kits or of another kit than
 * `kit`. The caller wipes the secret.
 */
export async function combineShares(texts: readonly string[], kit: Uint8Array): Promise<Buffer> {
  const shares = texts.map(readShare);
  const [first, second] = shares;
  if (first === undefined || second === undefined || shares.length > sharesMade) {
    throw new Problem("invalid", `two shares are needed, ${shares.length} came`, {
      remedy: "give any two of the kit's three shares, one a line",
    });
  }
  if (shares.some((share) => !share.kit.equals(first.kit))) {
    throw new Problem("conflict", "these shares are of different recovery kits", {
      remedy: "take two shares that begin with the same eight letters",
    });
  }
  if (new Set(shares.map(({ number }) => number)).size < shares.length) {
    throw new Problem("invalid", "this is the same share twice", { remedy: "give two shares with different numbers" });
  }
  if (!first.kit.equals(kit.subarray(0, 4))) {
    throw new Problem("conflict", "these shares are of another recovery kit than the one this home knows", {
      remedy: "a newer kit was made, or the shares are another home's",
    });
  }
  const secret = await combine(shares.map(({ share }) => share));
  for (const { share } of shares) share.fill(0);
  const own = Buffer.from(secret);
  secret.fill(0);
  return own;
}

interface Share {
  readonly kit: Buffer;
  readonly number: number;
  readonly share: Uint8Array<ArrayBuffer>;
}

function readShare(text: string, at: number): Share {
  const bytes = crockford.decode(text);
  const isRight =
    bytes?.length === wholeBytes && bytes[0] === format && checkOf(bytes).equals(bytes.subarray(checkAt, wholeBytes));
  if (bytes === undefined || !isRight) {
    throw new Problem("invalid", `share ${at + 1} as it was typed is not a share: a letter is wrong or missing`, {
      remedy: "a share has 18 groups of four letters; compare it with the print, group by group",
    });
  }
  const share = Uint8Array.from(bytes.subarray(6, 6 + shareBytes));
  return { kit: Buffer.from(bytes.subarray(1, 5)), number: bytes[5] ?? 0, share };
}

function checkOf(bytes: Buffer): Buffer {
  return createHash("sha256")
    .update(bytes.subarray(0, checkAt))
    .digest()
    .subarray(0, wholeBytes - checkAt);
}
