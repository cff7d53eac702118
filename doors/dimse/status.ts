import { asProblem, type ProblemCode } from "#base/problem";
import type { CommandSet } from "./command.ts";
import type { WithOffendingElements } from "./ports.ts";

/** Values of (0000,0900): PS3.7 Annex C, and PS3.4 §B.2.3 for storage. */
export const status = {
  success: 0x0000,
  processingFailure: 0x0110,
  duplicateInstance: 0x0111,
  invalidInstance: 0x0117,
  missingAttribute: 0x0120,
  sopClassNotSupported: 0x0122,
  notAuthorized: 0x0124,
  unrecognizedOperation: 0x0211,
  mistypedArgument: 0x0212,
  outOfResources: 0xa700,
  cannotUnderstand: 0xc000,
  pending: 0xff00,
  pendingWarning: 0xff01,
} as const;

const ofProblem: Record<ProblemCode, number> = {
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

export type Outcome = Pick<CommandSet, "ErrorComment" | "OffendingElement"> & { readonly Status: number };

/** Any thrown value as the status elements of a response. A message of a `Problem` holds no identifying value. */
export function outcomeOf(error: unknown, doing: string): Outcome {
  const problem = asProblem(error, doing);
  const { offendingElements } = problem as WithOffendingElements;
  return {
    Status: ofProblem[problem.code],
    ErrorComment: errorComment(problem.message),
    ...(offendingElements && offendingElements.length > 0 ? { OffendingElement: offendingElements } : {}),
  };
}

/** LO of the default character set: at most 64 characters, no backslash, no control character. */
export function errorComment(message: string): string {
  return message.replace(/[^\x20-\x5b\x5d-\x7e]/g, " ").slice(0, 64);
}
