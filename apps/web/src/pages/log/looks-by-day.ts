import type { LookView } from "#formats/api";

/** What one did in one way on one day. */
export interface LookRow {
  readonly actor: string;
  readonly actorName: string;
  readonly what: LookView["what"];
  readonly purpose: string;
  readonly isRefused: boolean;
  readonly count: number;
  readonly firstAt: number;
  readonly lastAt: number;
}

export interface LookDay {
  /** `YYYY-MM-DD` by the reader's clock. */
  readonly day: string;
  /** A person's together, the newest first. */
  readonly rows: readonly LookRow[];
}

/** `looks` newest first. `dayOf` gives the day of a time, `YYYY-MM-DD`. */
export function looksByDay(looks: readonly LookView[], dayOf: (at: number) => string): readonly LookDay[] {
  const days = new Map<string, Map<string, LookRow>>();
  for (const { at, actor, actorName, what, purpose, outcome } of looks) {
    const day = dayOf(at);
    const rows = days.get(day) ?? new Map<string, LookRow>();
    days.set(day, rows);
    const isRefused = outcome !== "done";
    const key = [actor, what, purpose, isRefused].join(" ");
    const row = rows.get(key) ?? { actor, actorName, what, purpose, isRefused, count: 0, firstAt: at, lastAt: at };
    rows.set(key, {
      ...row,
      count: row.count + 1,
      firstAt: Math.min(row.firstAt, at),
      lastAt: Math.max(row.lastAt, at),
    });
  }
  return [...days].map(([day, rows]) => ({ day, rows: byPerson([...rows.values()]) }));
}

function byPerson(rows: readonly LookRow[]): readonly LookRow[] {
  const newestOf = new Map<string, number>();
  for (const { actor, lastAt } of rows) newestOf.set(actor, Math.max(newestOf.get(actor) ?? 0, lastAt));
  const newest = ({ actor }: LookRow) => newestOf.get(actor) ?? 0;
  return [...rows].sort(
    (one, other) => newest(other) - newest(one) || one.actor.localeCompare(other.actor) || other.lastAt - one.lastAt,
  );
}
