import type { ProblemCode } from "#base/problem";
import type { MigrationCounts } from "#formats/api";
import type { Dates, Stage } from "./plan.ts";

/** What an operator asked for. */
export interface MigrationSpec {
  /** Id of the machine. */
  readonly from: string;
  readonly dates: Dates;
  /** Only studies in which one of these is; empty: all. */
  readonly modalities: readonly string[];
  /** Nothing is fetched: what is here is compared with what is there. */
  readonly checkOnly: boolean;
  /** Studies that are worked on at once, each over associations of its own: 1 to 4. */
  readonly associations: number;
  readonly studiesPerMinute?: number;
  readonly megabytesPerMinute?: number;
  /** From the one until before the other, over midnight where it is the smaller. */
  readonly hours?: { readonly from: number; readonly to: number };
  /** How many studies the archive answers with at most, where it is known to cut its answers. */
  readonly answersMost?: number;
}

/** - `stopped` for good, by somebody - `done` all that was listed was tried */
export type MigrationState = "running" | "paused" | "stopped" | "done";

export interface Trouble {
  readonly code: ProblemCode;
  readonly message: string;
  readonly remedy?: string;
  readonly at: number;
}

/** A migration as it rests; it holds no value of a person's. */
export interface Job {
  readonly id: string;
  readonly spec: MigrationSpec;
  /** Id of the actor that started it, or resumed it last: it goes on as long as that one may. */
  readonly by: string;
  readonly state: MigrationState;
  readonly startedAt: number;
  readonly changedAt: number;
  /** What is listed next. */
  readonly stage: Stage;
  /** Days of which the archive may not have listed all studies. */
  readonly unsureDays: number;
  /** The archive lists the same whatever day it is asked for: it was listed once. */
  readonly ignoresDates: boolean;
  readonly totals: Counts;
  /** Why it does not go on, or what went wrong last. */
  readonly trouble?: Trouble;
}

/**
 * How a study came out:
 * - `whole`   all that the archive lists is here
 * - `more`    and more than that
 * - `short`   some of it is not here
 * - `differs` the archive lists less than it says it has, or only numbers, which differ
 * - `failed`  it could not be had or looked at
 * - `passed-over` it holds none of the modalities that were asked for
 */
export type Outcome = "whole" | "more" | "short" | "differs" | "failed" | "passed-over";

/** A study of the old archive, as it rests: what identifies lies sealed in its record. */
export interface StudyWork {
  readonly studyUid: string;
  /** DA, or "" where it has none. */
  readonly date: string;
  readonly modalities: readonly string[];
  readonly patientId: string;
  readonly patientName: string;
  readonly accession: string;
  readonly state: "waiting" | Outcome;
  /** That failed. */
  readonly attempts: number;
  /** What was here before the first fetch of this migration; absent: it was not looked at yet. */
  readonly before?: Held;
  /** Instances that the archive lists, or says that there are. */
  readonly listed: number;
  /** Of those: not here. */
  readonly missing: number;
  /** What this migration brought. */
  readonly brought: Held;
  readonly problem?: { readonly code: ProblemCode; readonly message: string };
}

/** Instances of a study that are here. */
export interface Held {
  readonly instances: number;
  readonly bytes: number;
  readonly conflicts: number;
}

export const nothingHeld: Held = { instances: 0, bytes: 0, conflicts: 0 };

export type Counts = MigrationCounts;

export const noCounts: Counts = {
  ...{ found: 0, waiting: 0, heldBefore: 0, fetched: 0, short: 0, differs: 0, failed: 0, passedOver: 0 },
  ...{ instancesListed: 0, instancesBefore: 0, instancesFetched: 0, instancesMissing: 0, conflicts: 0, bytes: 0 },
};

/** What one study counts. */
export function countsOf(work: StudyWork): Counts {
  const { state, before = nothingHeld, brought, listed, missing } = work;
  const isWhole = state === "whole" || state === "more";
  const hasCome = brought.instances + brought.conflicts > 0;
  const one = (fits: boolean) => (fits ? 1 : 0);
  return {
    found: 1,
    waiting: one(state === "waiting"),
    heldBefore: one(isWhole && !hasCome),
    fetched: one(isWhole && hasCome),
    short: one(state === "short"),
    differs: one(state === "differs"),
    failed: one(state === "failed"),
    passedOver: one(state === "passed-over"),
    instancesListed: listed,
    instancesBefore: before.instances,
    instancesFetched: brought.instances,
    instancesMissing: missing,
    conflicts: brought.conflicts,
    bytes: brought.bytes,
  };
}

export function plus(a: Counts, b: Counts, times = 1): Counts {
  const keys = Object.keys(noCounts) as (keyof Counts)[];
  return Object.fromEntries(keys.map((key) => [key, a[key] + times * b[key]])) as unknown as Counts;
}

/** Whether somebody has to look at it. */
export const isWrong = ({ state }: Pick<StudyWork, "state">): boolean =>
  state === "short" || state === "differs" || state === "failed";

export const isOver = ({ state }: Pick<Job, "state">): boolean => state === "stopped" || state === "done";
