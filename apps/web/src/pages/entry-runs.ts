import type { LogEntryView } from "#formats/api";

/** One or more entries without a gap that differ in number and time only. */
export interface EntryRun<Entry extends LogEntryView = LogEntryView> {
  readonly newest: Entry;
  readonly oldest: Entry;
}

/** `entries` newest first. */
export function runsOf<Entry extends LogEntryView>(entries: readonly Entry[]): readonly EntryRun<Entry>[] {
  const runs: EntryRun<Entry>[] = [];
  for (const entry of entries) {
    const last = runs.at(-1);
    if (last !== undefined && last.oldest.index === entry.index + 1 && saysTheSame(last.oldest, entry)) {
      runs[runs.length - 1] = { newest: last.newest, oldest: entry };
    } else {
      runs.push({ newest: entry, oldest: entry });
    }
  }
  return runs;
}

function saysTheSame(one: LogEntryView, other: LogEntryView): boolean {
  return (
    one.actor === other.actor &&
    one.act === other.act &&
    one.outcome === other.outcome &&
    one.on?.kind === other.on?.kind &&
    one.on?.id === other.on?.id
  );
}
