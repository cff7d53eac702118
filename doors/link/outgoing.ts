import type { Problem } from "#base/problem";

/** What goes before what: STAT, then the first instance of each series so that reading can begin, then the rest. */
export const urgencies = ["stat", "first", "routine"] as const;
export type Urgency = (typeof urgencies)[number];

/** A sealed object that waits to be sent. */
export interface OutgoingObject {
  /** 16 random bytes in hexadecimal, lower case. */
  readonly id: string;
  readonly length: number;
  readonly sha256: Uint8Array;
}

/**
 * Port: what the edge holds for the cloud. The link takes objects, and each comes back through `settle` or `refuse`, or not at all
 * when the process ends: then the queue gives it again in the next one. An object that was settled twice, or is not held, changes nothing.
 */
export interface OutgoingQueue {
  /** Up to `most` objects of this urgency, oldest first, that are not taken; they are taken from now on. */
  take(urgency: Urgency, most: number): Promise<readonly OutgoingObject[]>;
  /** The bytes [from, to) of a taken object, exactly. Asked again for what was lost on the way; never more than 64 KiB at once. */
  read(id: string, from: number, to: number): Promise<Uint8Array>;
  /**
   * The cloud holds the object and has signed for it. The queue verifies the receipt: only a receipt that it finds true lets it forget
   * the object. Throws a `Problem` otherwise; the link then gives the object back by `refuse`.
   */
  settle(id: string, receipt: Uint8Array): Promise<void>;
  /** The object was not taken, or could not be read. The queue decides whether and when it is given by `take` again. */
  refuse(id: string, problem: Problem): Promise<void>;
  /** Calls `listener` when there may be something to take. Gives what ends that. */
  onArrival(listener: () => void): () => void;
}
