import type { Clock } from "#base/clock";
import { type DataSet, type DataSetInput, tagOf } from "#formats/dicom";
import { createChanging } from "./changing.ts";
import { type CommandSet, commandField, noDataSet } from "./command.ts";
import { readResponse, writeDataSetFor } from "./data-sets.ts";
import type { DimseResponse, InvocationOptions } from "./invocations.ts";
import type { Messages } from "./messages.ts";
import type {
  DimseOutcome,
  NormalizedOutcome,
  OutboundAssociation,
  RetrieveOptions,
  RetrieveOutcome,
  SubOperationCounts,
} from "./outbound.ts";
import { type PresentationContext, verificationSopClass } from "./pdu.ts";
import { problemOf, status } from "./status.ts";
import { contextFor, storeCommand } from "./store-command.ts";

/** An association that requests are made on. */
export interface RequestSession {
  readonly messages: Pick<Messages, "invoke">;
  readonly contexts: readonly PresentationContext[];
  readonly clock: Clock;
}

type Requests = Pick<
  OutboundAssociation,
  "echo" | "store" | "find" | "move" | "create" | "set" | "getAttributes" | "action" | "eventReport"
> & {
  /** C-GET, but for what takes the instances. */
  get(sopClassUid: string, identifier: DataSetInput, options?: RetrieveOptions): Promise<RetrieveOutcome>;
};

/** The DIMSE requests of ours (PS3.7 §9.1 and §10.1). */
export function requestsOn(session: RequestSession): Requests {
  const { contexts } = session;
  const classOf = (sopClassUid: string) => contextFor(contexts, sopClassUid);
  const normalized = normalizedOn(session);
  return {
    echo: async () =>
      (await exchange(session, classOf(verificationSopClass), { CommandField: commandField.cEchoRq })).outcome,
    async store(instance) {
      const context = contextFor(contexts, instance.sopClassUid, instance.transferSyntaxUid);
      const { outcome } = await exchange(session, context, storeCommand(instance), { dataSet: instance.dataSet });
      return outcome;
    },
    find: (sopClassUid, identifier, options = {}) => found(session, sopClassUid, identifier, options.signal),
    move: (sopClassUid, identifier, MoveDestination, options = {}) =>
      retrieve(
        session,
        classOf(sopClassUid),
        { CommandField: commandField.cMoveRq, MoveDestination },
        identifier,
        options,
      ),
    get: (sopClassUid, identifier, options = {}) =>
      retrieve(session, classOf(sopClassUid), { CommandField: commandField.cGetRq }, identifier, options),
    create: (uid, AffectedSOPInstanceUID, dataSet) =>
      normalized(
        uid,
        { CommandField: commandField.nCreateRq, AffectedSOPClassUID: uid, AffectedSOPInstanceUID },
        dataSet,
      ),
    set: (uid, RequestedSOPInstanceUID, dataSet) =>
      normalized(
        uid,
        { CommandField: commandField.nSetRq, RequestedSOPClassUID: uid, RequestedSOPInstanceUID },
        dataSet,
      ),
    getAttributes: (uid, RequestedSOPInstanceUID, tags = []) =>
      normalized(uid, {
        CommandField: commandField.nGetRq,
        RequestedSOPClassUID: uid,
        RequestedSOPInstanceUID,
        AttributeIdentifierList: tags.length > 0 ? tags : undefined,
      }),
    action: (uid, RequestedSOPInstanceUID, ActionTypeID, dataSet) =>
      normalized(
        uid,
        { CommandField: commandField.nActionRq, RequestedSOPClassUID: uid, RequestedSOPInstanceUID, ActionTypeID },
        dataSet,
      ),
    eventReport: (uid, AffectedSOPInstanceUID, EventTypeID, dataSet) =>
      normalized(
        uid,
        { CommandField: commandField.nEventReportRq, AffectedSOPClassUID: uid, AffectedSOPInstanceUID, EventTypeID },
        dataSet,
      ),
  };
}

type Request = Partial<CommandSet> & Pick<CommandSet, "CommandField">;

async function exchange(
  { messages, clock }: RequestSession,
  context: PresentationContext,
  request: Request,
  options?: InvocationOptions,
): Promise<{ outcome: DimseOutcome; response: DimseResponse }> {
  const beganMs = clock.monotonicMs();
  const command = { CommandDataSetType: noDataSet, AffectedSOPClassUID: context.sopClassUid, ...request };
  const response = await messages.invoke(context.id, command, options);
  const { Status = status.processingFailure, ErrorComment } = response.command;
  return { outcome: { status: Status, errorComment: ErrorComment, ms: clock.monotonicMs() - beganMs }, response };
}

