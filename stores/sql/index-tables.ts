import type {
  Block,
  ConflictHeld,
  CopyHeld,
  InstanceHeld,
  RejectionHeld,
  SeriesHeld,
  StudyHeld,
} from "#radiology/archive";
import type { Row } from "./packed-rows.ts";
import { storedText as text } from "./stored-text.ts";

/** A `pack` is a pack's name for who asks; the table holds its number in `packs`, which is a fifth as long. */
export type ColumnKind = "int" | "text" | "bytes" | "pack";

/** One table of the index, and how a row of it stands for what the port keeps. */
export interface Table<T> {
  readonly name: string;
  readonly columns: readonly Column[];
  readonly key: readonly string[];
  /** Values in the order of the columns. */
  rowOf(held: T): Row;
  heldOf(row: Row): T;
}

export type Column = readonly [name: string, kind: ColumnKind];

export const studies: Table<StudyHeld> = {
  name: "studies",
  columns: [
    ["id", "int"],
    ["study_token", "text"],
    ["uid_digest", "bytes"],
    ["identity", "bytes"],
    ["facts", "bytes"],
    ["modalities", "text"],
    ["sop_classes", "text"],
    ["series_count", "int"],
    ["instance_count", "int"],
    ["conflict_count", "int"],
    ["rejected_count", "int"],
    ["changed_at", "int"],
  ],
  key: ["id"],
  rowOf: (study) => [
    study.id,
    text(study.studyToken),
    study.uidDigest,
    study.identity,
    study.facts,
    listed(study.modalities),
    listed(study.sopClassUids),
    study.seriesCount,
    study.instanceCount,
    study.conflictCount,
    study.rejectedCount,
    study.changedAt,
  ],
  heldOf: (row) => ({
    id: row[0] as number,
    studyToken: row[1] as string,
    uidDigest: row[2] as Uint8Array,
    identity: row[3] as Uint8Array,
    facts: row[4] as Uint8Array,
    modalities: membersOf(row[5] as string),
    sopClassUids: membersOf(row[6] as string),
    seriesCount: row[7] as number,
    instanceCount: row[8] as number,
    conflictCount: row[9] as number,
    rejectedCount: row[10] as number,
    changedAt: row[11] as number,
  }),
};

export const series: Table<SeriesHeld> = {
  name: "series",
  columns: [
    ["id", "int"],
    ["study_id", "int"],
    ["uid_digest", "bytes"],
    ["identity", "bytes"],
    ["modality", "text"],
    ["series_number", "int"],
    ["instance_count", "int"],
    ["changed_at", "int"],
    ["blob_instance_count", "int"],
    ["blob_pack", "pack"],
    ["blob_offset", "int"],
  ],
  key: ["id"],
  rowOf: (one) => [
    one.id,
    one.studyId,
    one.uidDigest,
    one.identity,
    text(one.modality),
    one.seriesNumber,
    one.instanceCount,
    one.changedAt,
    one.blobInstanceCount,
    one.blobPlace?.pack ?? null,
    one.blobPlace?.offset ?? null,
  ],
  heldOf: (row) => ({
    id: row[0] as number,
    studyId: row[1] as number,
    uidDigest: row[2] as Uint8Array,
    identity: row[3] as Uint8Array,
    modality: row[4] as string,
    seriesNumber: row[5] as number,
    instanceCount: row[6] as number,
    changedAt: row[7] as number,
    blobInstanceCount: row[8] as number,
    ...(row[9] === null ? {} : { blobPlace: { pack: row[9] as string, offset: row[10] as number } }),
  }),
};

const copyColumns: readonly Column[] = [
  ["token", "text"],
  ["study_token", "text"],
  ["sop_digest", "bytes"],
  ["content_digest", "bytes"],
  ["identity", "bytes"],
  ["sop_class_uid", "text"],
  ["transfer_syntax_uid", "text"],
  ["image_pack", "pack"],
  ["image_offset", "int"],
  ["identity_pack", "pack"],
  ["identity_offset", "int"],
  ["size_bytes", "int"],
  ["data_set_offset", "int"],
  ["pixel_offset", "int"],
  ["pixel_length", "int"],
  ["received_at", "int"],
  ["received_from", "text"],
];

