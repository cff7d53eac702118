import type { Clock, Timer } from "#base/clock";
import { Problem } from "#base/problem";
import type { Assembly, DataSetSink } from "./assembly.ts";
import { type CommandSet, commandField, noDataSet } from "./command.ts";
import type { DataSetSource } from "./fragments.ts";
import type { Outbox } from "./outbox.ts";
import type { PresentationContext } from "./pdu.ts";
import { isPending } from "./status.ts";
import type { UpperLayer } from "./upper-layer.ts";

/** One response, with its data set where it has one. */
export interface DimseResponse {
  readonly context: PresentationContext;
  readonly command: CommandSet;
  readonly dataSet: Uint8Array | undefined;
}

export interface InvocationOptions {
  readonly dataSet?: DataSetSource;
  /** A pending response; who has no use for them takes none. Nothing more is read until what it returns resolves. */
  onPending?(response: DimseResponse): undefined | Promise<void>;
  /** Aborted: a C-CANCEL is sent; the final response is waited for as before. */
  readonly signal?: AbortSignal;
}

interface Invocation {
  readonly options: InvocationOptions;
  readonly answer: PromiseWithResolvers<DimseResponse>;
  /** When the peer last took or answered something of it. */
  lastMs: number;
}

interface InvocationsOptions {
  readonly layer: Pick<UpperLayer, "lastReadMs" | "unsentMs">;
  readonly assembly: Assembly;
  readonly outbox: Outbox;
  readonly window: { readonly invoked: number };
  readonly responseBytesMax: number;
  readonly responseMs: number;
  timedOut(): void;
  readonly clock: Clock;
  abort(): void;
}

/** Our requests to the peer and its responses, matched by message id (PS3.7 §6.3.2). */
export function createInvocations(options: InvocationsOptions) {
  const { assembly, layer, outbox, window, clock, abort } = options;
  const unanswered = new Map<number, Invocation>();
  const waiting: (() => void)[] = [];
  let nextId = 1;
  let taken = 0;
  let ended = false;

  const place = async () => {
    if (taken >= window.invoked) await new Promise<void>((resolve) => waiting.push(resolve));
    else taken++;
  };
  const leave = () => {
    const next = waiting.shift();
    if (next)
      next(); // the place is handed on
    else taken--;
  };
  const start = (contextId: number, command: CommandSet, asked: InvocationOptions) => {
    const id = nextId;
    nextId = (nextId % 0xffff) + 1;
    const invocation: Invocation = {
      options: asked,
      answer: Promise.withResolvers(),
      lastMs: clock.monotonicMs(),
    };
    let timer: Timer | undefined;
    // Whatever the peer sends shows that it is at work: an archive that is asked for a C-GET may say nothing of it until all is sent.
    const watch = () => {
      const now = clock.monotonicMs();
      // While we do not read ourselves it cannot be heard; that it takes what waits for it is seen still.
      const heardMs = layer.lastReadMs() ?? now - layer.unsentMs();
      const leftMs = options.responseMs - (now - Math.max(invocation.lastMs, heardMs));
      if (leftMs > 0) timer = clock.after(leftMs, watch);
      else options.timedOut();
    };
    watch();
    const stop = () => timer?.stop();
    invocation.answer.promise.then(stop, stop);
    unanswered.set(id, invocation);
    send(id, contextId, command, invocation);
    return { id, answer: invocation.answer.promise };
  };
  const send = (id: number, contextId: number, command: CommandSet, invocation: Invocation) => {
    const { options: asked, answer } = invocation;
    const request = { ...command, MessageID: id };
    if (asked.dataSet === undefined) {
      if (!outbox.put(contextId, request)) answer.reject(lost());
      return;
    }
    let begun = false;
    const onSent = () => {
      begun = true;
      invocation.lastMs = clock.monotonicMs();
    };
    outbox.stream(contextId, request, asked.dataSet, onSent).catch((error: unknown) => {
      answer.reject(ended ? lost() : error);
      if (begun) abort(); // half a data set is with the peer
    });
  };
  const deliver = (id: number, invocation: Invocation, response: DimseResponse): undefined | Promise<void> => {
    const { onPending } = invocation.options;
    if (onPending === undefined || !isPending(response.command.Status)) {
      unanswered.delete(id);
      invocation.answer.resolve(response);
      return undefined;
    }
    invocation.lastMs = clock.monotonicMs();
    return onPending(response);
  };

  return {
    async invoke(contextId: number, command: CommandSet, asked: InvocationOptions = {}): Promise<DimseResponse> {
      await place();
      try {
        if (ended) throw lost();
        const { id, answer } = start(contextId, command, asked);
        const cancel = () => void outbox.put(contextId, cancelOf(id));
        if (asked.signal?.aborted) cancel();
        asked.signal?.addEventListener("abort", cancel);
        return await answer.finally(() => {
          unanswered.delete(id);
          asked.signal?.removeEventListener("abort", cancel);
        });
      } finally {
        leave();
      }
    },
    take(context: PresentationContext, command: CommandSet): undefined | Promise<void> {
      const id = command.MessageIDBeingRespondedTo ?? -1;
      const invocation = unanswered.get(id);
      if (!invocation) {
        abort();
        return undefined;
      }
      if (command.CommandDataSetType === noDataSet) {
        return deliver(id, invocation, { context, command, dataSet: undefined });
      }
      const sink = collecting(options.responseBytesMax, abort, (dataSet) =>
        deliver(id, invocation, { context, command, dataSet }),
      );
      assembly.expectDataSet(context.id, sink);
      return undefined;
    },
    end() {
      ended = true;
      for (const { answer } of unanswered.values()) answer.reject(lost());
      unanswered.clear();
      for (const resolve of waiting.splice(0)) resolve();
    },
  };
}

function lost(): Problem {
  return new Problem("unavailable", "the association was lost before the response");
}

/** PS3.7 §9.3.2.3. */
function cancelOf(messageId: number): CommandSet {
  return {
    CommandField: commandField.cCancelRq,
    CommandDataSetType: noDataSet,
    MessageIDBeingRespondedTo: messageId,
  };
}

/** Keeps a data set until it is whole; one that is too large ends the association. */
function collecting(
  bytesMax: number,
  abort: () => void,
  whole: (dataSet: Uint8Array) => undefined | Promise<void>,
): DataSetSink {
  const parts: Buffer[] = [];
  let bytesSoFar = 0;
  return {
    write(bytes) {
      bytesSoFar += bytes.length;
      if (bytesSoFar > bytesMax) abort();
      else parts.push(Buffer.from(bytes));
      return undefined;
    },
    complete: () => (bytesSoFar > bytesMax ? undefined : whole(Buffer.concat(parts))),
    abort: () => {},
  };
}
