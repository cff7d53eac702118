import { Problem } from "#base/problem";
import { aead } from "#trust/vault";
import { pointBytes } from "./hpke.ts";

/*
 * A parcel: header, frames in a row, nothing behind the tail. docs/decisions/0028-parcels.md has it byte by byte.
 *
 *   header  0   4  "LGPC"
 *           4   1  version, 1
 *           5   1  suite, 1: HPKE base, DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, export only; frames AES-256-GCM
 *           6   8  id of the key that it is sealed to: first bytes of SHA-256 of the public key
 *          14  32  enc
 *   frame   0   1  kind: 1 head, 2 content, 3 tail
 *           1   3  length of what is sealed in it, big endian
 *           4   n  ciphertext, then 16 bytes of tag
 */
const magic = Buffer.from("LGPC", "latin1");
const version = 1;
const suite = 1;
const keyIdAt = magic.length + 2;
const keyIdBytes = 8;

/** What stands before `enc`, and is bound into HPKE's `info`. */
export const prefixBytes = keyIdAt + keyIdBytes;
export const headerBytes = prefixBytes + pointBytes;
export const frameHeadBytes = 4;
export const contentBytesMost = 64 * 1024;
/** Of a head and of a tail. */
export const endBytesMost = 16 * 1024;

export type FrameKind = "head" | "content" | "tail";
const kinds: readonly FrameKind[] = ["head", "content", "tail"];

export interface FrameHead {
  readonly kind: FrameKind;
  readonly length: number;
}

export function encodePrefix(keyId: string): Buffer {
  return Buffer.concat([magic, Buffer.of(version, suite), Buffer.from(keyId, "hex")]);
}

/** The id of the key that a parcel is sealed to. */
export function keyIdIn(header: Buffer): string {
  if (!header.subarray(0, magic.length).equals(magic)) throw new Problem("damaged", "this is no parcel");
  if (header[magic.length] !== version || header[magic.length + 1] !== suite)
    throw new Problem("unsupported", "this parcel is of another version", {
      remedy: "bring both ends to the same release",
    });
  return header.toString("hex", keyIdAt, prefixBytes);
}

export function encodeFrameHead({ kind, length }: FrameHead): Buffer {
  const head = Buffer.alloc(frameHeadBytes);
  head.writeUInt8(kinds.indexOf(kind) + 1);
  head.writeUIntBE(length, 1, 3);
  return head;
}

/** Undefined when no sealer writes such a frame. */
export function decodeFrameHead(head: Buffer): FrameHead | undefined {
  const kind = kinds[head.readUInt8(0) - 1];
  if (kind === undefined) return undefined;
  const length = head.readUIntBE(1, 3);
  if (kind !== "content") return length <= endBytesMost ? { kind, length } : undefined;
  return length > 0 && length <= contentBytesMost ? { kind, length } : undefined;
}

/** STREAM (Hoang, Reyhanitabar, Rogaway, Vizár 2015): where a frame stands, and whether it is the last, is in its nonce. */
export function frameNonce(kind: FrameKind, index: number): Buffer {
  const nonce = Buffer.alloc(aead.nonceBytes);
  nonce.writeUInt8(kinds.indexOf(kind) + 1);
  nonce.writeUIntBE(index, nonce.length - 6, 6);
  return nonce;
}

/** What HPKE binds its secret to: who we are, and all of the header that it does not bind itself. */
export function bindingOf(prefix: Uint8Array): { readonly info: Buffer; readonly exporter: Buffer } {
  return {
    info: Buffer.concat([Buffer.from("leadglass parcel ", "latin1"), prefix]),
    exporter: Buffer.from("leadglass parcel 1 frames aes-256-gcm", "latin1"),
  };
}
