import { type Column, isThere } from "./blind-columns.ts";
import { ascending, intersection, type Numbers, union } from "./blind-lists.ts";
import type { BlindMemory } from "./blind-memory.ts";
import { type Plan, termsIn } from "./blind-plan.ts";
import type { RowDigests } from "./blind-rows.ts";
import type { Interval, SortScheme } from "./blind-sort-keys.ts";
import type { BlindReads } from "./blind-store.ts";
import type { Term } from "./blind-terms.ts";

/** Studies that a plan leaves over: some, or all but those that a column rules out. */
export interface Candidates {
  /** By number; of all when it is absent. */
  readonly among?: Numbers;
  /** What a column says of those. */
  readonly spans: readonly Span[];
}

export interface Span {
  readonly column: Column;
  readonly interval: Interval;
}

interface Sources {
  readonly memory: BlindMemory;
  readonly reads: BlindReads;
  readonly digests: RowDigests;
}

/** `correctedTerm` is that of all studies whose values were corrected: their old terms stay in the lists. */
export async function candidatesOf(
  sources: Sources,
  plan: Plan,
  correctedTerm: Term,
): Promise<Candidates & { readonly corrected: Numbers }> {
  const lists = await sources.memory.lists([...termsIn(plan), correctedTerm]);
  const corrected = lists.get(correctedTerm) ?? new Uint32Array(0);
  // The commonest question, of days: no list of studies is made of it, the column is asked in passing.
  const parts = plan.is === "every" ? plan.of : [plan];
  const spans: Span[] = [];
  const found: Numbers[] = [];
  for (const part of parts) {
    const [interval, another] = part.is === "column" ? part.intervals : [];
    if (part.is === "column" && interval !== undefined && another === undefined) {
      spans.push({ column: await sources.memory.column(part.scheme), interval });
      continue;
    }
    const numbers = await numbersIn(sources, part, lists);
    if (numbers !== undefined) found.push(numbers);
  }
  return { spans, corrected, ...(found.length > 0 && { among: intersection(found) }) };
}

/** Undefined: all. */
async function numbersIn(
  sources: Sources,
  plan: Plan,
  lists: ReadonlyMap<Term, Numbers>,
): Promise<Numbers | undefined> {
  switch (plan.is) {
    case "everything":
      return undefined;
    case "list":
      return lists.get(plan.term) ?? new Uint32Array(0);
    case "uids":
      return byUid(sources, plan);
    case "studies":
      return numbers((await sources.reads.studiesByToken(plan.tokens)).map(({ id }) => id));
    case "column":
      return inColumn(await sources.memory.column(plan.scheme), plan.intervals);
    default: {
      const parts = await Promise.all(plan.of.map((part) => numbersIn(sources, part, lists)));
      const some = parts.filter((part) => part !== undefined);
      if (plan.is === "every") return some.length === 0 ? undefined : intersection(some);
      return some.length < parts.length ? undefined : union(some);
    }
  }
}

const inColumn = (column: Column, intervals: readonly Interval[]): Numbers =>
  union(intervals.map((interval) => column.between(interval)));

async function byUid({ reads, digests }: Sources, { level, uids }: Plan & { readonly is: "uids" }): Promise<Numbers> {
  if (level === "study") {
    return numbers((await reads.studiesByDigest(uids.map(digests.study))).map(({ id }) => id));
  }
  const below =
    level === "series"
      ? await reads.seriesByDigest(uids.map(digests.series))
      : await reads.instancesByDigest(uids.map(digests.sop));
  return numbers(below.map(({ studyId }) => studyId));
}

const numbers = (ids: readonly number[]): Numbers => ascending(Uint32Array.from(ids));

/** Whether a study is there, and in all spans. */
export function isWithin({ spans }: Candidates, dates: Column): (id: number) => boolean {
  return (id) =>
    isThere(dates.key(id)) &&
    spans.every(({ column, interval }) => {
      const key = column.key(id);
      return key >= interval.least && key <= interval.most;
    });
}

/** By number. */
export function listed(candidates: Candidates, dates: Column): Numbers {
  const within = isWithin(candidates, dates);
  const [span] = candidates.spans;
  const everyStudy = { least: 0, most: Number.MAX_SAFE_INTEGER, isExact: true };
  const some =
    candidates.among ?? (span === undefined ? dates.between(everyStudy) : span.column.between(span.interval));
  return some.filter(within);
}

/** What a column says of its own order. */
export const spanOf = ({ spans }: Candidates, scheme: SortScheme): Interval | undefined =>
  spans.find(({ column }) => column.scheme === scheme)?.interval;
