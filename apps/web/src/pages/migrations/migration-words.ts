import type { MigrationStudyView, MigrationView } from "#formats/api";

const dayOf = (date: string): string => `${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6, 8)}`;

export const daysOf = ({ from, to }: MigrationView["asked"]["dates"]): string => `${dayOf(from)} to ${dayOf(to)}`;

export function stateWord({ state, asked }: Pick<MigrationView, "state" | "asked">): string {
  const what = asked.checkOnly === true ? "comparing" : "under way";
  return { running: what, paused: "paused", stopped: "stopped", done: "done" }[state];
}

/** A month, a day, "undated" or modalities, as one reads it. */
export function tallyOf(of: string): string {
  if (of === "undated") return "without a date";
  if (/^\d{6}$/.test(of)) return `${of.slice(0, 4)}-${of.slice(4)}`;
  return of.replaceAll("\\", ", ");
}

export function whatIsWrong({ state, missing, listed, problem }: MigrationStudyView): string {
  const why = problem === undefined ? "" : `: ${problem.message}`;
  if (state === "failed") return `could not be had${why}`;
  if (state === "short") return `${missing} of ${listed} images are missing${why}`;
  return missing > 0
    ? `the archive says it has ${missing} more than it lists${why}`
    : `there is nothing to compare it with${why}`;
}
