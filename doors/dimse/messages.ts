import type { Clock } from "#base/clock";
import type { Log } from "#base/log";
import { type Assembly, createAssembly } from "./assembly.ts";
import {
  CommandError,
  type CommandSet,
  commandField,
  type DecodedCommand,
  decodeCommand,
  responseBit,
} from "./command.ts";
import { createInvocations, type DimseResponse, type InvocationOptions } from "./invocations.ts";
import { createOutbox } from "./outbox.ts";
import type { PresentationContext } from "./pdu.ts";
import { createRequests, type DimseHandler } from "./requests.ts";
import type { UpperLayer } from "./upper-layer.ts";

/** The DIMSE services of one association: requests in, responses out, and the other way round (PS3.7 §8). */
export interface Messages {
  readonly data: Assembly["data"];
  /** Sends a request; resolves with the final response, rejects with a Problem when the association ends before. */
  invoke(contextId: number, command: CommandSet, options?: InvocationOptions): Promise<DimseResponse>;
  /** `receiving` a message, or `working` on a request that is complete. */
  activity(): "idle" | "receiving" | "working";
  /** Resolves when no request is coming in or being worked on, or when the association is over. */
  settled(): Promise<void>;
  /** The association is gone. */
  end(): void;
}

export interface MessagesOptions {
  readonly layer: Pick<UpperLayer, "send" | "drained" | "abort" | "lastReadMs" | "unsentMs">;
  readonly contexts: ReadonlyMap<number, PresentationContext>;
  /** The peer's maximum length received; 0 is no limit. */
  readonly peerPduBytesMax: number;
  readonly handlers: ReadonlyMap<number, DimseHandler>;
  readonly commandBytesMax: number;
  /** Of the data set of a response. */
  readonly responseBytesMax: number;
  /** Requests of the peer that are worked on at once, and of ours that are unanswered: the window of PS3.7 §D.3.3.3. */
  readonly window: { readonly performed: number; readonly invoked: number };
  /** For the peer to take, or to answer, anything of a request of ours. */
  readonly responseMs: number;
  /** It did not; the association is to end. */
  timedOut(): void;
  readonly clock: Clock;
  readonly log: Log;
}

export function createMessages(options: MessagesOptions): Messages {
  const { layer, contexts, commandBytesMax } = options;
  const outbox = createOutbox(layer, options.peerPduBytesMax);
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
      else if ((field & responseBit) !== 0) return invocations.take(context, command);
      else return requests.take(context, decoded);
      return undefined;
    },
  });
  const invocations = createInvocations({ ...options, assembly, outbox, abort });
  const requests = createRequests({ ...options, assembly, outbox, abort, invoke: invocations.invoke });

  return {
    data: assembly.data,
    invoke: invocations.invoke,
    activity: requests.activity,
    settled: requests.settled,
    end() {
      requests.end();
      invocations.end();
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
