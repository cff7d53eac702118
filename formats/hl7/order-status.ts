import type { Message } from "./message.ts";
import {
  type Code,
  codeField,
  componentsOf,
  type Envelope,
  messageOf,
  type OutgoingPatient,
  patientSegment,
  segmentOf,
} from "./outgoing.ts";

/** How an order stands. */
export type OrderStatus = "scheduled" | "in-progress" | "completed" | "discontinued" | "canceled";

/** What there is to say of an order. Empty: not known. */
export interface OrderState {
  readonly patient: OutgoingPatient;
  /** As placer and filler numbered it. */
  readonly placer: string;
  readonly filler: string;
  readonly accessionNumber: string;
  readonly procedure: Code;
  readonly procedureId: string;
  readonly stepId: string;
  readonly modality: string;
  readonly studyUid: string;
  /** When it is to be done: `YYYYMMDD[HHMM[SS]]`. */
  readonly startsAt: string;
  readonly status: OrderStatus;
  /** When it came to stand so. */
  readonly since: string;
}

/** ORC-5 (table 0038) and OBR-25 (table 0123). What is completed has no result yet: that one comes as a message of its own. */
const codes: Readonly<Record<OrderStatus, readonly [order: string, result: string]>> = {
  scheduled: ["SC", "S"],
  "in-progress": ["IP", "I"],
  completed: ["CM", "I"],
  discontinued: ["DC", "X"],
  canceled: ["CA", "X"],
};

/** ORM^O01 with the status of an order, as a filler tells its placer (IHE RAD TF-2 §4.3.4.2). */
export function orderStatusMessage(state: OrderState, envelope: Envelope): Message {
  const [order, result] = codes[state.status];
  const [placer, filler] = [componentsOf(state.placer), componentsOf(state.filler)];
  const starts = componentsOf("", "", "", state.startsAt);
  return messageOf(
    envelope,
    ["ORM", "O01", "ORM_O01"],
    [
      patientSegment(state.patient),
      segmentOf("ORC", { 1: "SC", 2: placer, 3: filler, 5: order, 7: starts, 9: state.since }),
      segmentOf("OBR", {
        1: "1",
        2: placer,
        3: filler,
        4: codeField(state.procedure),
        18: componentsOf(state.accessionNumber),
        19: componentsOf(state.procedureId),
        20: componentsOf(state.stepId),
        22: state.since,
        24: componentsOf(state.modality),
        25: result,
        27: starts,
      }),
      ...(state.studyUid === "" ? [] : [studySegment(state.studyUid)]),
    ],
  );
}

/** IHE RAD TF-2 Table 4.4-7: the study that an order is of. */
function studySegment(studyUid: string) {
  return segmentOf("ZDS", { 1: componentsOf(studyUid, "", "Application", "DICOM") });
}
