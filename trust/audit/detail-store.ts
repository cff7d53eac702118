/** What is personal about an act (an address, a program's name, a reason in somebody's words), sealed. */
export interface SealedDetail {
  /** As it stands in the entry, 64 hex digits. */
  readonly commitment: string;
  readonly sealed: Uint8Array;
}

/**
 * Port: where the personal details of log entries rest, apart from the log: they can be erased, and the log still proves. It knows
 * nothing of what they say.
 */
export interface DetailStore {
  /** Resolves when all of them are on stable storage; on a rejection none is there. */
  put(details: readonly SealedDetail[]): Promise<void>;
  /** Those that are there, by their commitments, in no order. */
  get(commitments: readonly string[]): Promise<SealedDetail[]>;
  /** Resolves with how many were there. */
  erase(commitments: readonly string[]): Promise<number>;
}
