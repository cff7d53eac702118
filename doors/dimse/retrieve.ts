import type { Timer } from "#base/clock";
import { isProblem } from "#base/problem";
import { type DataSet, elementsOf } from "#formats/dicom";
import { retrieveOperationOf } from "./agreement.ts";
import { withDataSet, writeDataSetFor } from "./data-sets.ts";
import type { Interruptions } from "./interruptions.ts";
import { batchesOf, type MoveBatch } from "./move-contexts.ts";
import type { OutboundAssociation, StoreInstance } from "./outbound.ts";
import { type DimseRequest, type Exchange, refusing } from "./requests.ts";
import { missingIdentifier, type ServiceContext, sopClassFault } from "./service-context.ts";
import type { MoveDestination, RetrievedInstance, RetrieveService } from "./service-ports.ts";
import { outcomeOf, status } from "./status.ts";
import { contextFor, storeCommand } from "./store-command.ts";
import { giveUp, type Progress, type StoreTarget, type SubOperations, sendInstances } from "./sub-operations.ts";

/** C-MOVE (PS3.7 §9.1.4, PS3.4 §C.4.2): sub-operations on associations to the destination. */
export function move(context: ServiceContext, request: DimseRequest): Exchange {
  return retrieve(context, request, "move", async (asked) => {
    const title = request.command.MoveDestination ?? "";
    let destination: MoveDestination;
    try {
      destination = await asked.service.destination(title);
    } catch (error) {
      const outcome = outcomeOf(error, "finding a destination", "retrieve");
      const unknown = outcome.Status === status.notAuthorized; // absent or forbidden alike
      request.respond(unknown ? { ...outcome, Status: status.destinationUnknown } : outcome);
      return;
    }
    await perform(context, request, asked, async (instances, work) => {
      for (const batch of batchesOf(instances)) await sendBatch(batch, destination, context, request, work);
    });
  });
}

/** C-GET (PS3.7 §9.1.3, PS3.4 §C.4.3): sub-operations on the association that the request came on. */
export function get(context: ServiceContext, request: DimseRequest): Exchange {
  return retrieve(context, request, "get", async (asked) => {
    const { agreement } = context;
    const target: StoreTarget = {
      contexts: agreement.sendable,
      store: (instance) => storeOn(request, agreement.sendable, instance),
      isLost: () => asked.interruptions.why() === "association-lost",
    };
    await perform(context, request, asked, (instances, work) =>
      sendInstances(instances, target, work, agreement.window.invoked),
    );
  });
}

interface Asked {
  readonly service: RetrieveService;
  readonly identifier: DataSet;
  readonly interruptions: Interruptions;
}

function retrieve(
  context: ServiceContext,
  request: DimseRequest,
  operation: "move" | "get",
  work: (asked: Asked) => Promise<void>,
): Exchange {
  const { sopClassUid } = request.context;
  const service = context.services.retrieves?.get(sopClassUid);
  if (!service || retrieveOperationOf(sopClassUid) !== operation) {
    return refusing(request, { Status: status.unrecognizedOperation });
  }
  const fault = sopClassFault(request);
  if (fault) return refusing(request, fault);
  return withDataSet(request, {
    bytesMax: context.limits.identifierBytesMax,
    family: "retrieve",
    doing: `answering a C-${operation.toUpperCase()}`,
    log: context.log,
    converses: operation === "get",
    async work(identifier, interruptions) {
      if (!identifier) throw missingIdentifier();
      await work({ service, identifier, interruptions });
    },
  });
}

/** How often a peer hears how far its request is. */
const pendingMs = 1000;

