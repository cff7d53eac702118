import type { KeyValue, Level, SearchKey } from "#radiology/archive";
import type { InstanceTable, SeriesTable, StudyTable } from "./tables.ts";

/** Where each search key rests. */
const studyColumns = {
  StudyInstanceUID: "study_uid",
  StudyDate: "study_date",
  StudyTime: "study_time",
  AccessionNumber: "accession_number",
  StudyID: "study_code",
  StudyDescription: "description",
  "StudyDescription/folded": "description_folded",
  "ReferringPhysicianName/alphabetic": "referrer",
  "ReferringPhysicianName/ideographic": "referrer_ideographic",
  "ReferringPhysicianName/phonetic": "referrer_phonetic",
  ModalitiesInStudy: "modalities",
  "PatientName/alphabetic": "patient_name",
  "PatientName/ideographic": "patient_name_ideographic",
  "PatientName/phonetic": "patient_name_phonetic",
  PatientID: "patient_id",
  IssuerOfPatientID: "patient_id_issuer",
  PatientBirthDate: "birth_date",
  PatientSex: "sex",
  ArrivedAt: "changed_at",
} as const satisfies Record<SearchKey, keyof StudyTable>;

const seriesColumns = {
  SeriesInstanceUID: "series_uid",
  Modality: "modality",
  SeriesNumber: "series_number",
  SeriesDescription: "description",
  "SeriesDescription/folded": "description_folded",
  SeriesDate: "series_date",
  SeriesTime: "series_time",
  BodyPartExamined: "body_part",
  StationName: "station",
  PerformedProcedureStepStartDate: "step_date",
  PerformedProcedureStepStartTime: "step_time",
} as const satisfies Record<SearchKey, keyof SeriesTable>;

const instanceColumns = {
  SOPInstanceUID: "sop_uid",
  SOPClassUID: "sop_class_uid",
  InstanceNumber: "instance_number",
  ContentDate: "content_date",
  ContentTime: "content_time",
} as const satisfies Record<SearchKey, keyof InstanceTable>;

const columns: Record<Level, Readonly<Record<SearchKey, string>>> = {
  study: studyColumns,
  series: seriesColumns,
  instance: instanceColumns,
};

/** The column of a search key, with its table: `studies.patient_name`. */
export function columnOf(level: Level, key: SearchKey): string {
  const column = columns[level][key];
  if (column === undefined) throw new Error(`no column for ${key}`);
  return `${tableOf[level]}.${column}`;
}

export const tableOf = { study: "studies", series: "series", instance: "instances" } as const satisfies Record<
  Level,
  string
>;

type StudyKeys = Omit<
  StudyTable,
  | "id"
  | "study_token"
  | "study_uid"
  | "modalities"
  | "sop_classes"
  | "attributes"
  | "changed_at"
  | `${"series" | "instance" | "conflict"}_count`
>;
type SeriesKeys = Omit<
  SeriesTable,
  | "id"
  | "study_id"
  | "series_uid"
  | "instance_count"
  | "changed_at"
  | "blob_pack"
  | "blob_offset"
  | "blob_instance_count"
  | "attributes"
>;
type InstanceKeys = Pick<InstanceTable, "instance_number" | "content_date" | "content_time">;

const rename = (level: Level, keys: Readonly<Record<SearchKey, KeyValue>>) =>
  Object.fromEntries(Object.entries(keys).map(([key, value]) => [columns[level][key], value]));

/** The key columns of a row from the keys of its values. */
export const studyKeyColumns = (keys: Record<SearchKey, KeyValue>) => rename("study", keys) as unknown as StudyKeys;
export const seriesKeyColumns = (keys: Record<SearchKey, KeyValue>) => rename("series", keys) as unknown as SeriesKeys;
export const instanceKeyColumns = (keys: Record<SearchKey, KeyValue>) =>
  rename("instance", keys) as unknown as InstanceKeys;
