import { crc32 } from "node:zlib";
import { joined } from "./primitives.ts";

/*
 * Sealed object, format 1. docs/decisions/0002-sealed-objects.md explains every byte.
 *
 *   header | data frame × n | record frame | footer          all integers big endian
 *
 * Everything here can be read without a key; nothing here says what the object is.
 */

const headerMagic = Buffer.from("8b4c474f424a0d0a", "hex");
const footerMagic = Buffer.from("8b4c47454e440d0a", "hex");
export const magics = { header: headerMagic, footer: footerMagic } as const;

/** Bytes of plain text in a segment; the last one of an object may hold fewer. */
export const segmentBytes = 128 * 1024;
const segmentBits = 17;
export const tagBytes = 16;
export const headBytes = 16;
export const headerBytes = 128;
export const footerBytes = 164;
export const recordBytesMax = 1024 * 1024;
/** From one data frame to the next. */
export const frameStride = headBytes + segmentBytes + tagBytes;

/** The two halves of an instance: two parts, under keys of two hierarchies, in two stores. */
export type Half = "image" | "identity";

export const partOf: Readonly<Record<Half, number>> = { image: 1, identity: 2 };

/** Who an object is, as its header and its footer both say in the clear. */
export interface ObjectIdentity {
  readonly part: number;
  /** Version of the object, not of the format. One so far: a correction is an object of its own. */
  readonly version: number;
  readonly studyToken: string;
  readonly id: string;
  /** 32 random bytes: the salt of the object's own key. */
  readonly nonce: Buffer;
  /** What the right study key must give again before anything is opened. */
  readonly commitment: Buffer;
}

export interface Header extends ObjectIdentity {
  /** Everything in the pack before this position was on stable storage when the header was written. */
  readonly provenTo: number;
}

export interface Footer extends ObjectIdentity {
  /** From the first byte of the header to the first byte of the footer. */
  readonly bodyBytes: number;
  readonly sizeBytes: number;
  readonly recordBytes: number;
  readonly tag: Buffer;
  /** The bytes that the tag proves. */
  readonly proven: Buffer;
}

const identityBytes = 112;

function writeIdentity(into: Buffer, identity: ObjectIdentity): void {
  headerMagic.copy(into, 0);
  into[8] = 1; // format
  into[9] = 1; // AES-256-GCM, HKDF-SHA-256
  into[10] = segmentBits;
  into[11] = identity.part;
  into.writeUInt32BE(identity.version, 12);
  into.write(identity.studyToken, 16, 16, "hex");
  into.write(identity.id, 32, 16, "hex");
  identity.nonce.copy(into, 48);
  identity.commitment.copy(into, 80);
}

function readIdentity(from: Buffer): ObjectIdentity | undefined {
  if (from.compare(headerMagic, 0, 8, 0, 8) !== 0) return undefined;
  if (from[8] !== 1 || from[9] !== 1 || from[10] !== segmentBits) return undefined;
  return {
    part: from[11] ?? 0,
    version: from.readUInt32BE(12),
    studyToken: from.toString("hex", 16, 32),
    id: from.toString("hex", 32, 48),
    nonce: Buffer.from(from.subarray(48, 80)),
    commitment: Buffer.from(from.subarray(80, 112)),
  };
}

export function encodeHeader(header: Header): Buffer {
  const bytes = Buffer.alloc(headerBytes);
  writeIdentity(bytes, header);
  bytes.writeBigUInt64BE(BigInt(header.provenTo), 112);
  bytes.writeUInt32BE(crc32(bytes.subarray(0, 124)), 124);
  return bytes;
}

/** Undefined when these bytes are not a whole, undamaged header. */
export function decodeHeader(bytes: Buffer): Header | undefined {
  if (bytes.length < headerBytes || crc32(bytes.subarray(0, 124)) !== bytes.readUInt32BE(124)) return undefined;
  const identity = readIdentity(bytes);
  return identity && { ...identity, provenTo: Number(bytes.readBigUInt64BE(112)) };
}

const dataKind = 0x44534547; // "DSEG"
const recordKind = 0x44524543; // "DREC"

export interface FrameHead {
  readonly kind: "data" | "record";
  /** Of what follows the head: ciphertext and tag. */
  readonly sealedBytes: number;
  readonly index: number;
}

/** The check covers the object's id, so that a frame another object left behind is never taken for one of this object. */
function frameCheck(head: Buffer, id: Uint8Array): number {
  return crc32(id, crc32(head.subarray(0, 12)));
}