/** Finds what is to be sent, does the sub-operations, tells how far they are, and how they ended. */
async function perform(
  { agreement, clock, log }: ServiceContext,
  request: DimseRequest,
  { service, identifier, interruptions }: Asked,
  send: (instances: readonly RetrievedInstance[], work: SubOperations) => Promise<unknown>,
): Promise<void> {
  const { sopClassUid } = request.context;
  const extended = agreement.extensionsOf(sopClassUid);
  const over = new AbortController();
  const signal = AbortSignal.any([interruptions.signal, over.signal]);
  const instances = await interruptions.or(service.select({ sopClassUid, identifier, extended }, signal));
  if (!instances) return void request.respond({ Status: status.cancelled });
  const progress: Progress = { remaining: instances.length, completed: 0, failed: 0, warning: 0, failedUids: [] };
  let timer: Timer | undefined;
  const tell = () => {
    request.respond({ Status: status.pending }, { ...countsOf(progress), ...remainingOf(progress) });
    timer = clock.after(pendingMs, tell);
  };
  try {
    if (instances.length > 0) tell();
    await send(instances, { progress, log, isInterrupted: () => interruptions.why() !== undefined });
  } finally {
    timer?.stop();
    over.abort();
  }
  const stopped = interruptions.why() !== undefined && progress.remaining > 0;
  const counts = stopped ? { ...countsOf(progress), ...remainingOf(progress) } : countsOf(progress);
  request.respond(
    { Status: stopped ? status.cancelled : outcomeOfAll(progress) },
    counts,
    failedList(progress, request),
  );
}

function outcomeOfAll({ completed, failed, warning }: Progress): number {
  if (failed === 0 && warning === 0) return status.success;
  return completed + warning === 0 ? status.subOperationsNotPerformed : status.subOperationsIncomplete;
}

/** US: more than 65,535 are told as so many. */
function bounded(count: number): number {
  return Math.min(count, 0xffff);
}

function countsOf({ completed, failed, warning }: Progress) {
  return {
    NumberOfCompletedSuboperations: bounded(completed),
    NumberOfFailedSuboperations: bounded(failed),
    NumberOfWarningSuboperations: bounded(warning),
  };
}

/** Told while there is something that may still be done (PS3.7 §9.1.4.1.7). */
function remainingOf({ remaining }: Progress) {
  return { NumberOfRemainingSuboperations: bounded(remaining) };
}

function failedList({ failedUids }: Progress, request: DimseRequest): Uint8Array | undefined {
  if (failedUids.length === 0) return undefined;
  return writeDataSetFor(elementsOf({ FailedSOPInstanceUIDList: failedUids }), request.context.transferSyntaxUid);
}

/** Associations that a destination may lose before the rest of a batch is given up. */
const lossesMax = 3;

async function sendBatch(
  { contexts, instances }: MoveBatch,
  destination: MoveDestination,
  { callingAe, log }: ServiceContext,
  { messageId }: DimseRequest,
  work: SubOperations,
): Promise<void> {
  let left = instances;
  for (let losses = 0; left.length > 0 && losses < lossesMax && !work.isInterrupted(); ) {
    let association: OutboundAssociation;
    try {
      association = await destination.open(contexts);
    } catch (error) {
      log.warn("dimse: the destination of a C-MOVE took no association", {}, error);
      break;
    }
    let isTorn = false;
    const target: StoreTarget = {
      contexts: association.contexts,
      async store(instance) {
        const moved = { ...instance, moveOriginator: { ae: callingAe, messageId } };
        const outcome = await association.store(moved).catch((error: unknown) => {
          // It could not be read to its end: that half of it is with the destination, and the association lost, is not the destination's doing.
          isTorn ||= !isProblem(error, "unavailable");
          throw error;
        });
        return outcome.status;
      },
      isLost: association.isOver,
    };
    left = await sendInstances(left, target, work, association.operationsMax);
    if (!association.isOver()) await association.release();
    if (!isTorn) losses++;
  }
  if (!work.isInterrupted()) giveUp(work.progress, left);
}

async function storeOn(
  request: DimseRequest,
  contexts: ServiceContext["agreement"]["sendable"],
  instance: StoreInstance,
): Promise<number> {
  const { id } = contextFor(contexts, instance.sopClassUid, instance.transferSyntaxUid);
  const { command } = await request.invoke(id, storeCommand(instance), { dataSet: instance.dataSet });
  return command.Status ?? status.processingFailure;
}
