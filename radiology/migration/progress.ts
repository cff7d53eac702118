import type { MigrationStanding } from "./migration.ts";
import { daysBefore, daysIn, endStage } from "./plan.ts";

export interface MigrationProgress {
  readonly daysListed: number;
  readonly days: number;
  /** That wait, and those that days not listed yet may hold: as many a day as the others. */
  readonly studiesLeft: number;
  /** When it will be done if it goes on like this, epoch milliseconds; undefined while nobody knows. */
  readonly endsAt: number | undefined;
}

export function progressOf(standing: MigrationStanding, now: number): MigrationProgress {
  const { spec, stage, totals, state, studiesPerMinute } = standing;
  const days = daysIn(spec.dates);
  const daysListed = stage === endStage ? days : daysBefore(spec.dates, stage);
  const aDay = daysListed === 0 ? 0 : totals.found / daysListed;
  const studiesLeft = totals.waiting + Math.round(aDay * (days - daysListed));
  const isKnown = state === "running" && studiesPerMinute !== undefined && daysListed > 0;
  // Of nights alone a day is as long as they are.
  const { from = 0, to = 24 } = spec.hours ?? {};
  const share = (to > from ? to - from : to + 24 - from) / 24;
  const endsAt = isKnown ? Math.round(now + ((studiesLeft / studiesPerMinute) * 60_000) / share) : undefined;
  return { daysListed, days, studiesLeft, endsAt };
}
