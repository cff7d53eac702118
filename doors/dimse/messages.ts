import type { Log } from "#base/log";
import { type Assembly, createAssembly, type DataSetSink } from "./assembly.ts";
import {
  CommandError,
  type CommandSet,
  commandField,
  type DecodedCommand,
  decodeCommand,
  encodeCommand,
  noDataSet,
  responseBit,
} from "./command.ts";
import { type DataSetSource, encodeFragments, fragmentBytesFor, sendDataSet } from "./fragments.ts";
import type { PresentationContext } from "./pdu.ts";
import { type Outcome, status } from "./status.ts";
import type { UpperLayer } from "./upper-layer.ts";

/** A DIMSE request as a service sees it. */
export interface DimseRequest {
  readonly context: PresentationContext;
  readonly command: CommandSet;
  readonly messageId: number;
  /** Sends a response: the outcome, and what the service adds. False when the association is gone. */
  respond(outcome: Outcome, more?: Partial<CommandSet>): boolean;
}

/** What a service does with one request. Nothing here may throw or reject: a service answers with a status. */
export interface Exchange {
  /** The next bytes of the request's data set; valid until this returns or its promise resolves. */
  write(bytes: Uint8Array): undefined | Promise<void>;
  /** The request is complete. Resolves when it is answered. */
  finish(): Promise<void>;
  /** The association is gone before the request was complete. */
  abort(): void;
  /** A C-CANCEL for this request came, while `finish` ran. */
  cancel?(): void;
}

/** Begins the work on a request whose command set has come. Services are found by command field. */
export type DimseHandler = (request: DimseRequest) => Exchange;

/** The DIMSE services of one association: requests in, responses out, and the other way round (PS3.7 §8). */
export interface Messages {
  readonly data: Assembly["data"];
  /** Sends a request with its data set; resolves with the response, rejects when the association ends before. */
  request(contextId: number, command: CommandSet, dataSet?: DataSetSource): Promise<CommandSet>;
  /** `receiving` a request, or `working` on one that is complete. */
  activity(): "idle" | "receiving" | "working";
  /** Resolves when no request is coming in or being worked on, or when the association is over. */
  settled(): Promise<void>;
  /** The association is gone. */
  end(): void;
}

export interface MessagesOptions {
  readonly layer: Pick<UpperLayer, "send" | "drained" | "abort">;
  readonly contexts: ReadonlyMap<number, PresentationContext>;
  /** The peer's maximum length received; 0 is no limit. */
  readonly peerPduBytesMax: number;
  readonly handlers: ReadonlyMap<number, DimseHandler>;
  readonly commandBytesMax: number;
  readonly log: Log;
}

export function createMessages(options: MessagesOptions): Messages {
  const { layer, contexts, commandBytesMax } = options;
  const fragmentBytes = fragmentBytesFor(options.peerPduBytesMax);
  const send = (contextId: number, command: CommandSet) =>
    layer.send(encodeFragments(contextId, true, encodeCommand(command), fragmentBytes));
  const abort = () => void layer.abort();

  const assembly: Assembly = createAssembly({
    contexts,
    commandBytesMax,
    commandTooLarge: abort,
    commandComplete(context, bytes) {
      const decoded = decodedOrAbort(bytes, abort);
      if (!decoded) return undefined;
      const { command } = decoded;
      const field = command.CommandField;
      if (field === commandField.cCancelRq) requests.cancel(command.MessageIDBeingRespondedTo);
      else if ((field & responseBit) !== 0) responses.take(context.id, command);
      else return requests.take(context, decoded);
      return undefined;
    },
  });
  const requests = createRequests(options, assembly, send, abort);
  const responses = createResponses(assembly, abort);

  return {
    data: assembly.data,
    request(contextId, command, dataSet) {
      const { id, answer } = responses.expect();
      if (!send(contextId, { ...command, MessageID: id })) responses.fail(id);
      else if (dataSet) {
        sendDataSet(layer, contextId, dataSet, fragmentBytes).catch(() => {
          responses.fail(id);
          abort();
        });
      }
      return answer;
    },
    activity: requests.activity,
    settled: requests.settled,
    end() {
      requests.end();
      responses.end();
    },
  };
}

function decodedOrAbort(bytes: Uint8Array, abort: () => void): DecodedCommand | undefined {
  try {
    return decodeCommand(bytes);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    abort();
    return undefined;
  }
}

