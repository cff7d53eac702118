import type { Outcome } from "./outcome.ts";

const slowestShown = 5;
const slowFromMs = 2000;

/** One line when a file or step has ended, and each of its failures in full. */
export function describeOutcome(outcome: Outcome): string {
  const { file, passed, failures, skips, output, ms } = outcome;
  const counts = [`${passed} passed`];
  if (failures.length > 0) counts.push(`${failures.length} failed`);
  if (skips.length > 0) counts.push(`${skips.length} skipped`);
  const lines = [`${failures.length > 0 ? "FAIL" : "ok  "} ${file}  ${counts.join(", ")}  ${(ms / 1000).toFixed(1)} s`];
  for (const failure of failures) lines.push(`  ✗ ${failure.name}`, indent(failure.detail));
  if (failures.length > 0 && output.trim() !== "") lines.push("  it printed:", indent(output.trimEnd()));
  return lines.join("\n");
}

/** What comes after the last file. Its last line is `N passed, N failed, N skipped`. */
export function summarize(outcomes: readonly Outcome[]): string {
  const lines: string[] = [""];
  const slow = [...outcomes].filter((outcome) => outcome.ms >= slowFromMs).sort((a, b) => b.ms - a.ms);
  for (const { file, ms } of slow.slice(0, slowestShown)) lines.push(`slow: ${(ms / 1000).toFixed(1)} s ${file}`);
  for (const [reason, count] of groupSkips(outcomes)) lines.push(`${count} skipped: ${reason}`);
  for (const { file, failures } of outcomes) {
    for (const { name } of failures) lines.push(`failed: ${file}: ${name}`);
  }
  const { passed, failed, skipped } = totals(outcomes);
  lines.push(`${passed} passed, ${failed} failed, ${skipped} skipped`);
  return lines.join("\n");
}

export function totals(outcomes: readonly Outcome[]): { passed: number; failed: number; skipped: number } {
  const sum = (count: (outcome: Outcome) => number) => outcomes.reduce((total, outcome) => total + count(outcome), 0);
  return {
    passed: sum((outcome) => outcome.passed),
    failed: sum((outcome) => outcome.failures.length),
    skipped: sum((outcome) => outcome.skips.length),
  };
}

function groupSkips(outcomes: readonly Outcome[]): [string, number][] {
  const counts = new Map<string, number>();
  for (const reason of outcomes.flatMap((outcome) => outcome.skips)) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1]);
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, "    ");
}
