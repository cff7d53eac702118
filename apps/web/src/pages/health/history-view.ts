import type { EdgeHistoryView, EdgeMeasure } from "#formats/api";

/** What of the past is shown, and in how many steps at most. */
export const ranges = {
  day: { label: "24 h", ms: 86_400_000, points: 720, rows: 24 },
  week: { label: "7 days", ms: 7 * 86_400_000, points: 672, rows: 28 },
  quarter: { label: "90 days", ms: 90 * 86_400_000, points: 720, rows: 30 },
} as const;
export type RangeName = keyof typeof ranges;

/** For plots, whose time is in seconds. */
export function plotData(history: EdgeHistoryView, measure: EdgeMeasure): [number[], (number | null)[]] {
  return [history.at.map((at) => at / 1000), [...history[measure]]];
}

/** Where the link was down, as pairs of indices of steps, both within. */
export function downSpans({ up }: Pick<EdgeHistoryView, "up">): readonly (readonly [number, number])[] {
  const spans: [number, number][] = [];
  up.forEach((value, step) => {
    if (value === null || value >= 0.5) return;
    const last = spans.at(-1);
    if (last !== undefined && last[1] === step - 1) last[1] = step;
    else spans.push([step, step]);
  });
  return spans;
}

/** What a plot shows, in a sentence, for who does not see it. */
export function plotWords(title: string, values: readonly (number | null)[], words: (value: number) => string): string {
  const known = values.filter((value) => value !== null);
  const last = known.at(-1);
  if (last === undefined) return `${title}: nothing is known of this time`;
  const [least, most] = [Math.min(...known), Math.max(...known)];
  return `${title}: ${words(last)} at the end, between ${words(least)} and ${words(most)}`;
}
