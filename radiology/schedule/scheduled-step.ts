import { Problem } from "#base/problem";
import type { ScheduledStepView } from "#formats/api";
import { type DataSet, type DicomJson, isUid, type JsonElement, toDicomJson } from "#formats/dicom";
import type { StudyFacts } from "#trust/access";
import { itemsOf, key, keyOf, stepOf, textAt, textsAt } from "./attributes.ts";

/** How a performed step stands (PS3.4 §F.7.2.1.3): what is not in progress is never changed again. */
export type PerformedStatus = "IN PROGRESS" | "COMPLETED" | "DISCONTINUED";

/** One scheduled procedure step, as the worklist has it. */
export interface ScheduledStep {
  /** Stands for it wherever it is named: a keyed digest of its Study Instance UID and Scheduled Procedure Step ID. */
  readonly token: string;
  readonly content: StepContent;
}

/** A step as a list shows it. */
export function listed({ token, content }: ScheduledStep): ScheduledStepView {
  const { facility, attributes } = content;
  const step = stepOf(attributes);
  return {
    ...{ token, facility, status: statusOf(content) },
    startDate: textAt(step, key.startDate),
    startTime: textAt(step, key.startTime),
    modality: textAt(step, key.modality),
    stationAes: textsAt(step, key.stationAe),
    description: textAt(step, key.stepDescription) || textAt(attributes, key.procedureDescription),
    patientName: textAt(attributes, key.patientName),
    patientId: textAt(attributes, key.patientId),
    accessionNumber: textAt(attributes, key.accessionNumber),
  };
}

/** What of a step is kept, sealed. */
export interface StepContent {
  /** Token of the facility that it is done in; empty: in none. */
  readonly facility: string;
  /** In the DICOM JSON model, so in Unicode; one item in the Scheduled Procedure Step Sequence, which has the status. */
  readonly attributes: DicomJson;
  /** Its status when nobody has begun with it. */
  readonly planned: string;
  /** The performed steps that say that they are of it, by their record ids. */
  readonly performed: Readonly<Record<string, PerformedStatus>>;
}

const itemCharactersMax = 32_768;
const stepsOfItemMax = 100;

/** Type 1 for who asks (PS3.4 Table K.6-1): a step that lacks one could not be answered. */
const required = ["PatientName", "PatientID", "StudyInstanceUID", "RequestedProcedureID"];
const requiredOfStep = [
  "Modality",
  "ScheduledStationAETitle",
  "ScheduledProcedureStepStartDate",
  "ScheduledProcedureStepStartTime",
  "ScheduledProcedureStepID",
];

/** Of the file that it came in, and how it was encoded: nothing of the step. */
const dropped = ["SpecificCharacterSet", "SOPClassUID", "SOPInstanceUID"].map(keyOf);

/**
 * The steps of a worklist item: one for each item of its Scheduled Procedure Step Sequence.
 *
 * @throws Problem `invalid` naming the attribute that is missing, `too-large` for an item of more than 32,768 characters, or of more than 100 steps.
 */
export function stepsIn(dataSet: DataSet): DicomJson[] {
  const { [key.steps]: sequence, ...rest } = toDicomJson(dataSet);
  for (const at of dropped) delete rest[at];
  requireAll(rest, required);
  if (!isUid(textAt(rest, key.studyUid)))
    throw new Problem("invalid", "the Study Instance UID of a worklist item is no UID");
  const steps = itemsOf(sequence);
  if (steps.length === 0) throw new Problem("invalid", "a worklist item has no Scheduled Procedure Step Sequence");
  if (steps.length > stepsOfItemMax)
    throw new Problem("too-large", `a worklist item has more than ${stepsOfItemMax} steps`);
  return steps.map((step) => {
    requireAll(step, requiredOfStep);
    const attributes: DicomJson = { ...rest, [key.steps]: sequenceOf(step) };
    if (JSON.stringify(attributes).length > itemCharactersMax) {
      throw new Problem("too-large", `a worklist item has more than ${itemCharactersMax} characters`);
    }
    return attributes;
  });
}

function requireAll(item: DicomJson, keywords: readonly string[]): void {
  const missing = keywords.find((keyword) => textAt(item, keyOf(keyword)) === "");
  if (missing !== undefined) throw new Problem("invalid", `a worklist item has no ${missing}`);
}

export const sequenceOf = (step: DicomJson): JsonElement => ({ vr: "SQ", Value: [step] });

/** What a step stands for, as text: the same for each time that it is scheduled. */
export function identityOf(attributes: DicomJson): string {
  return `${textAt(attributes, key.studyUid)}\n${textAt(stepOf(attributes), key.stepId)}`;
}

/** A step as it is planned, with what was performed of it so far. */
export function contentOf(
  attributes: DicomJson,
  facility: string,
  performed: StepContent["performed"] = {},
): StepContent {
  const planned = textAt(stepOf(attributes), key.stepStatus) || "SCHEDULED";
  return withStatus({ facility, attributes, planned, performed });
}

/** The same with another status of one performed step. */
export function withPerformed(content: StepContent, id: string, status: PerformedStatus): StepContent {
  return withStatus({ ...content, performed: { ...content.performed, [id]: status } });
}

/** With the status in its attributes that it has. */
export function withStatus(content: StepContent): StepContent {
  const step: DicomJson = { ...stepOf(content.attributes), [key.stepStatus]: { vr: "CS", Value: [statusOf(content)] } };
  return { ...content, attributes: { ...content.attributes, [key.steps]: sequenceOf(step) } };
}

/** What was performed of it says how it stands: begun while any is in progress, done when any was completed. */
export function statusOf({ planned, performed }: Pick<StepContent, "planned" | "performed">): string {
  const all = Object.values(performed);
  if (all.length === 0) return planned;
  if (all.includes("IN PROGRESS")) return "STARTED";
  return all.includes("COMPLETED") ? "COMPLETED" : "DISCONTINUED";
}

const over: ReadonlySet<string> = new Set(["COMPLETED", "DISCONTINUED", "CANCELED", "CANCELLED", "DEPARTED"]);

/** Whether there is nothing left to do: consoles are not told of it any more. */
export function isOver(content: StepContent): boolean {
  return over.has(statusOf(content));
}

/** What grants and the places of machines are compared with: a step lies in the facility that it is done in. */
export function factsOf({ facility }: { readonly facility: string }): StudyFacts {
  return { facility, patient: "", study: "", order: "" };
}
