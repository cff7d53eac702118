import type { PresentationContext } from "./pdu.ts";
import { abortReason, PduError } from "./pdu.ts";

/** Where the bytes of a data set go. */
export interface DataSetSink {
  /** `bytes` are valid until this returns or its promise resolves. */
  write(bytes: Uint8Array): undefined | Promise<void>;
  /** All bytes are written, once `after` has resolved. Nothing more is read until what is returned resolves. */
  complete(after: undefined | Promise<void>): undefined | Promise<void>;
  abort(): void;
}

export interface Assembly {
  /** Takes a piece of a fragment; throws `PduError` for one that cannot come here. */
  data(contextId: number, command: boolean, last: boolean, bytes: Uint8Array): undefined | Promise<void>;
  /** The next bytes on this context are the data set of the command that came last. */
  expectDataSet(contextId: number, sink: DataSetSink): void;
  /** Whether a message is half here. */
  busy(): boolean;
  end(): void;
}

/**
 * Puts messages together from fragments (PS3.8 Annex E, PS3.7 §6.3.1): a command set is collected, up to
 * `commandBytesMax`; a data set is handed on piece by piece.
 */
export function createAssembly(options: {
  readonly contexts: ReadonlyMap<number, PresentationContext>;
  readonly commandBytesMax: number;
  /** `bytes` are valid for the time of the call only. */
  commandComplete(context: PresentationContext, bytes: Uint8Array): undefined | Promise<void>;
  commandTooLarge(): void;
}): Assembly {
  let expected: { contextId: number; sink: DataSetSink } | undefined;
  let parts: Uint8Array[] = [];
  let partsBytes = 0;
  let partsContext = 0;

  const commandFragment = (context: PresentationContext, last: boolean, bytes: Uint8Array) => {
    if (expected) throw new PduError(abortReason.unexpectedParameter, "a command within a data set");
    if (parts.length > 0 && partsContext !== context.id) {
      throw new PduError(abortReason.invalidParameter, "a command in two presentation contexts");
    }
    if (partsBytes + bytes.length > options.commandBytesMax) {
      options.commandTooLarge();
      return undefined;
    }
    if (last && parts.length === 0) return options.commandComplete(context, bytes);
    partsContext = context.id;
    partsBytes += bytes.length;
    if (bytes.length > 0) parts.push(new Uint8Array(bytes));
    if (!last) return undefined;
    const whole = Buffer.concat(parts);
    parts = [];
    partsBytes = 0;
    return options.commandComplete(context, whole);
  };

  return {
    data(contextId, command, last, bytes) {
      const context = options.contexts.get(contextId);
      if (!context) throw new PduError(abortReason.invalidParameter, "data in a context that was not accepted");
      if (command) return commandFragment(context, last, bytes);
      if (expected?.contextId !== contextId) {
        throw new PduError(abortReason.unexpectedParameter, "a data set that no command announced");
      }
      const { sink } = expected;
      const kept = bytes.length > 0 ? sink.write(bytes) : undefined;
      if (last) {
        expected = undefined;
        return sink.complete(kept) ?? kept;
      }
      return kept;
    },
    expectDataSet(contextId, sink) {
      expected = { contextId, sink };
    },
    busy: () => expected !== undefined || parts.length > 0,
    end() {
      expected?.sink.abort();
      expected = undefined;
      parts = [];
    },
  };
}
