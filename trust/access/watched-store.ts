/** A patient whose every look is reviewed: a colleague, a public person. */
export interface MarkedPatient {
  /** Token of the patient. */
  readonly patient: string;
  /** Why, sealed. */
  readonly reasonSealed: Uint8Array;
  /** Actor id. */
  readonly markedBy: string;
  readonly markedAt: number;
}

/** What is known of a person with an account besides its name, sealed: to notice who looks at their own family. */
export interface StoredPersonFacts {
  readonly accountId: string;
  readonly sealed: Uint8Array;
}

/** Port: of whom reviews are noted. Every write is durable when it resolves. */
export interface WatchedStore {
  /** Adds it, or puts it in the place of the one there is. */
  markPatient(marked: MarkedPatient): Promise<void>;
  /** The newest first. */
  markedPatients(): Promise<MarkedPatient[]>;
  /** False when it was not marked. */
  unmarkPatient(patient: string): Promise<boolean>;
  /** For an account that is there; they go with it. */
  putPersonFacts(facts: StoredPersonFacts): Promise<void>;
  personFacts(): Promise<StoredPersonFacts[]>;
}
