/** What an entry is about: tokens and ids of ours, never a name, a number or a UID that came from outside. */
export interface AuditSubject {
  readonly kind:
    | "study"
    | "series"
    | "instance"
    | "query"
    | "account"
    | "session"
    | "client"
    | "device"
    | "association"
    | "patient"
    | "confirmation"
    | "tenant"
    | "system";
  readonly id: string;
}

/** One act, as it stands in the log. */
export interface AuditEntry {
  /** Epoch milliseconds. */
  readonly at: number;
  /** `user:…`, `client:…`, `device:…` with a token, or `operator`, `system`, `anonymous`. */
  readonly actor: string;
  /** For example `instance.store`, `study.read`; the acts are listed in `#trust/access`. */
  readonly act: string;
  readonly on?: AuditSubject;
  /** Tokens of the studies whose identity was opened, at most 100. */
  readonly studies?: readonly string[];
  readonly outcome: "done" | "refused" | "failed";
  /** Numbers that belong to the act (how many instances, bytes). */
  readonly counts?: Readonly<Record<string, number>>;
}

/** A tree size with its root hash, signed (C2SP tlog-checkpoint, signed note). */
export interface Checkpoint {
  readonly origin: string;
  readonly size: number;
  /** SHA-256 root, 32 bytes. */
  readonly rootHash: Buffer;
  readonly at: number;
  /** The signed note as text. */
  readonly note: string;
}

/** The log of one tenant: append-only, a Merkle tree over its entries (RFC 6962 §2.1). */
export interface AuditLog {
  /**
   * Resolves with the entry's index when it is on stable storage; many callers share one sync. Rejects: the act must fail.
   * After a failed sync every append is rejected until the log is opened again.
   */
  append(entry: Omit<AuditEntry, "at">): Promise<number>;
  size(): number;
  latestCheckpoint(): Checkpoint | undefined;
  /** Signs the tree as it stands, durably. */
  checkpoint(): Promise<Checkpoint>;
  entries(from: number, to: number): Promise<AuditEntry[]>;
  /** Audit path of one entry to the root of the tree of `treeSize` (RFC 6962 §2.1.1). */
  prove(index: number, treeSize: number): Promise<Buffer[]>;
  /** Proof that the tree of `size` begins with the tree of `before` entries (RFC 6962 §2.1.2). */
  proveConsistency(before: number, size: number): Promise<Buffer[]>;
  /** Entries `from` to `to` as the bytes that were hashed, for export: `verifyLog` takes these. */
  lines(from: number, to: number): Promise<Buffer[]>;
  /** Every checkpoint that was signed, oldest first. */
  checkpoints(): AsyncIterable<Checkpoint>;
  /** The public key as a signed-note verifier key (`name+hash+base64`). */
  verifierKey(): string;
  close(): Promise<void>;
}
