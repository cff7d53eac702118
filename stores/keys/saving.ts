import { decodeRecord, encodeErased, recordBytes } from "./records.ts";

export const isKeyFile = (name: string): boolean => /^\d{6,}\.keys$/.test(name);

/** The keys in a piece of a key file that was cut between records, and the traces of destroyed ones. */
export function* keysIn(piece: Buffer): Generator<{ readonly token: string; readonly isDestroyed: boolean }> {
  for (let at = 0; at + recordBytes <= piece.length; at += recordBytes) {
    const record = piece.subarray(at, at + recordBytes);
    const token = record.toString("hex", 36, 52);
    if (decodeRecord(record) !== undefined) yield { token, isDestroyed: false };
    else if (record.equals(encodeErased(token))) yield { token, isDestroyed: true };
  }
}
