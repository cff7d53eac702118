import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { Block, ConflictHeld, CopyHeld, InstanceHeld, SeriesHeld, StudyHeld } from "./blind-store.ts";

export const digestOf = (text: string) => new Uint8Array(createHash("sha256").update(text).digest().subarray(0, 16));
export const sealedOf = (text: string) => new Uint8Array(createHash("sha512").update(text).digest());
/** 8 bytes; the first and the last may be anything. */
export const nameOf = (number: number) => Uint8Array.of(number % 256, 0, 255, 10, 39, 92, 128, number >> 8);

export function studyHeld(id: number, change: Partial<StudyHeld> = {}): StudyHeld {
  return {
    id,
    studyToken: `token${id}`,
    uidDigest: digestOf(`study ${id}`),
    identity: sealedOf(`study ${id}`),
    facts: sealedOf(`where study ${id} lies`),
    modalities: ["CT", "SR"],
    sopClassUids: ["1.2.840.10008.5.1.4.1.1.2"],
    seriesCount: 1,
    instanceCount: 2,
    conflictCount: 0,
    rejectedCount: 0,
    changedAt: 1_700_000_000_000 + id,
    ...change,
  };
}

export function seriesHeld(id: number, studyId: number, change: Partial<SeriesHeld> = {}): SeriesHeld {
  return {
    id,
    studyId,
    uidDigest: digestOf(`series ${id}`),
    identity: sealedOf(`series ${id}`),
    modality: "CT",
    seriesNumber: id,
    instanceCount: 1,
    changedAt: 1000 + id,
    blobInstanceCount: -1,
    ...change,
  };
}

export const copyHeld = (id: number, kind: string): CopyHeld => ({
  id,
  token: `${kind}${id}`,
  studyToken: "token1",
  sopDigest: digestOf(`sop ${id}`),
  contentDigest: digestOf(`${kind} content ${id}`),
  identity: sealedOf(`${kind} ${id}`),
  sopClassUid: "1.2.840.10008.5.1.4.1.1.2",
  transferSyntaxUid: "1.2.840.10008.1.2.1",
  places: { image: { pack: "image-1", offset: id * 4096 }, identity: { pack: "identity-1", offset: id * 512 } },
  sizeBytes: 526_000,
  dataSetOffset: 340,
  receivedAt: 1_700_000_000_000,
  receivedFrom: "device:0123456789abcdef",
});

export function instanceHeld(
  id: number,
  studyId: number,
  seriesId: number,
  change: Partial<InstanceHeld> = {},
): InstanceHeld {
  return { ...copyHeld(id, "served"), studyId, seriesId, instanceNumber: id, isRejected: false, ...change };
}

export function conflictHeld(id: number, instanceId: number, change: Partial<ConflictHeld> = {}): ConflictHeld {
  return { ...copyHeld(id, "conflict"), sopDigest: digestOf(`sop ${instanceId}`), instanceId, ...change };
}

export const blockOf = (name: number, serial: number, text = `${name} ${serial}`): Block => ({
  name: nameOf(name),
  serial,
  sealed: sealedOf(text),
});

export const idsOf = (rows: readonly { readonly id: number }[]) => rows.map(({ id }) => id);
export const sorted = (rows: readonly { readonly id: number }[]) => idsOf(rows).sort((a, b) => a - b);
/** Rows and blocks as plain data: a store may give a Buffer where a Uint8Array went in. */
export const plain = (value: unknown): unknown => {
  if (value instanceof Uint8Array) return Buffer.from(value).toString("hex");
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([, one]) => one !== undefined);
  return Object.fromEntries(entries.map(([key, one]) => [key, plain(one)]));
};
export const same = (found: unknown, expected: unknown) => assert.deepEqual(plain(found), plain(expected));
