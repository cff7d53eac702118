/**
 * Port: where the lines of the audit log rest, with the hashes of its tree and its signed checkpoints. It knows nothing of
 * what they say. One call of `append`, `writeHashes` and `appendCheckpoint` each at a time.
 */
export interface EntryStore {
  /** How many lines are there. */
  size(): number;
  /**
   * Adds lines behind the last and resolves when they are on stable storage. On a rejection none of them counts; after a
   * failed sync every later append is rejected, until the store is opened again: what is on the disk is not known.
   */
  append(lines: readonly Uint8Array[]): Promise<void>;
  /** Lines `from` (inclusive) to `to` (exclusive). Rejects with Problem "damaged" when they cannot be read as written. */
  read(from: number, to: number): Promise<Buffer[]>;

  /** Keeps hashes of 32 bytes, one behind the other, from place `at` on. They may be lost or torn until `syncHashes`. */
  writeHashes(at: number, hashes: Uint8Array): Promise<void>;
  /** Those at these places; zeros where none was written. */
  readHashes(places: readonly number[]): Promise<Buffer[]>;
  syncHashes(): Promise<void>;

  /** Adds a checkpoint's note (at most 960 bytes) and resolves when it is on stable storage. */
  appendCheckpoint(note: Uint8Array): Promise<void>;
  checkpointCount(): number;
  /** Notes `from` (inclusive) to `to` (exclusive), oldest first. */
  readCheckpoints(from: number, to: number): Promise<Buffer[]>;

  /**
   * Keeps the cosignatures of a checkpoint (at most 2,000 bytes) in place of those that were kept for it, and resolves when they are
   * on stable storage. A crash meanwhile may lose both: the log does not rest on them.
   */
  writeCosignatures(checkpoint: number, lines: Uint8Array): Promise<void>;
  /** Those of checkpoints `from` (inclusive) to `to` (exclusive); empty where there are none. */
  readCosignatures(from: number, to: number): Promise<Buffer[]>;

  close(): Promise<void>;
}
