import { Problem } from "#base/problem";
import { type DicomJson, isUid, tagOf } from "#formats/dicom";
import { itemsOf, keyOf, textAt } from "./attributes.ts";
import type { PerformedStatus } from "./scheduled-step.ts";

/** What a `Problem` about the attributes of a performed step may also say. */
export interface WithAttributeFault {
  /** Whether the attributes are not there, are empty, or have a value that they must not have. */
  readonly fault?: "missing" | "empty" | "value";
  readonly offendingElements?: readonly number[];
}

export const performedKey = {
  status: keyOf("PerformedProcedureStepStatus"),
  scheduled: keyOf("ScheduledStepAttributesSequence"),
  series: keyOf("PerformedSeriesSequence"),
} as const;

/*
 * PS3.4 Table F.7.2-1. What is of type 1 must be there with a value. Of type 2 much is left out by scanners in use; it is taken as there
 * and empty.
 */
const atFirst = [
  "PerformedProcedureStepStatus",
  "ScheduledStepAttributesSequence",
  "PerformedProcedureStepID",
  "PerformedStationAETitle",
  "PerformedProcedureStepStartDate",
  "PerformedProcedureStepStartTime",
  "Modality",
];
const inTheEnd = ["PerformedProcedureStepEndDate", "PerformedProcedureStepEndTime"];

/** Set when it begins and by nothing later ("Not allowed" in the table's N-SET column). Scanners send them again all the same. */
const lasting: ReadonlySet<string> = new Set(
  `ScheduledStepAttributesSequence PatientName PatientID IssuerOfPatientID PatientBirthDate PatientSex ReferencedPatientSequence
  AdmissionID PerformedProcedureStepID PerformedStationAETitle PerformedStationName PerformedLocation
  PerformedProcedureStepStartDate PerformedProcedureStepStartTime Modality StudyID`
    .split(/\s+/)
    .map(keyOf),
);

/** Scheduled steps that one performed step may be of. */
const scheduledMax = 100;

const statuses: readonly string[] = ["IN PROGRESS", "COMPLETED", "DISCONTINUED"] satisfies PerformedStatus[];

/**
 * Whether a performed step can begin so.
 *
 * @throws Problem `invalid`, with what is wrong with which attribute.
 */
export function requireBeginning(attributes: DicomJson): void {
  requireAll(attributes, atFirst);
  if (statusIn(attributes) !== "IN PROGRESS") {
    throw faulty("value", ["PerformedProcedureStepStatus"], "a performed step begins IN PROGRESS");
  }
  const scheduled = itemsOf(attributes[performedKey.scheduled]);
  if (scheduled.length > scheduledMax) {
    throw faulty(
      "value",
      ["ScheduledStepAttributesSequence"],
      `a performed step is of more than ${scheduledMax} steps`,
    );
  }
  for (const item of scheduled) {
    requireAll(item, ["StudyInstanceUID"]);
    if (!isUid(textAt(item, keyOf("StudyInstanceUID"))))
      throw faulty("value", ["StudyInstanceUID"], "the Study Instance UID is no UID");
  }
}

/** A performed step as it is after a change. The Problem is as for `requireBeginning`. */
export function changedBy(attributes: DicomJson, change: DicomJson): DicomJson {
  const changed = { ...attributes };
  for (const [at, element] of Object.entries(change)) if (!lasting.has(at)) changed[at] = element;
  const status = statusIn(changed);
  if (status === "IN PROGRESS") return changed;
  requireAll(changed, inTheEnd);
  // Table F.7.2-1 note 2. One that was given up before anything was acquired has none in practice.
  if (status === "COMPLETED") requireAll(changed, ["PerformedSeriesSequence"]);
  return changed;
}

/** Problem `invalid` for a status that the standard does not have. */
export function statusIn(attributes: DicomJson): PerformedStatus {
  const status = textAt(attributes, performedKey.status);
  if (statuses.includes(status)) return status as PerformedStatus;
  throw faulty("value", ["PerformedProcedureStepStatus"], "no status of a performed step");
}

function requireAll(attributes: DicomJson, keywords: readonly string[]): void {
  const missing = keywords.filter((keyword) => attributes[keyOf(keyword)] === undefined);
  if (missing.length > 0) throw faulty("missing", missing, `without ${missing[0]}`);
  const empty = keywords.filter((keyword) => (attributes[keyOf(keyword)]?.Value ?? []).length === 0);
  if (empty.length > 0) throw faulty("empty", empty, `${empty[0]} has no value`);
}

function faulty(fault: WithAttributeFault["fault"], keywords: readonly string[], message: string): Problem {
  const detail = { fault, offendingElements: keywords.map(tagOf) };
  return Object.assign(new Problem("invalid", message), detail);
}
