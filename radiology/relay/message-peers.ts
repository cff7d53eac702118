/** What a partner answered. */
export interface MessageReply {
  /** - `accepted` - `error` it could not do it now - `rejected` it never will - `unclear` what was no answer */
  readonly kind: "accepted" | "error" | "rejected" | "unclear";
  /** Why not, in its words or in ours; empty where it was accepted. */
  readonly said: string;
  readonly bytes: Uint8Array;
}

/**
 * Port: sends one message to a partner, and waits for its answer. A Problem that passes (`isPassing`) when it cannot be reached, `absent` when it is no partner
 * any more. Ends soon when `signal` is aborted.
 */
export type Deliver = (
  partner: string,
  message: { readonly id: string; readonly bytes: Uint8Array; readonly controlId: string },
  signal: AbortSignal,
) => Promise<MessageReply>;

/** A device that takes messages. */
export interface Partner {
  readonly id: string;
  readonly ae: string;
  /** Token of the facility of which alone it is told; empty: of all. */
  readonly facility: string;
  readonly takes: readonly ("results" | "status")[];
}