export function encodeFrameHead(frame: FrameHead, id: Uint8Array): Buffer {
  const head = Buffer.alloc(headBytes);
  head.writeUInt32BE(frame.kind === "data" ? dataKind : recordKind, 0);
  head.writeUInt32BE(frame.sealedBytes, 4);
  head.writeUInt32BE(frame.index, 8);
  head.writeUInt32BE(frameCheck(head, id), 12);
  return head;
}

export function decodeFrameHead(head: Buffer, id: Uint8Array): FrameHead | undefined {
  if (head.length < headBytes || frameCheck(head, id) !== head.readUInt32BE(12)) return undefined;
  const kind = head.readUInt32BE(0);
  if (kind !== dataKind && kind !== recordKind) return undefined;
  const sealedBytes = head.readUInt32BE(4);
  const most = (kind === dataKind ? segmentBytes : recordBytesMax) + tagBytes;
  if (sealedBytes < tagBytes || sealedBytes > most) return undefined;
  return { kind: kind === dataKind ? "data" : "record", sealedBytes, index: head.readUInt32BE(8) };
}

/** The part of a footer that its tag proves. */
export function footerProven(footer: Omit<Footer, "tag" | "proven">): Buffer {
  const bytes = Buffer.alloc(32 + identityBytes);
  footerMagic.copy(bytes, 0);
  bytes.writeBigUInt64BE(BigInt(footer.bodyBytes), 8);
  bytes.writeBigUInt64BE(BigInt(footer.sizeBytes), 16);
  bytes.writeUInt32BE(footer.recordBytes, 24);
  writeIdentity(bytes.subarray(32), footer);
  return bytes;
}

export function encodeFooter(proven: Buffer, tag: Buffer): Buffer {
  const bytes = Buffer.alloc(footerBytes);
  proven.copy(bytes, 0);
  tag.copy(bytes, 144);
  bytes.writeUInt32BE(crc32(bytes.subarray(0, 160)), 160);
  return bytes;
}

/** Undefined when these bytes are not a whole, undamaged footer whose lengths agree. */
export function decodeFooter(bytes: Buffer): Footer | undefined {
  if (bytes.length < footerBytes || bytes.compare(footerMagic, 0, 8, 0, 8) !== 0) return undefined;
  if (crc32(bytes.subarray(0, 160)) !== bytes.readUInt32BE(160)) return undefined;
  const identity = readIdentity(bytes.subarray(32, 144));
  if (identity === undefined) return undefined;
  const bodyBytes = Number(bytes.readBigUInt64BE(8));
  const sizeBytes = Number(bytes.readBigUInt64BE(16));
  const recordBytes = bytes.readUInt32BE(24);
  if (!Number.isSafeInteger(sizeBytes) || recordBytes > recordBytesMax) return undefined;
  if (bodyBytes !== bodyBytesOf(sizeBytes, recordBytes)) return undefined;
  const proven = Buffer.from(bytes.subarray(0, 144));
  return { ...identity, bodyBytes, sizeBytes, recordBytes, tag: Buffer.from(bytes.subarray(144, 160)), proven };
}

export function segmentCount(sizeBytes: number): number {
  return Math.ceil(sizeBytes / segmentBytes);
}

export function bodyBytesOf(sizeBytes: number, recordBytes: number): number {
  const overhead = headBytes + tagBytes;
  return headerBytes + segmentCount(sizeBytes) * overhead + sizeBytes + overhead + recordBytes;
}

/**
 * Nonce of a frame: seven zeros, the counter, what it is (STREAM). The key is the object's alone and every (counter, kind)
 * is used once, so no nonce repeats under a key.
 */
export function frameNonce(kind: "data" | "record" | "footer", index: number): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeUInt32BE(index, 7);
  nonce[11] = kind === "data" ? 0 : kind === "footer" ? 1 : 2;
  return nonce;
}

/** What every frame of an object is bound to besides its key, and what its key is derived for. */
export function objectContext(tenantId: Uint8Array, identity: Omit<ObjectIdentity, "commitment">): Buffer {
  const fixed = Buffer.from([1, 1, segmentBits, identity.part, 0, 0, 0, 0]);
  fixed.writeUInt32BE(identity.version, 4);
  const names = Buffer.from(identity.studyToken + identity.id, "hex");
  return joined("leadglass sealed object", tenantId, fixed, names, identity.nonce);
}
