import type { Log } from "#base/log";
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
import type { PresentationContext } from "./negotiation.ts";
import { abortReason, PduError } from "./pdu.ts";
import { singleValueHeaderBytes, writeSingleValueHeader } from "./pdu-encode.ts";
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
  data(contextId: number, command: boolean, last: boolean, bytes: Uint8Array): undefined | Promise<void>;
  /** Sends a request with its data set; resolves with the response, rejects when the association ends before. */
  request(contextId: number, command: CommandSet, dataSet?: DataSetSource): Promise<CommandSet>;
  /** `receiving` a request, or `working` on one that is complete. */
  activity(): "idle" | "receiving" | "working";
  /** Resolves when no request is coming in or being worked on, or when the association is over. */
  settled(): Promise<void>;
  /** The association is gone. */
  end(): void;
}

export type DataSetSource = Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

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
  const { layer, contexts, handlers, log } = options;
  const fragmentBytes = fragmentBytesFor(options.peerPduBytesMax);
  const pending = new Map<number, { resolve(response: CommandSet): void; reject(error: Error): void }>();
  /** The request whose data set is coming, if any. */
  let receiving: { contextId: number; messageId: number; exchange: Exchange } | undefined;
  let working: { messageId: number; exchange: Exchange; done: Promise<void> } | undefined;
  let partial: Uint8Array[] = [];
  let partialBytes = 0;
  let partialContext = 0;
  let nextMessageId = 1;
  let ended = false;
  let waiters: (() => void)[] = [];

  const activity = () => (working ? "working" : receiving || partialBytes > 0 ? "receiving" : "idle");
  const wake = () => {
    if (activity() !== "idle" && !ended) return;
    const all = waiters;
    waiters = [];
    for (const resolve of all) resolve();
  };

  const send = (contextId: number, command: CommandSet) =>
    layer.send(encodeFragments(contextId, true, encodeCommand(command), fragmentBytes));

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
    if (ended) return;
    const { MessageID: messageId } = command;
    if (messageId === undefined) return void layer.abort();
    const respond: DimseRequest["respond"] = (outcome, more) =>
      send(context.id, { ...responseTo(command, messageId), ...more, ...outcome });
    const request = { context, command, messageId, respond };
    const handler = handlers.get(command.CommandField);
    let exchange: Exchange;
    if (mistyped.length > 0)
      exchange = refusing(request, { Status: status.mistypedArgument, OffendingElement: mistyped });
    else if (handler) exchange = handler(request);
    else exchange = refusing(request, { Status: status.unrecognizedOperation });
    if (command.CommandDataSetType === noDataSet) finish(messageId, exchange);
    else receiving = { contextId: context.id, messageId, exchange };
  };

  const response = (contextId: number, command: CommandSet) => {
    const id = command.MessageIDBeingRespondedTo;
    const waiting = id === undefined ? undefined : pending.get(id);
    if (id === undefined || !waiting) return void layer.abort();
    if (command.CommandDataSetType !== noDataSet) receiving = { contextId, messageId: id, exchange: dropping };
    if (isPending(command.Status)) return;
    pending.delete(id);
    waiting.resolve(command);
  };

  const commandComplete = (context: PresentationContext, bytes: Uint8Array): undefined | Promise<void> => {
    let decoded: DecodedCommand;
    try {
      decoded = decodeCommand(bytes);
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      layer.abort();
      return undefined;
    }
    const { command } = decoded;
    if (command.CommandField === commandField.cCancelRq) {
      if (working?.messageId === command.MessageIDBeingRespondedTo) working?.exchange.cancel?.();
    } else if ((command.CommandField & responseBit) !== 0) {
      response(context.id, command);
    } else if (working) {
      // The default asynchronous operations window is one (PS3.7 §D.3.3.3): the next request waits its turn unread.
      return working.done.then(() => begin(context, decoded));
    } else {
      begin(context, decoded);
    }
    return undefined;
  };

  const commandFragment = (context: PresentationContext, last: boolean, bytes: Uint8Array) => {
    if (receiving) throw new PduError(abortReason.unexpectedParameter, "a command within a data set");
    if (partialBytes > 0 && partialContext !== context.id) {
      throw new PduError(abortReason.invalidParameter, "a command in two presentation contexts");
    }
    if (partialBytes + bytes.length > options.commandBytesMax) {
      layer.abort();
      return undefined;
    }
    if (last && partialBytes === 0) return commandComplete(context, bytes);
    partialContext = context.id;
    partialBytes += bytes.length;
    partial.push(new Uint8Array(bytes));
    if (!last) return undefined;
    const whole = Buffer.concat(partial);
    partial = [];
    partialBytes = 0;
    return commandComplete(context, whole);
  };

  const data: Messages["data"] = (contextId, command, last, bytes) => {
    if (command || !receiving || receiving.contextId !== contextId) {
      const context = contexts.get(contextId);
      if (!context) throw new PduError(abortReason.invalidParameter, "data in a context that was not accepted");
      if (command) return commandFragment(context, last, bytes);
      throw new PduError(abortReason.unexpectedParameter, "a data set that no command announced");
    }
    const { exchange, messageId } = receiving;
    const kept = bytes.length > 0 ? exchange.write(bytes) : undefined;
    if (last) {
      receiving = undefined;
      finish(messageId, exchange, kept);
    }
    return kept;
  };

  const request: Messages["request"] = (contextId, command, dataSet) => {
    if (ended) return Promise.reject(new Error("the association is over"));
    const id = nextMessageId;
    nextMessageId = (nextMessageId % 0xffff) + 1;
    const answer = new Promise<CommandSet>((resolve, reject) => pending.set(id, { resolve, reject }));
    const sent = send(contextId, { ...command, MessageID: id });
    if (!sent) pending.get(id)?.reject(new Error("the association is over"));
    else if (dataSet) {
      sendDataSet(layer, contextId, dataSet, fragmentBytes).catch((error: unknown) => {
        pending.get(id)?.reject(error instanceof Error ? error : new Error("sending a data set failed"));
        layer.abort();
      });
    }
    return answer;
  };

  return {
    data,
    request,
    activity,
    settled: () =>
      new Promise((resolve) => {
        waiters.push(resolve);
        wake();
      }),
    end() {
      ended = true;
      receiving?.exchange.abort();
      receiving = undefined;
      for (const { reject } of pending.values()) reject(new Error("the association ended before the response"));
      pending.clear();
      wake();
    },
  };
}

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

