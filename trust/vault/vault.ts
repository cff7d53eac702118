/** Where a sealed object rests: its pack and the position of its footer there. Says nothing about what it is. */
export interface SealedPlace {
  readonly pack: string;
  readonly offset: number;
}

/** Which key an object is sealed under, and what is bound into it. */
export interface SealedUnder {
  /** Random token of the study; the study's data key is kept under it. */
  readonly studyToken: string;
}

/** One object on its way into the vault. Exactly one of `finish` and `abort` ends it. */
export interface Sealing {
  /** Random token of the object (32 hex digits). */
  readonly id: string;
  /**
   * Takes the next bytes. They are copied or used up before it returns, so the caller may reuse its buffer at once.
   * Returns a promise when the caller should wait before sending more.
   */
  write(bytes: Uint8Array): void | Promise<void>;
  /**
   * Ends the object with a record that recovery will find without opening the object (sealed too, up to 1 MiB), and
   * resolves when object and record are on stable storage. Many callers share one sync. After a rejection nothing of the
   * object will ever be found again.
   */
  finish(
    record: Uint8Array,
  ): Promise<{ readonly place: SealedPlace; readonly endPosition: number; readonly sizeBytes: number }>;
  abort(): Promise<void>;
}

export interface OpenedObject {
  readonly id: string;
  readonly studyToken: string;
  readonly sizeBytes: number;
  /** Bytes `from` (inclusive) to `to` (exclusive), verified; only the segments that hold them are opened. */
  read(from: number, to: number): Promise<Buffer>;
  /** The same in pieces, for what does not fit in memory. */
  stream(from?: number, to?: number): AsyncIterable<Buffer>;
}

/** A finished object as recovery finds it. */
export interface RecoveredObject {
  readonly id: string;
  readonly studyToken: string;
  readonly place: SealedPlace;
  readonly endPosition: number;
  readonly sizeBytes: number;
  readonly record: Buffer;
}

/** A place where bytes at rest failed their proof. */
export interface Damage {
  readonly place: SealedPlace;
  readonly what: string;
}

export interface Vault {
  /** The token of a study, made with its data key (durable before it resolves) when the study is new. */
  studyToken(studyUid: string): Promise<string>;
  seal(under: SealedUnder): Sealing;
  /** Rejects with Problem "damaged" when header or key commitment do not prove, "absent" when nothing is there. */
  open(place: SealedPlace): Promise<OpenedObject>;
  /** Finished objects behind `from` (a position in each pack; all packs not named from their start). */
  recover(from: ReadonlyMap<string, number>): AsyncIterable<RecoveredObject>;
  /** Opens every segment of every object and reports damage; `seen` is called with progress. */
  check(seen?: (progress: { objects: number; bytes: number; bytesTotal: number }) => void): AsyncIterable<Damage>;
  /** Seals a small secret (a TOTP seed, a signing key) under the tenant's key, bound to its purpose. */
  sealSecret(purpose: string, secret: Uint8Array): Buffer;
  openSecret(purpose: string, sealed: Uint8Array): Buffer;
  /** Bytes that only this tenant's keyring gives, the same at every start: a seed, a key of another part. HKDF, one purpose one result. */
  derive(purpose: string, bytes: number): Buffer;
  /** Finishes what was begun, closes files, wipes keys from memory. */
  close(): Promise<void>;
}
