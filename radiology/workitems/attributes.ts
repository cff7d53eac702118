import type { DicomJson, JsonElement } from "#formats/dicom";
import { itemsOf, keyOf, textAt } from "#radiology/schedule";

/** Attributes that work items themselves read and set. */
export const key = {
  characterSet: keyOf("SpecificCharacterSet"),
  sopClassUid: keyOf("SOPClassUID"),
  sopInstanceUid: keyOf("SOPInstanceUID"),
  transactionUid: keyOf("TransactionUID"),
  studyUid: keyOf("StudyInstanceUID"),
  state: keyOf("ProcedureStepState"),
  readiness: keyOf("InputReadinessState"),
  startsAt: keyOf("ScheduledProcedureStepStartDateTime"),
  modifiedAt: keyOf("ScheduledProcedureStepModificationDateTime"),
  worklistLabel: keyOf("WorklistLabel"),
  stations: keyOf("ScheduledStationNameCodeSequence"),
  performers: keyOf("ScheduledHumanPerformersSequence"),
  performerCode: keyOf("HumanPerformerCodeSequence"),
  performerOrganization: keyOf("HumanPerformerOrganization"),
  progress: keyOf("ProcedureStepProgressInformationSequence"),
  canceledAt: keyOf("ProcedureStepCancellationDateTime"),
  reason: keyOf("ReasonForCancellation"),
  reasonCodes: keyOf("ProcedureStepDiscontinuationReasonCodeSequence"),
  contactUri: keyOf("ContactURI"),
  contactName: keyOf("ContactDisplayName"),
  requestingAe: keyOf("RequestingAE"),
} as const;

/** All work items are instances of the UPS Push SOP Class (PS3.4 §CC.3.1). */
export const upsPush = "1.2.840.10008.5.1.4.34.6.1";

/** PS3.4 Table CC.1.1-1. */
export const workItemStates = ["SCHEDULED", "IN PROGRESS", "COMPLETED", "CANCELED"] as const;
export type WorkItemState = (typeof workItemStates)[number];

export const isState = (text: string): text is WorkItemState => (workItemStates as readonly string[]).includes(text);

/** Of one that is kept: nothing else puts a state there. */
export const stateOf = (attributes: DicomJson): WorkItemState => textAt(attributes, key.state) as WorkItemState;

export const isFinal = (state: WorkItemState): boolean => state === "COMPLETED" || state === "CANCELED";

export const element = (vr: JsonElement["vr"], ...Value: NonNullable<JsonElement["Value"]>): JsonElement =>
  Value.length === 0 ? { vr } : { vr, Value };

/** The attributes of these keys that are there. */
export function picked(attributes: DicomJson, keys: readonly string[]): DicomJson {
  return Object.fromEntries(
    keys.flatMap((at) => (attributes[at] === undefined ? [] : [[at, attributes[at]] as const])),
  );
}

/** The one item of the Procedure Step Progress Information Sequence. */
export const progressOf = (attributes: DicomJson): DicomJson => itemsOf(attributes[key.progress])[0] ?? {};

/** A moment as a DT in UTC (PS3.5 §6.2). */
export function dateTimeOf(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19).replace(/[-T:]/g, "")}+0000`;
}

/** AE of PS3.5 Table 6.2-1, without spaces at its ends. */
export function isAeTitle(title: string): boolean {
  return /^[\x21-\x5b\x5d-\x7e]([\x20-\x5b\x5d-\x7e]{0,14}[\x21-\x5b\x5d-\x7e])?$/.test(title);
}
