import { crc32 } from "node:zlib";
import { type ParcelNote, urgencies } from "#radiology/uplink";

/**
 * A parcel in a segment: its bytes in pieces (`pieces.ts`), and behind them this footer, so that a writer need not know how long it will be.
 * Big-endian.
 *
 * | bytes   | what |
 * |---------|---|
 * | 0–7     | magic |
 * | 8       | version, 1 |
 * | 9       | urgency: 0 stat, 1 first of its series, 2 routine |
 * | 10      | 1: in order; 2: has a subject |
 * | 11      | 0 |
 * | 12–15   | serial of the segment |
 * | 16–23   | position behind this footer |
 * | 24–31   | length of the parcel |
 * | 32–39   | its number in the order of putting |
 * | 40–47   | when it was put, epoch milliseconds |
 * | 48–55   | everything in the segment before this position was on stable storage when the parcel was begun |
 * | 56–71   | id |
 * | 72–87   | subject, or zeros |
 * | 88–119  | SHA-256 of the parcel |
 * | 120–123 | 0 |
 * | 124–127 | CRC-32 of the 124 bytes before |
 */
export interface Footer {
  readonly segment: number;
  readonly endPosition: number;
  readonly seq: number;
  readonly provenTo: number;
  readonly note: ParcelNote;
}

export const footerBytes = 128;
export const magic: Buffer = Buffer.from("894c47500d0a1a02", "hex");

export function encodeFooter({ segment, endPosition, seq, provenTo, note }: Footer): Buffer {
  const bytes = Buffer.alloc(footerBytes);
  magic.copy(bytes, 0);
  bytes[8] = 1;
  bytes[9] = urgencies.indexOf(note.urgency);
  bytes[10] = (note.inOrder ? 1 : 0) | (note.subject === undefined ? 0 : 2);
  bytes.writeUInt32BE(segment, 12);
  for (const [at, value] of [endPosition, note.length, seq, note.putAt, provenTo].entries()) {
    bytes.writeBigInt64BE(BigInt(value), 16 + 8 * at);
  }
  bytes.write(note.id, 56, 16, "hex");
  bytes.write(note.subject ?? "", 72, 16, "hex");
  bytes.set(note.sha256, 88);
  bytes.writeUInt32BE(crc32(bytes.subarray(0, 124)), 124);
  return bytes;
}

/** The footer in these 128 bytes; undefined when it is not one that was written here: behind it is `endPosition` of this segment. */
export function decodeFooter(bytes: Buffer, segment: number, endPosition: number): Footer | undefined {
  if (bytes.length !== footerBytes || !bytes.subarray(0, magic.length).equals(magic)) return undefined;
  if (crc32(bytes.subarray(0, 124)) !== bytes.readUInt32BE(124) || bytes[8] !== 1) return undefined;
  const urgency = urgencies[bytes[9] ?? urgencies.length];
  if (urgency === undefined || bytes.readUInt32BE(12) !== segment) return undefined;
  const [end = 0, length = 0, seq = 0, putAt = 0, provenTo = 0] = [16, 24, 32, 40, 48].map((at) =>
    Number(bytes.readBigInt64BE(at)),
  );
  if (end !== endPosition || length < 0 || length > endPosition) return undefined;
  const flags = bytes[10] ?? 0;
  const note: ParcelNote = {
    ...{ length, urgency, putAt, inOrder: (flags & 1) !== 0 },
    id: bytes.toString("hex", 56, 72),
    subject: (flags & 2) === 0 ? undefined : bytes.toString("hex", 72, 88),
    sha256: Uint8Array.from(bytes.subarray(88, 120)),
  };
  return { segment, endPosition, seq, provenTo, note };
}
