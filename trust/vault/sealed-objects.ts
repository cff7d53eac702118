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

/** Bytes of a pack from header to behind the footer of a finished object, of several in a row, or of a gap. */
export interface PackRange {
  readonly pack: string;
  readonly from: number;
  readonly to: number;
}

/** An object that compaction put elsewhere. */
export interface ObjectMove {
  readonly from: Pick<FoundObject, "pack" | "offset">;
  readonly to: Pick<FoundObject, "pack" | "offset">;
}

export interface PackState {
  readonly pack: string;
  /** Up to here the pack holds only what was acknowledged (and old gaps). */
  readonly endPosition: number;
  /** How much of that was discarded. */
  readonly discardedBytes: number;
  /** Nothing more is written to it. */
  readonly isEnded: boolean;
  /** The last process stopped while it compacted this pack: `compact` goes on where it stopped. */
  readonly isMoving: boolean;
}

/** How one pack is compacted. */
export interface Compacting {
  /**
   * Whether an object stays. Asked for each one before it is copied, and again for each copy before the pack is removed: it proves
   * every byte, and rejects with Problem "damaged" when they do not prove. False only for what was deleted on purpose: a key that
   * is not there is no such purpose.
   */
  keeps(found: FoundObject): boolean | Promise<boolean>;
  /**
   * Notes durably where the objects lie from now on; `into` is the pack that holds them, and its end (undefined when nothing
   * stayed). Called again after a stop or a rejection: unknown places are passed over.
   */
  moved(
    moves: readonly ObjectMove[],
    into: { readonly pack: string; readonly position: number } | undefined,
  ): Promise<void>;
}

export interface Compacted {
  /** Objects that were moved. */
  readonly objects: number;
  readonly freedBytes: number;
  /** What did not prove. When there is any, the pack stays as it was. */
  readonly damaged: readonly PackRange[];
}

export interface ReplicaStatus {
  /** What was acknowledged and is not on stable storage in the replica. */
  readonly laggingBytes: number;
  /** Since when it does not hold all (epoch milliseconds); undefined while it keeps step. */
  readonly since: number | undefined;
  /** Packs that it holds and the first place does not: never removed, and a sign that the first place lost them. */
  readonly strangePacks: number;
}

/** The second place of the same packs, byte for byte under the same names and positions. */
export interface Replica {
  status(): ReplicaStatus;
  /** As `SealedObjects.read`. Fails while the replica cannot be reached, or does not hold that part yet. */
  read(pack: string, position: number, into: Uint8Array): Promise<number>;
  /** Copies a range over that of the other place, durably. The caller has proven the bytes that are copied. */
  repair(range: PackRange, to: "first" | "replica"): Promise<void>;
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
  /**
   * Reads up to `into.length` bytes; the count read. Problem "absent" when there is no such pack. Positions inside an object that
   * this process saw moved are read where it lies now, up to its end: a place in hand stays good until the next start.
   */
  read(pack: string, position: number, into: Uint8Array): Promise<number>;
  packs(): Promise<PackState[]>;
  /** Objects and gaps of one pack from a position (an end position, or 0) up to what was acknowledged when it began. */
  scan(pack: string, from: number): AsyncIterable<FoundObject | Gap>;
  /**
   * None of what stands in these ranges will be found again; durable when it resolves, and doing it twice changes nothing. Until
   * its pack is compacted, it can still be read by its place.
   */
  discard(ranges: readonly PackRange[]): Promise<void>;
  /**
   * Moves what stays of a pack into a new one and removes the pack. A stop at any moment loses nothing and leaves nothing twice:
   * until `moved` has resolved, the old places are those that are found. Problem "busy" while an object is being written there.
   */
  compact(pack: string, how: Compacting): Promise<Compacted>;
  /** Where a second place is configured. */
  readonly replica?: Replica;
  /** Ends what is under way (writers that did not commit are aborted) and closes files. */
  close(): Promise<void>;
}
