/**
 * A sealed object as it stands in a pack, found by its framing alone. Framing proves nothing: who opens it does.
 */
export interface FoundObject {
  readonly pack: string;
  /** First byte of its header. */
  readonly start: number;
  /** First byte of its footer; what `SealedPlace.offset` holds. */
  readonly offset: number;
  readonly endPosition: number;
  readonly id: string;
  readonly studyToken: string;
  readonly sizeBytes: number;
}

/** Bytes in a pack that belong to no object that was finished: a torn or a damaged one. */
export interface Gap {
  readonly pack: string;
  readonly gapFrom: number;
  readonly gapTo: number;
}

/** One object on its way into a pack, contiguous there. Exactly one of `commit` and `abort` ends it. */
export interface ObjectWriter {
  readonly pack: string;
  /** Position of its first byte. */
  readonly start: number;
  /** Everything in the pack before this position is on stable storage. Never behind `start`. */
  readonly provenTo: number;
  /**
   * Writes parts behind what came before; resolves when the system has taken them, which is not stable storage. Parts must not
   * change until then. May be called again before that. A rejection (a Problem) ends the writer: nothing of it will be found.
   */
  write(parts: readonly Uint8Array[]): Promise<void>;
  /** The last parts; resolves when all of the object is on stable storage. Objects that wait at the same time share a sync. */
  commit(parts: readonly Uint8Array[]): Promise<void>;
  /** Nothing of the object will be found. Never rejects. */
  abort(): Promise<void>;
}

export interface PackState {
  readonly pack: string;
  /** Up to here the pack holds only what was acknowledged (and old gaps). */
  readonly endPosition: number;
}

/** Port: where sealed objects rest, in append-only packs. */
export interface SealedObjects {
  /**
   * Makes ready for writing, once, before anything else. What the last process finished without hearing that it is on
   * stable storage is synced and then shown to `prove`; what is not proven will never be found.
   */
  start(prove: (found: FoundObject) => Promise<boolean>): Promise<void>;
  /** Waits while as many objects are under way as there are lanes. Problem "no-room" before the reserve is touched. */
  begin(): Promise<ObjectWriter>;
  /** Reads up to `into.length` bytes; the count read. Problem "absent" when there is no such pack. */
  read(pack: string, position: number, into: Uint8Array): Promise<number>;
  packs(): Promise<PackState[]>;
  /** Objects and gaps of one pack from a position (an end position, or 0) up to what was acknowledged when it began. */
  scan(pack: string, from: number): AsyncIterable<FoundObject | Gap>;
  /** Ends what is under way (writers that did not commit are aborted) and closes files. */
  close(): Promise<void>;
}
