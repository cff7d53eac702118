import { asProblem, Problem, type ProblemCode } from "#base/problem";
import type { CommandSet } from "./command.ts";
import type { WithDimseDetail } from "./ports.ts";

/** Values of (0000,0900): PS3.7 Annex C, and what PS3.4 §B.2.3 and §C.4 add. */
export const status = {
  success: 0x0000,
  noSuchAttribute: 0x0105,
  invalidAttributeValue: 0x0106,
  attributeListError: 0x0107,
  processingFailure: 0x0110,
  duplicateInstance: 0x0111,
  noSuchInstance: 0x0112,
  noSuchEventType: 0x0113,
  noSuchArgument: 0x0114,
  invalidArgumentValue: 0x0115,
  attributeValueOutOfRange: 0x0116,
  invalidInstance: 0x0117,
  noSuchSopClass: 0x0118,
  classInstanceConflict: 0x0119,
  missingAttribute: 0x0120,
  missingAttributeValue: 0x0121,
  sopClassNotSupported: 0x0122,
  noSuchActionType: 0x0123,
  notAuthorized: 0x0124,
  duplicateInvocation: 0x0210,
  unrecognizedOperation: 0x0211,
  mistypedArgument: 0x0212,
  resourceLimitation: 0x0213,
  outOfResources: 0xa700,
  matchesNotCounted: 0xa701,
  subOperationsNotPerformed: 0xa702,
  destinationUnknown: 0xa801,
  identifierMismatch: 0xa900,
  subOperationsIncomplete: 0xb000,
  cannotUnderstand: 0xc000,
  cancelled: 0xfe00,
  pending: 0xff00,
  pendingWarning: 0xff01,
} as const;

/** DIMSE services whose failures are told by the same statuses. */
export type StatusFamily = "store" | "find" | "retrieve" | "normalized" | "create";

type StatusByProblem = Readonly<Record<ProblemCode, number>>;

const storing: StatusByProblem = {
  invalid: status.cannotUnderstand,
  denied: status.notAuthorized,
  unproven: status.notAuthorized,
  absent: status.notAuthorized, // doors answer forbidden and absent alike
  conflict: status.duplicateInstance,
  unsupported: status.sopClassNotSupported,
  "too-large": status.outOfResources,
  "no-room": status.outOfResources,
  busy: status.outOfResources,
  unavailable: status.outOfResources, // tells the sender to try again
  damaged: status.processingFailure,
  fault: status.processingFailure,
};

/** PS3.4 Table C.4-1. */
const finding: StatusByProblem = {
  ...storing,
  invalid: status.identifierMismatch,
  unsupported: status.identifierMismatch,
  conflict: status.cannotUnderstand,
  damaged: status.cannotUnderstand,
  fault: status.cannotUnderstand,
};

/** PS3.7 Annex C; §10.1. */
const normalized: StatusByProblem = {
  invalid: status.invalidAttributeValue,
  denied: status.notAuthorized,
  unproven: status.notAuthorized,
  absent: status.noSuchInstance,
  conflict: status.processingFailure, // the state does not allow it: PS3.4 §F.7.2.2.2; a duplicate is told by `create`
  unsupported: status.unrecognizedOperation,
  "too-large": status.resourceLimitation,
  "no-room": status.resourceLimitation,
  busy: status.resourceLimitation,
  unavailable: status.resourceLimitation,
  damaged: status.processingFailure,
  fault: status.processingFailure,
};

const ofProblem: Readonly<Record<StatusFamily, StatusByProblem>> = {
  store: storing,
  find: finding,
  /** PS3.4 Tables C.4-2 and C.4-3: what fails before the first sub-operation. */
  retrieve: {
    ...finding,
    "too-large": status.matchesNotCounted,
    "no-room": status.matchesNotCounted,
    busy: status.matchesNotCounted,
    unavailable: status.matchesNotCounted,
  },
  normalized,
  create: { ...normalized, conflict: status.duplicateInstance },
};

export type Outcome = Pick<CommandSet, "ErrorComment" | "ErrorID" | "OffendingElement" | "AttributeIdentifierList"> & {
  readonly Status: number;
};

/** Any thrown value as the status elements of a response. A message of a `Problem` holds no identifying value. */
export function outcomeOf(error: unknown, doing: string, family: StatusFamily = "store"): Outcome {
  const problem = asProblem(error, doing);
  const { offendingElements, dimseStatus, errorId } = problem as WithDimseDetail;
  return {
    Status: dimseStatus ?? ofProblem[family][problem.code],
    ErrorComment: errorComment(problem.message),
    ...(errorId === undefined ? {} : { ErrorID: errorId }),
    ...(offendingElements && offendingElements.length > 0 ? { OffendingElement: offendingElements } : {}),
  };
}

/** LO of the default character set: at most 64 characters, no backslash, no control character. */
export function errorComment(message: string): string {
  return message.replace(/[^\x20-\x5b\x5d-\x7e]/g, " ").slice(0, 64);
}

export function isPending(value: number | undefined): boolean {
  return value === status.pending || value === status.pendingWarning;
}

/** Success with a remark: B000 to BFFF, and the warnings of PS3.7 Annex C. */
export function isWarning(value: number): boolean {
  return (
    value >>> 12 === 0xb ||
    value === 0x0001 ||
    value === status.attributeListError ||
    value === status.attributeValueOutOfRange
  );
}

/** What a peer's final status means for us, where it means failure. Its comment is its own text and not repeated. */
export function problemOf(value: number, doing: string): Problem | undefined {
  if (value === status.success || isWarning(value)) return undefined;
  const code = `0x${value.toString(16).padStart(4, "0")}`;
  const problem = new Problem(codeOf(value), `the peer refused ${doing} with status ${code}`);
  return Object.assign(problem, { peerStatus: value });
}

/** The final status of a peer that a Problem of `problemOf` was made from; undefined for every other error. */
export function peerStatusOf(error: unknown): number | undefined {
  return error instanceof Problem ? (error as { readonly peerStatus?: number }).peerStatus : undefined;
}

function codeOf(value: number): ProblemCode {
  if (value >>> 8 === 0xa7 || value === status.resourceLimitation) return "busy";
  const known = codes.get(value);
  return known ?? (value >>> 12 === 0xc ? "invalid" : "unavailable");
}

const codes: ReadonlyMap<number, ProblemCode> = new Map<number, ProblemCode>([
  [status.notAuthorized, "denied"],
  [status.noSuchInstance, "absent"],
  [status.destinationUnknown, "absent"],
  [status.duplicateInstance, "conflict"],
  [status.processingFailure, "unavailable"],
  [status.sopClassNotSupported, "unsupported"],
  [status.noSuchSopClass, "unsupported"],
  [status.noSuchActionType, "unsupported"],
  [status.noSuchEventType, "unsupported"],
  [status.unrecognizedOperation, "unsupported"],
  [status.identifierMismatch, "invalid"],
  [status.noSuchAttribute, "invalid"],
  [status.invalidAttributeValue, "invalid"],
  [status.noSuchArgument, "invalid"],
  [status.invalidArgumentValue, "invalid"],
  [status.invalidInstance, "invalid"],
  [status.classInstanceConflict, "invalid"],
  [status.missingAttribute, "invalid"],
  [status.missingAttributeValue, "invalid"],
]);
