import { Problem } from "#base/problem";
import { type CommandSet, commandField, noDataSet } from "./command.ts";
import type { StoreInstance } from "./outbound.ts";
import type { PresentationContext } from "./pdu.ts";

/** C-STORE-RQ (PS3.7 §9.3.1.1), but for the message id. */
export function storeCommand({ sopClassUid, sopInstanceUid, moveOriginator }: StoreInstance): CommandSet {
  return {
    CommandField: commandField.cStoreRq,
    CommandDataSetType: noDataSet,
    AffectedSOPClassUID: sopClassUid,
    AffectedSOPInstanceUID: sopInstanceUid,
    Priority: 0,
    MoveOriginatorApplicationEntityTitle: moveOriginator?.ae,
    MoveOriginatorMessageID: moveOriginator?.messageId,
  };
}

/** Throws a Problem `unsupported` where there is none. */
export function contextFor(
  contexts: readonly PresentationContext[],
  sopClassUid: string,
  transferSyntaxUid?: string,
): PresentationContext {
  const found = contexts.find(
    (context) =>
      context.sopClassUid === sopClassUid &&
      (transferSyntaxUid === undefined || context.transferSyntaxUid === transferSyntaxUid),
  );
  if (!found) throw new Problem("unsupported", "the peer accepted no presentation context for this object");
  return found;
}
