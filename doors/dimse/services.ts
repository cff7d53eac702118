import { Problem } from "#base/problem";
import { commandField } from "./command.ts";
import { find } from "./find.ts";
import { hasUidForm } from "./negotiation.ts";
import { normalized, normalizedOperations } from "./normalized.ts";
import { verificationSopClass } from "./pdu.ts";
import { type DimseHandler, type DimseRequest, refusing } from "./requests.ts";
import { get, move } from "./retrieve.ts";
import { type ServiceContext, sopClassFault } from "./service-context.ts";
import { errorComment, type Outcome, outcomeOf, status } from "./status.ts";
import type { AbortReason, Receiving } from "./store-ports.ts";

/** The services of an association by command field; a further DIMSE service is a further row. */
export function handlersFor(context: ServiceContext): ReadonlyMap<number, DimseHandler> {
  const handlers = new Map<number, DimseHandler>([
    [commandField.cEchoRq, (request) => echo(context, request)],
    [commandField.cStoreRq, (request) => store(context, request)],
    [commandField.cFindRq, (request) => find(context, request)],
    [commandField.cMoveRq, (request) => move(context, request)],
    [commandField.cGetRq, (request) => get(context, request)],
  ]);
  for (const [field, operation] of normalizedOperations) {
    handlers.set(field, (request) => normalized(context, request, operation));
  }
  return handlers;
}

function echo(context: ServiceContext, request: DimseRequest) {
  if (request.context.sopClassUid !== verificationSopClass) {
    return refusing(request, { Status: status.unrecognizedOperation });
  }
  return {
    write: () => undefined,
    abort: () => {},
    async finish() {
      let outcome: Outcome = { Status: status.success };
      try {
        await context.services.echo();
        context.counts.echoes++;
      } catch (error) {
        outcome = outcomeOf(error, "answering a C-ECHO");
        context.log.warn("dimse: C-ECHO refused", { status: outcome.Status }, error);
      }
      request.respond(outcome);
    },
  };
}

/** C-STORE (PS3.7 §9.1.1, PS3.4 Annex B): one data set, streamed. */
function store(context: ServiceContext, request: DimseRequest) {
  const { counts, log } = context;
  let failure: Outcome | undefined;
  let receiving: Receiving | undefined;
  let bytesSoFar = 0;

  const fail = (error: unknown) => {
    if (failure) return;
    failure = outcomeOf(error, "storing an instance");
    counts.refused++;
    log.warn("dimse: C-STORE refused", { status: failure.Status }, error);
  };
  const failReceiving = (error: unknown) => {
    if (failure) return;
    fail(error);
    abandon("refused");
  };
  const abandon = (reason: AbortReason) => {
    const left = receiving;
    receiving = undefined;
    try {
      left?.abort(reason);
    } catch (error) {
      log.error("dimse: a store's abort failed", {}, error);
    }
  };

  failure = commandFault(request);
  if (failure) counts.refused++;
  else {
    try {
      receiving = context.services.store(storeRequest(context, request));
    } catch (error) {
      fail(error);
    }
  }

  return {
    write(bytes: Uint8Array): undefined | Promise<void> {
      if (!receiving) return undefined;
      bytesSoFar += bytes.length;
      counts.bytes += bytes.length;
      if (bytesSoFar > context.limits.objectBytesMax) {
        failReceiving(new Problem("too-large", "the object is larger than this archive takes"));
        return undefined;
      }
      try {
        return receiving.write(bytes)?.catch(failReceiving);
      } catch (error) {
        failReceiving(error);
        return undefined;
      }
    },
    async finish() {
      try {
        await receiving?.finish();
      } catch (error) {
        fail(error);
      }
      if (!failure) counts.stored++;
      request.respond(failure ?? { Status: status.success });
    },
    abort: () => abandon("association-lost"),
  };
}

/** What is wrong with the command set of a C-STORE-RQ, before any byte of its data set. */
function commandFault(request: DimseRequest): Outcome | undefined {
  const { AffectedSOPInstanceUID, CommandDataSetType } = request.command;
  const fault = sopClassFault(request);
  if (fault) return fault;
  if (AffectedSOPInstanceUID === undefined || !hasUidForm(AffectedSOPInstanceUID)) {
    return { Status: status.invalidInstance, ErrorComment: errorComment("SOP instance UID missing or not a UID") };
  }
  if (CommandDataSetType === 0x0101) {
    return { Status: status.cannotUnderstand, ErrorComment: errorComment("a C-STORE without data set") };
  }
  return undefined;
}

/** PS3.7 §E.1. */
const highPriority = 1;

function storeRequest(context: ServiceContext, request: DimseRequest) {
  return {
    sopClassUid: request.context.sopClassUid,
    sopInstanceUid: request.command.AffectedSOPInstanceUID ?? "",
    transferSyntaxUid: request.context.transferSyntaxUid,
    callingAe: context.callingAe,
    associationId: context.associationId,
    messageId: request.messageId,
    isUrgent: request.command.Priority === highPriority,
  };
}
