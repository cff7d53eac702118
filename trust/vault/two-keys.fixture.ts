// One message that AES-GCM opens under two keys (Dodis, Grubbs, Ristenpart, Woodage 2018): what a key commitment is for. A tag is linear
// in each block, so that one free block can be solved for, to give the same tag under both keys.
import { createCipheriv, type KeyObject } from "node:crypto";

/** An element of GF(2^128) as GCM writes it (SP 800-38D §6.3): four words, the first bit is that of x^0. */
type Element = readonly [number, number, number, number];

const zero: Element = [0, 0, 0, 0];
const one: Element = [0x80000000, 0, 0, 0];

const plus = (a: Element, b: Element): Element => [a[0] ^ b[0], a[1] ^ b[1], a[2] ^ b[2], a[3] ^ b[3]];

function times(a: Element, b: Element): Element {
  let [z0, z1, z2, z3] = zero;
  let [v0, v1, v2, v3] = b;
  for (const word of a) {
    for (let bit = 31; bit >= 0; bit--) {
      if ((word >>> bit) & 1) {
        z0 ^= v0;
        z1 ^= v1;
        z2 ^= v2;
        z3 ^= v3;
      }
      const carry = v3 & 1;
      v3 = (v3 >>> 1) | (v2 << 31);
      v2 = (v2 >>> 1) | (v1 << 31);
      v1 = (v1 >>> 1) | (v0 << 31);
      v0 >>>= 1;
      if (carry) v0 ^= 0xe1000000;
    }
  }
  return [z0, z1, z2, z3];
}

function power(base: Element, exponent: number): Element {
  let result = one;
  for (let square = base, left = exponent; left > 0; left >>>= 1, square = times(square, square)) {
    if (left & 1) result = times(result, square);
  }
  return result;
}

/** By Fermat: x^(2^128 - 2). */
function inverse(of: Element): Element {
  let result = one;
  let square = of;
  for (let bit = 1; bit < 128; bit++) {
    square = times(square, square);
    result = times(result, square);
  }
  return result;
}

function elementAt(bytes: Buffer, at: number): Element {
  const word = (index: number) => bytes.readUInt32BE(at + 4 * index);
  return [word(0), word(1), word(2), word(3)];
}

function bytesOf(element: Element): Buffer {
  const bytes = Buffer.alloc(16);
  for (const [index, word] of element.entries()) bytes.writeUInt32BE(word >>> 0, 4 * index);
  return bytes;
}

function encrypted(key: KeyObject, block: Buffer): Element {
  const cipher = createCipheriv("aes-256-ecb", key, null).setAutoPadding(false);
  return elementAt(cipher.update(block), 0);
}

const padded = (bytes: Buffer) => Buffer.concat([bytes, Buffer.alloc(-bytes.length & 15)]);

/** What GHASH runs over: additional data, ciphertext, their lengths in bits. */
function hashed(additional: Buffer, ciphertext: Buffer): Buffer {
  const lengths = Buffer.alloc(16);
  lengths.writeUInt32BE(additional.length * 8, 4);
  lengths.writeUInt32BE(ciphertext.length * 8, 12);
  return Buffer.concat([padded(additional), padded(ciphertext), lengths]);
}

function tagOf(key: KeyObject, nonce: Buffer, blocks: Buffer): Element {
  const h = encrypted(key, Buffer.alloc(16));
  let sum = zero;
  for (let at = 0; at < blocks.length; at += 16) sum = times(plus(sum, elementAt(blocks, at)), h);
  return plus(sum, encrypted(key, Buffer.concat([nonce, Buffer.from([0, 0, 0, 1])])));
}

/**
 * Overwrites the first whole block at or behind `free` (counted over additional data, or over the ciphertext, as `inside` says) and
 * gives the tag that then holds under both keys.
 */
export function tagUnderBoth(
  keys: readonly [KeyObject, KeyObject],
  nonce: Buffer,
  message: { readonly additional: Buffer; readonly ciphertext: Buffer },
  inside: "additional" | "ciphertext",
  free: number,
): Buffer {
  const { additional, ciphertext } = message;
  const at = Math.ceil(free / 16) * 16;
  const target = message[inside];
  if (at + 16 > target.length) throw new RangeError("no whole block is free there");
  target.fill(0, at, at + 16);
  const before = inside === "ciphertext" ? padded(additional).length : 0;
  const blocks = hashed(additional, ciphertext);
  const exponent = (blocks.length - before - at) / 16;
  const [one, other] = keys.map((key) => ({
    tag: tagOf(key, nonce, blocks),
    factor: power(encrypted(key, Buffer.alloc(16)), exponent),
  })) as [{ tag: Element; factor: Element }, { tag: Element; factor: Element }];
  const block = times(plus(one.tag, other.tag), inverse(plus(one.factor, other.factor)));
  bytesOf(block).copy(target, at);
  return bytesOf(plus(one.tag, times(block, one.factor)));
}
