import type { IndexedValues, InstanceRow, ListedInstance, SeriesRow, StudyRow } from "#radiology/archive";
import type { CopyColumns, StudyTable } from "./tables.ts";

/** Columns of a study row, named apart from those of the series and instance beside it. */
export const studyRowColumns = [
  "studies.id as study_id",
  "studies.study_token as study_token",
  "studies.study_uid as study_uid",
  "studies.attributes as study_attributes",
  "studies.modalities as modalities",
  "studies.sop_classes as sop_classes",
  "studies.series_count as series_count",
  "studies.instance_count as study_instance_count",
  "studies.conflict_count as conflict_count",
  "studies.changed_at as study_changed_at",
] as const;

export const seriesRowColumns = [
  "series.id as series_id",
  "series.series_uid as series_uid",
  "series.attributes as series_attributes",
  "series.instance_count as series_instance_count",
] as const;

const copyNames = [
  "token",
  "sop_uid",
  "sop_class_uid",
  "transfer_syntax_uid",
  "pack",
  "pack_offset",
  "size_bytes",
  "data_set_offset",
  "pixel_offset",
  "pixel_length",
  "data_set_sha256",
  "received_at",
  "received_from",
  "attributes",
] as const satisfies readonly (keyof CopyColumns)[];

type CopyName = (typeof copyNames)[number];

/** The columns of one copy, of the served one or of one in conflict. */
export const copyRowColumns = <T extends "instances" | "conflicts">(table: T) =>
  copyNames.map((name) => `${table}.${name}` as `${T}.${CopyName}`);

export interface SelectedStudy extends Pick<StudyTable, "study_token" | "study_uid" | "modalities" | "sop_classes"> {
  readonly study_id: number;
  readonly study_attributes: string;
  readonly series_count: number;
  readonly study_instance_count: number;
  readonly conflict_count: number;
  readonly study_changed_at: number;
}

export interface SelectedSeries extends SelectedStudy {
  readonly series_id: number;
  readonly series_uid: string;
  readonly series_attributes: string;
  readonly series_instance_count: number;
}

export interface SelectedCopy extends CopyColumns {
  readonly study_token: string;
  readonly study_uid: string;
  readonly series_uid: string;
}

export function toStudyRow(row: SelectedStudy): StudyRow {
  return {
    id: row.study_id,
    studyToken: row.study_token,
    studyUid: row.study_uid,
    values: valuesOf(row.study_attributes),
    modalities: membersOf(row.modalities),
    sopClassUids: membersOf(row.sop_classes),
    seriesCount: row.series_count,
    instanceCount: row.study_instance_count,
    conflictCount: row.conflict_count,
    changedAt: row.study_changed_at,
  };
}

export function toSeriesRow(row: SelectedSeries): SeriesRow {
  return {
    id: row.series_id,
    seriesUid: row.series_uid,
    study: toStudyRow(row),
    values: valuesOf(row.series_attributes),
    instanceCount: row.series_instance_count,
  };
}

export function toInstanceRow(row: SelectedCopy): InstanceRow {
  return {
    id: row.token,
    sopUid: row.sop_uid,
    sopClassUid: row.sop_class_uid,
    transferSyntaxUid: row.transfer_syntax_uid,
    place: { pack: row.pack, offset: row.pack_offset },
    sizeBytes: row.size_bytes,
    dataSetOffset: row.data_set_offset,
    ...(row.pixel_offset === null ? {} : { pixelOffset: row.pixel_offset }),
    ...(row.pixel_length === null ? {} : { pixelLength: row.pixel_length }),
    dataSetSha256: row.data_set_sha256,
    receivedAt: row.received_at,
    receivedFrom: row.received_from,
    seriesUid: row.series_uid,
    studyUid: row.study_uid,
    studyToken: row.study_token,
    values: valuesOf(row.attributes),
  };
}

export function toListedInstance(row: SelectedSeries & SelectedCopy): ListedInstance {
  return { ...toInstanceRow(row), series: toSeriesRow(row) };
}

export const valuesOf = (attributes: string): IndexedValues => JSON.parse(attributes) as IndexedValues;

/** `\CT\SR\` as its members. */
export const membersOf = (set: string): string[] => (set === "" ? [] : set.slice(1, -1).split("\\"));

/** Members between backslashes, sorted, each once. */
export const setOf = (members: Iterable<string>): string => {
  const sorted = [...new Set(members)].filter((member) => member !== "").sort();
  return sorted.length === 0 ? "" : `\\${sorted.join("\\")}\\`;
};
