import { Problem, type ProblemCode } from "#base/problem";
import type { WorkItemState } from "./attributes.ts";

/** What is asked of a work item; a change of state by the state that is to be. */
export type StateAction = "create" | "request cancel" | WorkItemState;

/** `tell` its performer. A number is a status code: 0xB… a warning that it is so already, the others failures. */
export type Outcome = WorkItemState | "tell" | number;

/** Of an item that is not there, that is SCHEDULED, IN PROGRESS, COMPLETED, CANCELED. */
type Row = readonly [absent: Outcome, scheduled: Outcome, inProgress: Outcome, completed: Outcome, canceled: Outcome];

const column: Readonly<Record<WorkItemState | "absent", number>> = {
  absent: 0,
  SCHEDULED: 1,
  "IN PROGRESS": 2,
  COMPLETED: 3,
  CANCELED: 4,
};

/* PS3.4 Table CC.1.1-2. The Transaction UID is the correct one, where one is asked for. */
const table: Readonly<Record<StateAction, Row>> = {
  create: ["SCHEDULED", 0x0111, 0x0111, 0x0111, 0x0111],
  "IN PROGRESS": [0xc307, "IN PROGRESS", 0xc302, 0xc300, 0xc300],
  SCHEDULED: [0xc307, 0xc303, 0xc303, 0xc303, 0xc303],
  COMPLETED: [0xc307, 0xc310, "COMPLETED", 0xb306, 0xc300],
  CANCELED: [0xc307, 0xc310, "CANCELED", 0xc300, 0xb304],
  "request cancel": [0xc307, "CANCELED", "tell", 0xc311, 0xb304],
};
const withoutCorrectUid: Row = [0xc307, 0xc301, 0xc301, 0xc301, 0xc301];
const askForUid: ReadonlySet<StateAction> = new Set(["IN PROGRESS", "COMPLETED", "CANCELED"]);

/** What comes of an action. Whoever claims a scheduled item brings its Transaction UID: any one is correct then. */
export function outcomeOf(action: StateAction, state: WorkItemState | "absent", hasCorrectUid: boolean): Outcome {
  const row = askForUid.has(action) && !hasCorrectUid ? withoutCorrectUid : table[action];
  return row[column[state]] as Outcome;
}

/** What a `Problem` about a work item may also say: the status code of PS3.4 Annex CC. */
export interface WithUpsStatus {
  readonly upsStatus?: number;
  /** Of C301: none was given, or another one. */
  readonly transactionUid?: "missing" | "incorrect";
}

const failures: ReadonlyMap<number, readonly [ProblemCode, string]> = new Map([
  [0x0111, ["conflict", "there is a work item of this UID"]],
  [0xc300, ["conflict", "the work item may no longer be updated"]],
  [0xc301, ["invalid", "the correct Transaction UID was not given"]],
  [0xc302, ["conflict", "the work item is in progress already"]],
  [0xc303, ["invalid", "a work item is scheduled only by making it"]],
  [0xc304, ["conflict", "the work item does not have yet what this state requires"]],
  [0xc307, ["absent", "no such work item"]],
  [0xc309, ["invalid", "a work item begins SCHEDULED"]],
  [0xc310, ["conflict", "the work item is not in progress yet"]],
  [0xc311, ["conflict", "the work item is completed already"]],
  [0xc312, ["conflict", "nobody who performs the work item can be told"]],
  [0xc314, ["invalid", "this cannot be done with all work items together"]],
]);

/** The Problem of a status code; `remedy` says more of what to do. */
export function refusalOf(
  upsStatus: number,
  more: Omit<WithUpsStatus, "upsStatus"> & { remedy?: string } = {},
): Problem {
  const [code, message] = failures.get(upsStatus) ?? ["fault", "internal error"];
  const { remedy, ...detail } = more;
  return Object.assign(new Problem(code, message, { ...(remedy !== undefined && { remedy }) }), {
    upsStatus,
    ...detail,
  });
}
