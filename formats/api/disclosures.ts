/*
 * Who looked.
 *
 * | route | answer |
 * |---|---|
 * | GET /api/studies/:token/looks        | ?before=&limit= → LooksPage: staff |
 * | GET /api/patients/:token/disclosures | ?from=&to=&excluding=tpo → DisclosureReport; text/csv by Accept: the patient, staff who print it |
 */
export type LookKind =
  | "viewed"
  | "read"
  | "listed"
  | "exported"
  | "shared"
  | "share-ended"
  | "sent"
  | "corrected"
  | "received"
  | "deleted"
  | "emergency"
  | "other";

export interface LookView {
  /** Of the entry in the log: its name for good, and what `audit prove` takes. */
  readonly index: number;
  readonly at: number;
  /** Actor id, and the name that it has. */
  readonly actor: string;
  readonly actorName: string;
  readonly act: string;
  readonly what: LookKind;
  /** As the grant said; empty for who needed none. */
  readonly purpose: string;
  readonly outcome: string;
}

export interface LooksPage {
  /** Newest first. */
  readonly looks: readonly LookView[];
  /** `before` of the page that follows. */
  readonly next?: number;
}

/** What one actor did with a patient's images on one day for one purpose (45 CFR 164.528(b)(2), (3)). */
export interface DisclosureView {
  readonly firstAt: number;
  readonly lastAt: number;
  readonly count: number;
  /** A person's or program's name, or who a share link was made for. */
  readonly who: string;
  readonly what: LookKind;
  /** In words: "looked at the images". */
  readonly description: string;
  readonly purpose: string;
  /** In words: "treatment". */
  readonly purposeDescription: string;
  /** How many studies. */
  readonly studies: number;
}

export interface DisclosureReport {
  readonly patient: string;
  readonly from: number;
  readonly to: number;
  /** Whether treatment, payment and operations were left out, which the law does not ask for. */
  readonly isExcludingTpo: boolean;
  /** Newest first. */
  readonly disclosures: readonly DisclosureView[];
}
