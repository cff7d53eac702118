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
    | "edge"
    | "association"
    | "patient"
    | "confirmation"
    | "grant"
    | "facility"
    | "step"
    | "message"
    | "share"
    | "review"
    | "tenant"
    | "entry"
    | "rule"
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
  /** What for, as the actor's grant says (`treatment`, `break-glass`, …); absent for who needs no grant. */
  readonly purpose?: string;
  readonly outcome: "done" | "refused" | "failed";
  /** Numbers that belong to the act (how many instances, bytes). */
  readonly counts?: Readonly<Record<string, number>>;
  /** Commitment to what is personal about the act, 64 hex digits; the log makes it from what `append` is given. */
  readonly detail?: string;
}

/** What is personal about an act, by name: from where, by which program, for which reason in somebody's words. */
export type EntryDetail = Readonly<Record<string, string>>;

/** With the salt, so that SHA-256 of both proves that this is what the entry committed to. */
export interface RevealedDetail {
  /** 64 hex digits. */
  readonly salt: string;
  readonly detail: EntryDetail;
}

/** A tree size with its root hash, signed (C2SP tlog-checkpoint, signed note). */
export interface Checkpoint {
  readonly origin: string;
  readonly size: number;
  /** SHA-256 root, 32 bytes. */
  readonly rootHash: Buffer;
  readonly at: number;
  /** The signed note as text, with the cosignatures of witnesses as far as they are there. */
  readonly note: string;
}

/** An entry before the log has stamped it and taken its detail. */
export type NewEntry = Omit<AuditEntry, "at" | "detail">;

/** The log of one tenant: append-only, a Merkle tree over its entries (RFC 6962 §2.1). */
export interface AuditLog {
  /**
   * Resolves with the entry's index when it is on stable storage; many callers share one sync. Rejects: the act must fail.
   * After a failed sync every append is rejected until the log is opened again. `detail` is kept sealed beside the log, on stable
   * storage too; values over 1,000 characters are cut.
   */
  append(entry: NewEntry, detail?: EntryDetail): Promise<number>;
  size(): number;
  latestCheckpoint(): Checkpoint | undefined;
  /** Signs the tree as it stands, durably. */
  checkpoint(): Promise<Checkpoint>;
  /** Keeps a witness's signature line with the checkpoint of this size; the caller has verified it. */
  addCosignature(size: number, line: string): Promise<void>;
  entries(from: number, to: number): Promise<AuditEntry[]>;
  /** Audit path of one entry to the root of the tree of `treeSize` (RFC 6962 §2.1.1). */
  prove(index: number, treeSize: number): Promise<Buffer[]>;
  /** Proof that the tree of `size` begins with the tree of `before` entries (RFC 6962 §2.1.2). */
  proveConsistency(before: number, size: number): Promise<Buffer[]>;
  /** Hashes of complete subtrees of 2^`level` entries, the `from`-th to before the `to`-th (C2SP tlog-tiles). */
  subtrees(level: number, from: number, to: number): Promise<Buffer[]>;
  /** What is personal about entries `from` to `to`, by their indices; those without, and those erased, are not there. */
  details(from: number, to: number): Promise<ReadonlyMap<number, RevealedDetail>>;
  /** Destroys it, and leaves the log as it is; resolves with how many were there. */
  eraseDetails(from: number, to: number): Promise<number>;
  /** Entries `from` to `to` as the bytes that were hashed, for export: `verifyLog` takes these. */
  lines(from: number, to: number): Promise<Buffer[]>;
  /** Every checkpoint that was signed, oldest first. */
  checkpoints(): AsyncIterable<Checkpoint>;
  /** The public key as a signed-note verifier key (`name+hash+base64`). */
  verifierKey(): string;
  close(): Promise<void>;
}
