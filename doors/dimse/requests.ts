import type { Log } from "#base/log";
import type { Assembly } from "./assembly.ts";
import { type CommandSet, type DecodedCommand, noDataSet, responseBit } from "./command.ts";
import type { DimseResponse, InvocationOptions } from "./invocations.ts";
import type { Outbox } from "./outbox.ts";
import type { PresentationContext } from "./pdu.ts";
import { type Outcome, status } from "./status.ts";

/** A DIMSE request as a service sees it. */
export interface DimseRequest {
  readonly context: PresentationContext;
  readonly command: CommandSet;
  readonly messageId: number;
  /** Sends a response: the outcome, what the service adds, and a data set. False when the association is gone. */
  respond(outcome: Outcome, more?: Partial<CommandSet>, dataSet?: Uint8Array): boolean;
  /** Resolves when the peer takes more responses, or is gone. */
  drained(): Promise<void>;
  /** A request of ours on the same association: the sub-operations of a C-GET. */
  invoke(contextId: number, command: CommandSet, options?: InvocationOptions): Promise<DimseResponse>;
}

/** Why a request that is being worked on is to end early. */
export type Interruption = "cancelled" | "association-lost";

/** What a service does with one request. Nothing here may throw or reject: a service answers with a status. */
export interface Exchange {
  /** The next bytes of the request's data set; valid until this returns or its promise resolves. */
  write(bytes: Uint8Array): undefined | Promise<void>;
  /** The request is complete. Resolves when it is answered. */
  finish(): Promise<void>;
  /** The association is gone before the request was complete. */
  abort(): void;
  /** A C-CANCEL for this request came, or the association is gone, while `finish` ran. */
  interrupt?(why: Interruption): void;
  /** `finish` waits for messages of the peer: reading must go on whatever else it asks for meanwhile. */
  readonly converses?: boolean;
}

/** Begins the work on a request whose command set has come. Services are found by command field. */
export type DimseHandler = (request: DimseRequest) => Exchange;

interface RequestsOptions {
  readonly assembly: Assembly;
  readonly outbox: Outbox;
  readonly handlers: ReadonlyMap<number, DimseHandler>;
  readonly window: { readonly performed: number };
  readonly log: Log;
  readonly invoke: DimseRequest["invoke"];
  abort(): void;
}

/** The requests of the peer, as many at once as its asynchronous operations window allows (PS3.7 §D.3.3.3). */
export function createRequests(options: RequestsOptions) {
  const { assembly, outbox, handlers, window, log } = options;
  const working = new Map<number, { readonly exchange: Exchange; readonly done: Promise<void> }>();
  let ended = false;
  let waiting: (() => void)[] = [];

  const activity = () => (assembly.busy() ? "receiving" : working.size > 0 ? "working" : "idle");
  const wake = () => {
    if (activity() !== "idle" && !ended) return;
    const all = waiting;
    waiting = [];
    for (const resolve of all) resolve();
  };
  const run = (exchange: Exchange, after: undefined | Promise<void>) => {
    const running = after ? after.then(() => (ended ? exchange.abort() : exchange.finish())) : exchange.finish();
    return running.catch((error: unknown) => log.error("dimse: a service failed without an answer", {}, error));
  };
  const work = (messageId: number, exchange: Exchange, after?: Promise<void>) => {
    const done = run(exchange, after).finally(() => {
      working.delete(messageId);
      wake();
    });
    working.set(messageId, { exchange, done });
  };
  const begin = (context: PresentationContext, { command, mistyped }: DecodedCommand): undefined | Promise<void> => {
    const { MessageID: messageId } = command;
    if (messageId === undefined) {
      options.abort();
      return undefined;
    }
    const respond: DimseRequest["respond"] = (outcome, more, dataSet) =>
      outbox.put(context.id, { ...responseTo(command, messageId), ...more, ...outcome }, dataSet);
    const request = { context, command, messageId, respond, drained: outbox.drained, invoke: options.invoke };
    const beyond = beyondWindow(messageId);
    const exchange = beyond ? refusing(request, beyond) : exchangeFor(request, mistyped, handlers);
    const go = (after?: Promise<void>) => {
      if (beyond) void run(exchange, after);
      else work(messageId, exchange, after);
      return outbox.crowded() ? outbox.drained() : undefined;
    };
    if (command.CommandDataSetType === noDataSet) return go();
    assembly.expectDataSet(context.id, { write: exchange.write, abort: exchange.abort, complete: go });
    return undefined;
  };
  /** Refuses what would take the place of a request that is being worked on. */
  const beyondWindow = (messageId: number): Outcome | undefined => {
    if (working.has(messageId)) return { Status: status.duplicateInvocation };
    return working.size >= window.performed ? { Status: status.resourceLimitation } : undefined;
  };
  const conversing = () => {
    for (const { exchange } of working.values()) if (exchange.converses) return true;
    return false;
  };

  /**
   * A request beyond the window waits, and the peer with it: nothing more is read. While an answer of the peer itself is
   * waited for, it is refused instead.
   */
  const take = (context: PresentationContext, decoded: DecodedCommand): undefined | Promise<void> => {
    if (ended) return undefined;
    if (working.size < window.performed || conversing()) return begin(context, decoded);
    return Promise.race([...working.values()].map(({ done }) => done)).then(() => take(context, decoded));
  };

  return {
    activity,
    take,
    cancel(messageId: number | undefined) {
      if (messageId !== undefined) working.get(messageId)?.exchange.interrupt?.("cancelled");
    },
    settled: () =>
      new Promise<void>((resolve) => {
        waiting.push(resolve);
        wake();
      }),
    end() {
      ended = true;
      assembly.end();
      for (const { exchange } of working.values()) exchange.interrupt?.("association-lost");
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
