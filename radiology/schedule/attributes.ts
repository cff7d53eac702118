import { type DicomJson, hexOfTag, type JsonElement, type JsonValue, tagOf } from "#formats/dicom";

/** The key of an attribute in the DICOM JSON model. */
export const keyOf = (keyword: string): string => hexOfTag(tagOf(keyword));

/** Attributes that the schedule itself reads. */
export const key = {
  patientName: keyOf("PatientName"),
  patientId: keyOf("PatientID"),
  issuer: keyOf("IssuerOfPatientID"),
  accessionNumber: keyOf("AccessionNumber"),
  placerNumber: keyOf("PlacerOrderNumberImagingServiceRequest"),
  fillerNumber: keyOf("FillerOrderNumberImagingServiceRequest"),
  studyUid: keyOf("StudyInstanceUID"),
  procedureDescription: keyOf("RequestedProcedureDescription"),
  modality: keyOf("Modality"),
  steps: keyOf("ScheduledProcedureStepSequence"),
  stepId: keyOf("ScheduledProcedureStepID"),
  stepStatus: keyOf("ScheduledProcedureStepStatus"),
  stepDescription: keyOf("ScheduledProcedureStepDescription"),
  stationAe: keyOf("ScheduledStationAETitle"),
  startDate: keyOf("ScheduledProcedureStepStartDate"),
  startTime: keyOf("ScheduledProcedureStepStartTime"),
} as const;

/** The values of an attribute as texts, without those that are empty; names with their component groups as PS3.5 §6.2.1 writes them. */
export function textsOf(element: JsonElement | undefined): string[] {
  return (element?.Value ?? []).map(textOf).filter((text) => text !== "");
}

export const textsAt = (attributes: DicomJson, at: string): string[] => textsOf(attributes[at]);

export const textAt = (attributes: DicomJson, at: string): string => textsAt(attributes, at)[0] ?? "";

/** The items of a sequence. */
export function itemsOf(element: JsonElement | undefined): readonly DicomJson[] {
  return element?.vr === "SQ" ? ((element.Value ?? []) as DicomJson[]) : [];
}

/** The one Scheduled Procedure Step that a worklist item is of. */
export function stepOf(attributes: DicomJson): DicomJson {
  return itemsOf(attributes[key.steps])[0] ?? {};
}

function textOf(value: JsonValue): string {
  if (typeof value === "string") return value;
  if (value === null) return "";
  if (typeof value === "number") return String(value);
  const { Alphabetic, Ideographic, Phonetic } = value as { [group: string]: unknown };
  const groups = [Alphabetic, Ideographic, Phonetic].map((group) => (typeof group === "string" ? group : ""));
  return groups.join("=").replace(/=+$/, "");
}