/** The requests of the peer: one at a time, since the asynchronous operations window is one (PS3.7 §D.3.3.3). */
function createRequests(
  { handlers, log }: MessagesOptions,
  assembly: Assembly,
  send: (contextId: number, command: CommandSet) => boolean,
  abort: () => void,
) {
  let working: { messageId: number; exchange: Exchange; done: Promise<void> } | undefined;
  let ended = false;
  let waiting: (() => void)[] = [];

  const activity = () => (working ? "working" : assembly.busy() ? "receiving" : "idle");
  const wake = () => {
    if (activity() !== "idle" && !ended) return;
    const all = waiting;
    waiting = [];
    for (const resolve of all) resolve();
  };
  const finish = (messageId: number, exchange: Exchange, after?: Promise<void>) => {
    const run = after ? after.then(() => (ended ? exchange.abort() : exchange.finish())) : exchange.finish();
    const done = run
      .catch((error: unknown) => log.error("dimse: a service failed without an answer", {}, error))
      .finally(() => {
        working = undefined;
        wake();
      });
    working = { messageId, exchange, done };
  };
  const begin = (context: PresentationContext, { command, mistyped }: DecodedCommand) => {
    const { MessageID: messageId } = command;
    if (ended) return;
    if (messageId === undefined) return abort();
    const respond: DimseRequest["respond"] = (outcome, more) =>
      send(context.id, { ...responseTo(command, messageId), ...more, ...outcome });
    const exchange = exchangeFor({ context, command, messageId, respond }, mistyped, handlers);
    if (command.CommandDataSetType === noDataSet) return finish(messageId, exchange);
    const { write, abort: abandon } = exchange;
    assembly.expectDataSet(context.id, {
      write,
      abort: abandon,
      complete: (after) => finish(messageId, exchange, after),
    });
  };

  return {
    activity,
    /** A request that comes before the one before it is answered waits, and the peer with it: nothing more is read. */
    take(context: PresentationContext, decoded: DecodedCommand): undefined | Promise<void> {
      if (working) return working.done.then(() => begin(context, decoded));
      begin(context, decoded);
      return undefined;
    },
    cancel(messageId: number | undefined) {
      if (working && working.messageId === messageId) working.exchange.cancel?.();
    },
    settled: () =>
      new Promise<void>((resolve) => {
        waiting.push(resolve);
        wake();
      }),
    end() {
      ended = true;
      assembly.end();
      wake();
    },
  };
}

function exchangeFor(
  request: DimseRequest,
  mistyped: readonly number[],
  handlers: ReadonlyMap<number, DimseHandler>,
): Exchange {
  if (mistyped.length > 0) return refusing(request, { Status: status.mistypedArgument, OffendingElement: mistyped });
  const handler = handlers.get(request.command.CommandField);
  return handler ? handler(request) : refusing(request, { Status: status.unrecognizedOperation });
}

/** The responses of the peer to our requests. */
function createResponses(assembly: Assembly, abort: () => void) {
  const pending = new Map<number, PromiseWithResolvers<CommandSet>>();
  let nextId = 1;
  let ended = false;
  const fail = (id: number) => {
    pending.get(id)?.reject(new Error("the association ended before the response"));
    pending.delete(id);
  };
  return {
    fail,
    expect() {
      const id = nextId;
      nextId = (nextId % 0xffff) + 1;
      const waiting = Promise.withResolvers<CommandSet>();
      pending.set(id, waiting);
      if (ended) fail(id);
      return { id, answer: waiting.promise };
    },
    take(contextId: number, command: CommandSet) {
      const { MessageIDBeingRespondedTo: id = -1, Status } = command;
      const waiting = pending.get(id);
      if (!waiting) return abort();
      if (command.CommandDataSetType !== noDataSet) assembly.expectDataSet(contextId, dropping);
      if (Status === status.pending || Status === status.pendingWarning) return;
      pending.delete(id);
      waiting.resolve(command);
    },
    end() {
      ended = true;
      for (const id of [...pending.keys()]) fail(id);
    },
  };
}

const dropping: DataSetSink = { write: () => undefined, complete: () => {}, abort: () => {} };

/** The elements that tie a response to its request (PS3.7 §9.3, §10.3). */
function responseTo(command: CommandSet, messageId: number): CommandSet {
  return {
    CommandField: command.CommandField | responseBit,
    CommandDataSetType: noDataSet,
    MessageIDBeingRespondedTo: messageId,
    AffectedSOPClassUID: command.AffectedSOPClassUID ?? command.RequestedSOPClassUID,
    AffectedSOPInstanceUID: command.AffectedSOPInstanceUID ?? command.RequestedSOPInstanceUID,
  };
}

/** Reads a request to its end, drops what it holds, and answers with a failure. */
export function refusing(request: DimseRequest, outcome: Outcome): Exchange {
  return {
    write: () => undefined,
    async finish() {
      request.respond(outcome);
    },
    abort: () => {},
  };
}
