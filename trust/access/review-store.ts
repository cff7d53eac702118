import type { reviewKinds, reviewOutcomes } from "#formats/api";

export type ReviewKind = (typeof reviewKinds)[number];
export type ReviewOutcome = (typeof reviewOutcomes)[number];

/** Something that somebody else has to look at. One for each kind, actor, patient and day, counted. */
export interface StoredReview {
  readonly id: string;
  readonly kind: ReviewKind;
  /** Actor id: who did it. */
  readonly actor: string;
  /** Token of the patient; empty where it is about none in particular. */
  readonly patient: string;
  /** Token of the study at which it was noticed first; empty where it is about none. */
  readonly study: string;
  /** Days since 1970, UTC. */
  readonly day: number;
  readonly firstAt: number;
  readonly lastAt: number;
  readonly count: number;
  /** Actor id; empty until somebody decided. */
  readonly reviewer: string;
  readonly outcome: ReviewOutcome | "";
  /** What the reviewer noted, sealed. */
  readonly noteSealed: Uint8Array;
  /** 0 until somebody decided. */
  readonly decidedAt: number;
}

export type NoticedReview = Pick<StoredReview, "id" | "kind" | "actor" | "patient" | "study" | "day" | "count"> & {
  readonly at: number;
};

export interface ReviewChoice {
  readonly state?: "open" | "decided";
  /** Those that stand behind this one. */
  readonly before?: Pick<StoredReview, "lastAt" | "id">;
  readonly limit: number;
}

/** Port: the review queue. Every write is durable when it resolves. */
export interface ReviewStore {
  /**
   * Adds it, or adds its count to the open one of the same kind, actor, patient and day; what was decided stays as it was judged. True
   * when it is new.
   */
  noteReview(noticed: NoticedReview): Promise<boolean>;
  /** The last noticed first. */
  reviews(choice: ReviewChoice): Promise<StoredReview[]>;
  review(id: string): Promise<StoredReview | undefined>;
  /** False, changing nothing, when there is none or it was decided. */
  decideReview(
    id: string,
    decision: Pick<StoredReview, "reviewer" | "outcome" | "noteSealed" | "decidedAt">,
  ): Promise<boolean>;
}