const dropping: Exchange = { write: () => undefined, finish: async () => {}, abort: () => {} };

function isPending(value: number | undefined): boolean {
  return value === 0xff00 || value === 0xff01;
}

/** Our own bound where the peer states none, or one beyond reason. */
const sendPduBytesMax = 131_072;

/** Smallest maximum length that can carry data: PDV header (6) and one pair of bytes; fragments are of even size. */
export const usablePduBytesMin = 8;

/** Data bytes a fragment may have so that its PDU is never longer than the peer takes (PS3.8 §D.1). */
export function fragmentBytesFor(peerPduBytesMax: number): number {
  const most = peerPduBytesMax === 0 ? sendPduBytesMax : Math.min(peerPduBytesMax, sendPduBytesMax);
  if (most < usablePduBytesMin) throw new RangeError("no data fits the peer's maximum length");
  return (most - 6) & ~1;
}

/** A whole command set or small data set as P-DATA-TF PDUs of one fragment each, in one buffer. */
export function encodeFragments(contextId: number, command: boolean, bytes: Uint8Array, fragmentBytes: number): Buffer {
  const count = Math.max(1, Math.ceil(bytes.length / fragmentBytes));
  const out = Buffer.allocUnsafe(bytes.length + count * singleValueHeaderBytes);
  let at = 0;
  for (let i = 0; i < count; i++) {
    const fragment = bytes.subarray(i * fragmentBytes, (i + 1) * fragmentBytes);
    writeSingleValueHeader(out, at, { contextId, command, last: i === count - 1, fragmentBytes: fragment.length });
    out.set(fragment, at + singleValueHeaderBytes);
    at += singleValueHeaderBytes + fragment.length;
  }
  return out;
}

/** Sends a data set as it comes, a fragment a PDU, no faster than the transport takes it. Bytes are not copied. */
async function sendDataSet(
  layer: Pick<UpperLayer, "send" | "drained">,
  contextId: number,
  source: DataSetSource,
  fragmentBytes: number,
): Promise<void> {
  let held: Uint8Array | undefined; // one fragment behind, so that the last can be marked
  const put = async (fragment: Uint8Array, last: boolean) => {
    const header = Buffer.allocUnsafe(singleValueHeaderBytes);
    writeSingleValueHeader(header, 0, { contextId, command: false, last, fragmentBytes: fragment.length });
    if (!layer.send(header, fragment)) throw new Error("the association is over");
    await layer.drained();
  };
  for await (const piece of source) {
    for (let at = 0; at < piece.length; at += fragmentBytes) {
      if (held) await put(held, false);
      held = piece.subarray(at, at + fragmentBytes);
    }
  }
  await put(held ?? new Uint8Array(0), true);
}