const copyRowOf = (copy: CopyHeld): Row => [
  text(copy.token),
  text(copy.studyToken),
  copy.sopDigest,
  copy.contentDigest,
  copy.identity,
  text(copy.sopClassUid),
  text(copy.transferSyntaxUid),
  copy.places.image.pack,
  copy.places.image.offset,
  copy.places.identity.pack,
  copy.places.identity.offset,
  copy.sizeBytes,
  copy.dataSetOffset,
  copy.pixelOffset ?? null,
  copy.pixelLength ?? null,
  copy.receivedAt,
  text(copy.receivedFrom),
];

/** From a row in which the columns of the copy begin at `at`. */
const copyOf = (row: Row, at: number): Omit<CopyHeld, "id"> => ({
  token: row[at] as string,
  studyToken: row[at + 1] as string,
  sopDigest: row[at + 2] as Uint8Array,
  contentDigest: row[at + 3] as Uint8Array,
  identity: row[at + 4] as Uint8Array,
  sopClassUid: row[at + 5] as string,
  transferSyntaxUid: row[at + 6] as string,
  places: {
    image: { pack: row[at + 7] as string, offset: row[at + 8] as number },
    identity: { pack: row[at + 9] as string, offset: row[at + 10] as number },
  },
  sizeBytes: row[at + 11] as number,
  dataSetOffset: row[at + 12] as number,
  ...(row[at + 13] === null ? {} : { pixelOffset: row[at + 13] as number }),
  ...(row[at + 14] === null ? {} : { pixelLength: row[at + 14] as number }),
  receivedAt: row[at + 15] as number,
  receivedFrom: row[at + 16] as string,
});

export const instances: Table<InstanceHeld> = {
  name: "instances",
  columns: [
    ["id", "int"],
    ["study_id", "int"],
    ["series_id", "int"],
    ["instance_number", "int"],
    ["rejected", "int"],
    ...copyColumns,
  ],
  key: ["id"],
  rowOf: (instance) => [
    instance.id,
    instance.studyId,
    instance.seriesId,
    instance.instanceNumber,
    instance.isRejected ? 1 : 0,
    ...copyRowOf(instance),
  ],
  heldOf: (row) => ({
    id: row[0] as number,
    studyId: row[1] as number,
    seriesId: row[2] as number,
    instanceNumber: row[3] as number,
    isRejected: row[4] === 1,
    ...copyOf(row, 5),
  }),
};

export const conflicts: Table<ConflictHeld> = {
  name: "conflicts",
  columns: [["id", "int"], ["instance_id", "int"], ...copyColumns],
  key: ["id"],
  rowOf: (conflict) => [conflict.id, conflict.instanceId, ...copyRowOf(conflict)],
  heldOf: (row) => ({ id: row[0] as number, instanceId: row[1] as number, ...copyOf(row, 2) }),
};

export const rejections: Table<RejectionHeld> = {
  name: "rejections",
  columns: [
    ["sop_digest", "bytes"],
    ["note", "text"],
    ["noted_at", "int"],
    ["code", "text"],
  ],
  key: ["sop_digest"],
  rowOf: ({ sopDigest, note, at, code }) => [sopDigest, text(note), at, text(code)],
  heldOf: (row) => ({
    sopDigest: row[0] as Uint8Array,
    note: row[1] as string,
    at: row[2] as number,
    code: row[3] as string,
  }),
};

export const blocks: Table<Block> = {
  name: "blocks",
  columns: [
    ["name", "bytes"],
    ["serial", "int"],
    ["sealed", "bytes"],
  ],
  key: ["name", "serial"],
  rowOf: ({ name, serial, sealed }) => [name, serial, sealed],
  heldOf: (row) => ({ name: row[0] as Uint8Array, serial: row[1] as number, sealed: row[2] as Uint8Array }),
};

/** Values of a data element never hold a backslash: it stands between them (PS3.5 §6.2). */
const listed = (members: readonly string[]): string => text(members.join("\\"));
const membersOf = (list: string): string[] => (list === "" ? [] : list.split("\\"));
