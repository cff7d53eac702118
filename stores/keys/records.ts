import { crc32 } from "node:zlib";
import type { WrappedStudyKey } from "#trust/vault";

/*
 * A key file is a row of records of 128 bytes, so that a torn or damaged one never hides the next, and one lies within one sector:
 *
 *     0  1  kind: 1 a key, 2 erased, 3 replaced by another wrapping of the same key
 *     1  1  format: 1
 *     2  1  length of the wrapped key
 *     4 32  keyed digest of the Study Instance UID (zero when erased or replaced)
 *    36 16  study token
 *    52 72  wrapped key, zeros behind it (all zero when erased or replaced)
 *   124  4  CRC-32 of what stands before
 */
export const recordBytes = 128;
export const digestBytes = 32;

export interface KeyRecord {
  readonly digest: Buffer;
  readonly key: WrappedStudyKey;
}

export function encodeRecord(digest: Uint8Array, key: WrappedStudyKey): Buffer {
  const bytes = Buffer.alloc(recordBytes);
  bytes[0] = 1;
  bytes[1] = 1;
  bytes[2] = key.wrappedKey.length;
  bytes.set(digest, 4);
  bytes.write(key.studyToken, 36, 16, "hex");
  key.wrappedKey.copy(bytes, 52);
  return withCheck(bytes);
}

/** What takes the place of a deleted key. The token stays, to tell a shredded study from an unknown one. */
export function encodeErased(studyToken: string): Buffer {
  return encodeEmpty(2, studyToken);
}

/** What takes the place of a wrapping after another one came. */
export function encodeReplaced(studyToken: string): Buffer {
  return encodeEmpty(3, studyToken);
}

function encodeEmpty(kind: number, studyToken: string): Buffer {
  const bytes = Buffer.alloc(recordBytes);
  bytes[0] = kind;
  bytes[1] = 1;
  bytes.write(studyToken, 36, 16, "hex");
  return withCheck(bytes);
}

function withCheck(bytes: Buffer): Buffer {
  bytes.writeUInt32BE(crc32(bytes.subarray(0, 124)), 124);
  return bytes;
}

/** Undefined for an erased, torn or damaged record. */
export function decodeRecord(bytes: Buffer): KeyRecord | undefined {
  if (!isKeyRecord(bytes)) return undefined;
  const studyToken = bytes.toString("hex", 36, 52);
  const wrappedKey = Buffer.from(bytes.subarray(52, 52 + (bytes[2] ?? 0)));
  return { digest: Buffer.from(bytes.subarray(4, 36)), key: { studyToken, wrappedKey } };
}

/** Whether its key stands elsewhere: nobody needs this record. */
export function isReplacedRecord(bytes: Buffer): boolean {
  return bytes.length >= recordBytes && bytes[0] === 3 && crc32(bytes.subarray(0, 124)) === bytes.readUInt32BE(124);
}

/** The same question without making anything, for loading many. */
export function isKeyRecord(bytes: Buffer): boolean {
  if (bytes.length < recordBytes || bytes[0] !== 1 || bytes[1] !== 1 || (bytes[2] ?? 0) > 72) return false;
  return crc32(bytes.subarray(0, 124)) === bytes.readUInt32BE(124);
}