function dataSetOf({ dataSet, context }: DimseResponse): DataSet | undefined {
  return dataSet && readResponse(dataSet, context.transferSyntaxUid);
}

function normalizedOn(session: RequestSession) {
  return async (sopClassUid: string, request: Request, dataSet?: DataSetInput): Promise<NormalizedOutcome> => {
    const context = contextFor(session.contexts, sopClassUid);
    const options = dataSet && { dataSet: [writeDataSetFor(dataSet, context.transferSyntaxUid)] };
    const named = request.RequestedSOPClassUID === undefined ? {} : { AffectedSOPClassUID: undefined };
    const { outcome, response } = await exchange(session, context, { ...named, ...request }, options);
    return { ...outcome, sopInstanceUid: response.command.AffectedSOPInstanceUID, dataSet: dataSetOf(response) };
  };
}

const failedUidList = tagOf("FailedSOPInstanceUIDList");

async function retrieve(
  session: RequestSession,
  context: PresentationContext,
  request: Request,
  identifier: DataSetInput,
  { signal, onProgress }: RetrieveOptions,
): Promise<RetrieveOutcome> {
  const { outcome, response } = await exchange(
    session,
    context,
    { ...request, Priority: 0 },
    {
      dataSet: [writeDataSetFor(identifier, context.transferSyntaxUid)],
      ...(signal ? { signal } : {}),
      onPending({ command }) {
        onProgress?.(countsOf(command));
        return undefined;
      },
    },
  );
  const failedSopInstanceUids = dataSetOf(response)?.texts(failedUidList) ?? [];
  return { ...outcome, ...countsOf(response.command), failedSopInstanceUids };
}

function countsOf(command: CommandSet): SubOperationCounts {
  return {
    remaining: command.NumberOfRemainingSuboperations ?? 0,
    completed: command.NumberOfCompletedSuboperations ?? 0,
    failed: command.NumberOfFailedSuboperations ?? 0,
    warning: command.NumberOfWarningSuboperations ?? 0,
  };
}

/** Matches that may wait for whoever asked before the peer is read no further. */
const waitingMax = 32;

/** C-FIND: pending responses as they are asked for. */
async function* found(
  session: RequestSession,
  sopClassUid: string,
  identifier: DataSetInput,
  signal: AbortSignal | undefined,
): AsyncGenerator<DataSet> {
  const context = contextFor(session.contexts, sopClassUid);
  const matches: DataSet[] = [];
  const { changed, next } = createChanging();
  const leaving = new AbortController();
  const stopped = AbortSignal.any(signal ? [signal, leaving.signal] : [leaving.signal]);
  stopped.addEventListener("abort", changed);
  let conclude: (() => void) | undefined;
  const failed = (error: unknown) => {
    conclude ??= () => {
      throw error;
    };
  };
  const room = async () => {
    while (matches.length >= waitingMax && !stopped.aborted) await next();
  };
  const take = (response: DimseResponse) => {
    if (stopped.aborted) return undefined;
    try {
      const match = dataSetOf(response);
      if (match) matches.push(match);
    } catch (error) {
      failed(error);
    }
    changed();
    return matches.length >= waitingMax ? room() : undefined;
  };
  const dataSet = [writeDataSetFor(identifier, context.transferSyntaxUid)];
  const request = { CommandField: commandField.cFindRq, Priority: 0 };
  const over = exchange(session, context, request, { dataSet, signal: stopped, onPending: take })
    .then(({ outcome }) => {
      conclude ??= () => judge(outcome.status, stopped.aborted);
    }, failed)
    .finally(changed);
  try {
    for (;;) {
      const match = matches.shift();
      if (match) {
        changed();
        yield match;
      } else if (conclude) return conclude();
      else await next();
    }
  } finally {
    leaving.abort(); // a C-CANCEL goes out where the peer is not done, and its last response is waited for
    await over;
  }
}

function judge(final: number, wasCancelled: boolean): void {
  if (final === status.cancelled && wasCancelled) return;
  const problem = problemOf(final, "a C-FIND");
  if (problem) throw problem;
}
