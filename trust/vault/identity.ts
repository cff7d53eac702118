/** One correction of what identifies a study. It is never changed; `radiology/archive/corrected-values.ts` says what it does. */
export interface Correction {
  /** 1, 2, … of its study. */
  readonly version: number;
  /** The same for all studies that one act corrected. */
  readonly task: string;
  /** The act of the gate: `study.correct`, `patient.merge`. */
  readonly act: string;
  /** Epoch milliseconds. */
  readonly at: number;
  /** Id of the actor. */
  readonly by: string;
  readonly reason: { readonly code: "COERCE" | "CORRECT"; readonly text: string };
  /** By keyword: what the study said, where it said anything, and what it says now; empty is nothing. */
  readonly changes: Readonly<Record<string, { readonly from?: string; readonly to: string }>>;
}

/** What identifies in one row of the index: its UID and its searchable values by keyword (PS3.6). */
export interface IdentityValues {
  /** Of the study, series or SOP instance that the row stands for. */
  readonly uid: string;
  readonly values: Readonly<Record<string, string>>;
  /** Of an instance: SHA-256 of its data set as received, lower-case hex. */
  readonly dataSetSha256?: string;
  /** Of one that came by an edge: what that vouches for. */
  readonly provenance?: {
    readonly edge: string;
    readonly key: string;
    readonly receivedAt: number;
    readonly signature: string;
  };
  /** Of a copy in conflict: the study and series that it names itself. */
  readonly studyUid?: string;
  readonly seriesUid?: string;
  /** Of a study: what was corrected, by version. `values` are the current ones. */
  readonly corrections?: readonly Correction[];
}

/** Identifying values at rest in the index, under the study's identity key. Only `reveal` gives them out. */
export interface SealedIdentity {
  readonly studyToken: string;
  readonly sealed: Uint8Array;
}

/**
 * What the blind index may do with identity: keep it, find it, look at it for itself. Nothing here hands values to a caller of
 * the index; that is `reveal`.
 */
export interface IndexBox {
  /** HMAC-SHA-256 under the index key, 32 bytes; `kind` keeps equal texts of different kinds apart. The caller cuts it. */
  digest(kind: string, text: string): Buffer;
  /** The token of the patient under whose key a study's identity lies. */
  patientOf(studyToken: string): Promise<string | undefined>;
  /** Problem "absent" when the study's keys are gone (shredded). */
  sealIdentity(studyToken: string, values: IdentityValues): Promise<Uint8Array>;
  /** Whether each passes; false for one whose keys are gone. Problem "damaged" for one that does not open. */
  examine(
    identities: readonly SealedIdentity[],
    passes: (values: IdentityValues, at: number) => boolean,
  ): Promise<boolean[]>;
  /** The same values changed and sealed again; undefined when `change` gives undefined (nothing to change). */
  amend(
    identity: SealedIdentity,
    change: (values: IdentityValues) => IdentityValues | undefined,
  ): Promise<Uint8Array | undefined>;
  /** Seals bytes of the index itself (row numbers, sort keys), bound to `context`: another context does not open it. */
  sealBlock(context: string, plain: Uint8Array): Uint8Array;
  /** Problem "damaged" when it does not prove. */
  openBlock(context: string, sealed: Uint8Array): Uint8Array;
}
