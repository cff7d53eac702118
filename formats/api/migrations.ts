import type { ProblemView } from "./api.ts";
import type { DestinationView } from "./transfers.ts";

/*
 * Old archives that are taken over: `/api/migrations`. Dates are YYYYMMDD.
 *
 * | route | body → answer |
 * |---|---|
 * | GET    /api/migrations             | → MigrationView[], newest first |
 * | POST   /api/migrations             | MigrationRequest → MigrationView |
 * | POST   /api/migrations/:id/pause   | → MigrationView |
 * | POST   /api/migrations/:id/resume  | → MigrationView; what was set aside is tried again |
 * | POST   /api/migrations/:id/stop    | → MigrationView; for good |
 * | DELETE /api/migrations/:id         | one that is over is forgotten |
 * | GET    /api/migrations/:id/follow  | → lines of `{progress}`, then `{report: MigrationView}` when it does not run any more |
 * | GET    /api/migrations/:id/report  | → MigrationReportView; as text/csv its days |
 * | GET    /api/migrations/:id/studies | ?identified=true → MigrationStudyView[], those that are not whole; as text/csv more of them |
 */

export interface MigrationRequest {
  /** Id of the machine. */
  readonly from: string;
  readonly dates: { readonly from: string; readonly to: string };
  /** `newest` where absent. */
  readonly order?: "newest" | "oldest";
  /** Look for studies without a date, too; true where absent. */
  readonly undated?: boolean;
  readonly modalities?: readonly string[];
  /** Compare, and fetch nothing. */
  readonly checkOnly?: boolean;
  /** Studies at once, 1 to 4. */
  readonly associations?: number;
  readonly studiesPerMinute?: number;
  readonly megabytesPerMinute?: number;
  /** From the one until before the other, over midnight where it is the smaller. */
  readonly hours?: { readonly from: number; readonly to: number };
  /** The archive answers with at most so many studies. */
  readonly answersMost?: number;
}

/** Studies by what became of them, and instances. */
export interface MigrationCounts {
  readonly found: number;
  readonly waiting: number;
  /** Whole, and were before. */
  readonly heldBefore: number;
  /** Whole, and something of them was fetched. */
  readonly fetched: number;
  readonly short: number;
  readonly differs: number;
  readonly failed: number;
  readonly passedOver: number;
  readonly instancesListed: number;
  readonly instancesBefore: number;
  readonly instancesFetched: number;
  readonly instancesMissing: number;
  readonly conflicts: number;
  readonly bytes: number;
}

export interface MigrationView {
  readonly id: string;
  /** The machine; its title is "" when it is not registered any more. */
  readonly device: DestinationView;
  /** Who started it, or resumed it last. */
  readonly by: string;
  readonly state: "running" | "paused" | "stopped" | "done";
  readonly startedAt: number;
  readonly changedAt: number;
  readonly asked: Omit<MigrationRequest, "from">;
  readonly totals: MigrationCounts;
  readonly daysListed: number;
  readonly days: number;
  /** Of which the archive may not have listed everything. */
  readonly unsureDays: number;
  readonly studiesPerMinute?: number;
  /** When it will be done if it goes on like this. */
  readonly endsAt?: number;
  /** How far it is, in a sentence. */
  readonly says: string;
  /** What went wrong last, or why it does not go on. */
  readonly trouble?: ProblemView & { readonly at: number };
}

export interface MigrationTally {
  /** A day, a month (YYYYMM), "undated", or modalities. */
  readonly of: string;
  readonly counts: MigrationCounts;
}

export interface MigrationReportView {
  readonly migration: MigrationView;
  readonly days: readonly MigrationTally[];
  readonly months: readonly MigrationTally[];
  readonly modalities: readonly MigrationTally[];
}

/** A study that is not whole. */
export interface MigrationStudyView {
  /** Stands for it here, and says nothing. */
  readonly token: string;
  readonly state: "short" | "differs" | "failed";
  /** YYYYMM, or "" without a date. */
  readonly month: string;
  readonly modalities: readonly string[];
  readonly listed: number;
  readonly missing: number;
  readonly attempts: number;
  readonly problem?: Pick<ProblemView, "code" | "message">;
  /** For who may know, and asked. */
  readonly identity?: {
    readonly studyUid: string;
    readonly date: string;
    readonly patientId: string;
    readonly patientName: string;
    readonly accession: string;
  };
}
