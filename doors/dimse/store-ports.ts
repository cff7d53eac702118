/** What is known of an instance before its data set comes. */
export interface StoreRequest {
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
  readonly transferSyntaxUid: string;
  readonly callingAe: string;
  readonly associationId: string;
  readonly messageId: number;
  /** Priority is HIGH (PS3.7 §9.1.1.1): somebody waits for it. */
  readonly isUrgent: boolean;
}

/** One data set on its way in. */
export interface Receiving {
  /**
   * Takes the next bytes of the data set. They are a view of the socket's buffer and valid only until this returns or,
   * when it returns a promise, until that settles; until then nothing more is read from the peer. Throwing or
   * rejecting refuses the instance: `abort` follows, the rest is read and dropped, the association lives on.
   */
  write(bytes: Uint8Array): undefined | Promise<void>;
  /** Resolves when the instance rests on stable storage; the peer is told Success then. A `Problem` tells it otherwise. */
  finish(): Promise<void>;
  /** The instance will not be completed. Called at most once, never after `finish`. */
  abort(reason: AbortReason): void;
}

export type AbortReason = "association-lost" | "refused";
