import { createHmac } from "node:crypto";

/**
 * What stands in the place of what identifies: the same for the same input under one key and project, so that images of a patient stay
 * together, and not to be traced back without the key.
 */
export interface Pseudonyms {
  uid(uid: string): string;
  /** 16 characters for whom a text stands for. */
  patient(patient: string): string;
  /** By how many days the dates of a patient are earlier: whole weeks, so that a Monday stays one. */
  daysEarlier(patient: string): number;
}

/** 1 to 521 weeks: up to ten years. */
const weeksMost = 521;

export function createPseudonyms(key: Uint8Array, project: string): Pseudonyms {
  const digest = (kind: string, text: string) =>
    createHmac("sha256", key)
      .update(JSON.stringify([kind, project, text]))
      .digest();
  return {
    uid: (uid) => uidOfBytes(digest("uid", uid).subarray(0, 16)),
    patient: (patient) => digest("patient", patient).toString("hex", 0, 8).toUpperCase(),
    daysEarlier: (patient) => 7 * (1 + (digest("days", patient).readUInt32BE(0) % weeksMost)),
  };
}

/** Under 2.25 (PS3.5 §B.2), as a UUID of version 8, which is free for such uses (RFC 9562 §5.8). */
function uidOfBytes(bytes: Buffer): string {
  const uuid = Buffer.from(bytes);
  uuid.writeUInt8((uuid.readUInt8(6) & 0x0f) | 0x80, 6);
  uuid.writeUInt8((uuid.readUInt8(8) & 0x3f) | 0x80, 8);
  return `2.25.${BigInt(`0x${uuid.toString("hex")}`)}`;
}
