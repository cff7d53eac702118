import type { Level } from "#radiology/archive";

/** Levels of the query/retrieve information models (PS3.4 §C.6). */
export type QueryLevel = "PATIENT" | "STUDY" | "SERIES" | "IMAGE";

export const queryLevels: readonly QueryLevel[] = ["PATIENT", "STUDY", "SERIES", "IMAGE"];

/** The attribute that names one entity of a level. */
export const uniqueKeys: Readonly<Record<QueryLevel, string>> = {
  PATIENT: "PatientID",
  STUDY: "StudyInstanceUID",
  SERIES: "SeriesInstanceUID",
  IMAGE: "SOPInstanceUID",
};

/** Attributes of a patient; in the Study Root model they are the study's. */
export const patientKeys: ReadonlySet<string> = new Set([
  "PatientID",
  "IssuerOfPatientID",
  "PatientName",
  "PatientBirthDate",
  "PatientSex",
]);

/** Counted, by the level of what they are counted for. */
export const countKeys: Readonly<Record<string, QueryLevel>> = {
  NumberOfPatientRelatedStudies: "PATIENT",
  NumberOfPatientRelatedSeries: "PATIENT",
  NumberOfPatientRelatedInstances: "PATIENT",
  NumberOfStudyRelatedSeries: "STUDY",
  NumberOfStudyRelatedInstances: "STUDY",
  NumberOfSeriesRelatedInstances: "SERIES",
};

const queryLevelOf: Readonly<Record<Level, QueryLevel>> = { study: "STUDY", series: "SERIES", instance: "IMAGE" };

/** Where an attribute that the index holds stands in the models. */
export function levelIn(keyword: string, held: Level): QueryLevel {
  return patientKeys.has(keyword) ? "PATIENT" : queryLevelOf[held];
}

export interface InformationModel {
  /** From the top: what an identifier may ask for. */
  readonly levels: readonly QueryLevel[];
  readonly find: string;
  readonly move: string;
  readonly get: string;
}

const root = "1.2.840.10008.5.1.4.1.2";
const model = (number: number, levels: readonly QueryLevel[]): InformationModel => ({
  levels,
  find: `${root}.${number}.1`,
  move: `${root}.${number}.2`,
  get: `${root}.${number}.3`,
});

/** Patient Root, Study Root, and Patient/Study Only, which is retired and still asked for. */
export const informationModels: readonly [InformationModel, InformationModel, InformationModel] = [
  model(1, queryLevels),
  model(2, ["STUDY", "SERIES", "IMAGE"]),
  model(3, ["PATIENT", "STUDY"]),
];
