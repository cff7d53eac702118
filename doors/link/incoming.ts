/** An object that the edge offers. */
export interface IncomingObject {
  /** 16 random bytes in hexadecimal, lower case. */
  readonly id: string;
  readonly length: number;
  readonly sha256: Uint8Array;
}

/** The cloud's answer to an offer: it has signed for the object already, or goes on from a byte. */
export type Standing = { readonly receipt: Uint8Array } | { readonly from: number };

/**
 * Port: where the cloud puts what one edge sends. What it throws should be a `Problem`: its code is told to the edge (`no-room`, `busy`,
 * `damaged` …) and the object is given up, which leaves what is durable for another time; the rest of the session goes on.
 */
export interface Arrivals {
  /**
   * What is held of each, in the same order; at most 256 at once. `from` counts bytes from the object's beginning that would survive a
   * crash, or are in memory of this process and will be gone on from by `open`. Nothing is kept on account of a question.
   */
  standing(objects: readonly IncomingObject[]): Promise<readonly Standing[]>;
  /** Goes on with an object at the byte that `standing` said just before. */
  open(object: IncomingObject, from: number): Promise<Arrival>;
}

/** One object on its way in. Its calls come one after the other, each after the one before has resolved. */
export interface Arrival {
  /** The next bytes, which may be kept. Resolves when they are taken, not when they are durable: until then no more are asked for. */
  write(from: number, bytes: Uint8Array): Promise<void>;
  /**
   * All bytes were written. Makes the object durable, compares its hash (`damaged` when it differs, and what was held of it is dropped),
   * and gives the signed receipt, up to 16 KiB. A receipt that was given is given by `standing` from then on.
   */
  finish(): Promise<Uint8Array>;
  /** No more will come this time. Releases memory and lets another `open` go on; also after a call that has failed. */
  abandon(): Promise<void>;
}
