import { Problem } from "#base/problem";
import { type DataSet, type DicomJson, toDicomJson } from "#formats/dicom";
import type { Actor, Gate } from "#trust/access";
import { key, keyOf, stepOf, textAt } from "./attributes.ts";
import type { HeldStep, HeldSteps } from "./held-steps.ts";
import { type StepContent, sequenceOf, withStatus } from "./scheduled-step.ts";

/** Whose steps: of an order, by the numbers that placer and filler gave it and the patient that it is for. What is empty says nothing. */
export interface OrderRef {
  readonly placer: string;
  readonly filler: string;
  readonly patientId: string;
  /** Who gave the patient that ID, where it is said. */
  readonly issuer: string;
  /** Token of the one facility in which its steps are; empty: wherever. */
  readonly facility: string;
}

/** An order as it is planned, and which identifiers of its step its message named. */
export interface PlannedOrder extends OrderRef {
  readonly names: { readonly study: boolean; readonly procedure: boolean; readonly step: boolean };
}

const orderStatuses = ["SCHEDULED", "CANCELED", "DISCONTINUED", "COMPLETED"] as const;

/** What becomes of them. */
export interface OrderChange {
  readonly status?: (typeof orderStatuses)[number];
  readonly startDate?: string;
  readonly startTime?: string;
  readonly stationAes?: readonly string[];
}

/** A patient in the worklist; the same ID of another issuer is another patient, and one whose issuer nobody said is taken for theirs. */
export interface StepPatient {
  readonly PatientID: string;
  readonly IssuerOfPatientID?: string;
}

/** How steps that are planned are changed, beside being planned anew. */
export interface Amendments {
  /** The number of its steps. Problem `absent` when there is none, `conflict` for canceling what was begun, `invalid` for a status that is none. */
  changeOrder(actor: Actor, order: OrderRef, change: OrderChange): Promise<number>;
  /** Every step of a patient says from now on what these attributes say of the patient. The number of those that said something else. */
  changePatient(actor: Actor, patient: StepPatient, changes: () => DataSet): Promise<number>;
}

export function createAmendments({ held, gate }: { held: () => Promise<HeldSteps>; gate: Gate }): Amendments {
  const amend = async (
    actor: Actor,
    steps: HeldSteps,
    found: readonly HeldStep[],
    change: (content: StepContent) => StepContent,
  ) => {
    const contents = new Map<string, StepContent>();
    for (const { token, content } of found) {
      const changed = withStatus(change(content));
      if (JSON.stringify(changed) !== JSON.stringify(content)) contents.set(token, changed);
    }
    if (contents.size > 0) await steps.put(contents, actor);
    return contents.size;
  };
  return {
    changeOrder: (actor, order, change) =>
      gate.pass(actor, "worklist.write", undefined, async () => {
        // What is kept here every query reads: a caller's slip must not spoil the worklist.
        if (change.status !== undefined && !orderStatuses.includes(change.status))
          throw new Problem("invalid", "that is no status of a step");
        const steps = await held();
        return steps.inTurn(async () => {
          const found = ofOrder(steps, order);
          if (found.length === 0) throw new Problem("absent", "no step of that order is scheduled here");
          if (change.status === "CANCELED" && found.some(({ content }) => wasBegun(content))) {
            throw new Problem("conflict", "a step of that order was begun", { remedy: "discontinue it" });
          }
          await amend(actor, steps, found, (content) => withChange(content, change));
          return found.length;
        });
      }),
    changePatient: (actor, patient, changes) =>
      gate.pass(actor, "patient.correct", undefined, async () => {
        const { [keyOf("SpecificCharacterSet")]: _, ...said } = toDicomJson(changes());
        const steps = await held();
        return steps.inTurn(async () => {
          const found = steps
            .having([[`${key.patientId} ${patient.PatientID}`]])
            .filter(({ content }) => isOf(content, patient));
          return amend(actor, steps, found, (content) => ({
            ...content,
            attributes: { ...content.attributes, ...said },
          }));
        });
      }),
  };
}

const wasBegun = ({ performed }: StepContent) => Object.keys(performed).length > 0;

/** One number agrees, and nothing that both say disagrees: others may number their orders alike. */
function isOfOrder({ attributes, facility }: StepContent, order: OrderRef): boolean {
  const compared = [
    [order.placer, textAt(attributes, key.placerNumber)],
    [order.filler, textAt(attributes, key.fillerNumber)],
  ].filter(([asked, known]) => asked !== "" && known !== "");
  const isSame = compared.length > 0 && compared.every(([asked, known]) => asked === known);
  const patient = { PatientID: order.patientId, IssuerOfPatientID: order.issuer };
  const isTheirs = order.patientId === "" || isOf({ attributes }, patient);
  return isSame && isTheirs && (order.facility === "" || order.facility === facility);
}

/** The steps of an order, found by either number. */
const ofOrder = (steps: HeldSteps, order: OrderRef): HeldStep[] =>
  steps
    .having([[`${key.placerNumber} ${order.placer}`, `${key.fillerNumber} ${order.filler}`]])
    .filter(({ content }) => isOfOrder(content, order));

/** A step with the identifiers by which its order is known already: the filler's number often comes after the placer's. */
export function asKnown(attributes: DicomJson, order: PlannedOrder, steps: HeldSteps): DicomJson {
  const { names } = order;
  const procedureAt = keyOf("RequestedProcedureID");
  // Another procedure of the order is another study.
  const known = ofOrder(steps, order)
    .map(({ content }) => content.attributes)
    .filter((one) => !names.procedure || textAt(one, procedureAt) === textAt(attributes, procedureAt));
  const [first] = known;
  if (first === undefined || names.study) return attributes;
  const named = { ...attributes, ...taken(first, key.studyUid), ...taken(first, procedureAt) };
  if (known.length > 1 || names.step || names.procedure) return named;
  const step: DicomJson = { ...stepOf(attributes), ...taken(stepOf(first), key.stepId) };
  return { ...named, [key.steps]: sequenceOf(step) };
}

function taken(from: DicomJson, at: string): DicomJson {
  const element = from[at];
  return element === undefined ? {} : { [at]: element };
}

/** Whether a step is of that patient. */
export function isOf(
  { attributes }: Pick<StepContent, "attributes">,
  { PatientID, IssuerOfPatientID = "" }: StepPatient,
): boolean {
  const said = textAt(attributes, key.issuer);
  return (
    textAt(attributes, key.patientId) === PatientID &&
    (said === "" || IssuerOfPatientID === "" || said === IssuerOfPatientID)
  );
}

function withChange(content: StepContent, { status, startDate, startTime, stationAes = [] }: OrderChange): StepContent {
  const { attributes, planned } = content;
  const step: DicomJson = {
    ...stepOf(attributes),
    ...(startDate && { [key.startDate]: { vr: "DA", Value: [startDate] } }),
    ...(startTime && { [key.startTime]: { vr: "TM", Value: [startTime] } }),
    ...(stationAes.length > 0 && { [key.stationAe]: { vr: "AE", Value: [...stationAes] } }),
  };
  // Booked again after a cancellation: what was performed, or is known to be done, stays so.
  const isDone = status === "SCHEDULED" && (wasBegun(content) || planned === "COMPLETED");
  const next = isDone ? planned : (status ?? planned);
  return { ...content, attributes: { ...attributes, [key.steps]: sequenceOf(step) }, planned: next };
}
