import type { IndexBox } from "#trust/vault";
import { type Candidates, candidatesOf, isWithin, listed, spanOf } from "./blind-candidates.ts";
import type { Column, Ranked } from "./blind-columns.ts";
import { holds, type Numbers } from "./blind-lists.ts";
import type { BlindMemory } from "./blind-memory.ts";
import { conjunctsOf, isOfStudy, type Plan, planOf } from "./blind-plan.ts";
import type { RowDigests } from "./blind-rows.ts";
import { type Budget, createBudget, type Looks, type Sifted, sift } from "./blind-sifting.ts";
import { isWhole, type SortScheme, sortSchemes } from "./blind-sort-keys.ts";
import type { BlindStore, InstanceHeld, SeriesHeld, StudyHeld } from "./blind-store.ts";
import type { Term, Terms } from "./blind-terms.ts";
import { type Condition, conditionOf, type SearchKey, sortKeysOf } from "./matching.ts";
import { compareKeys } from "./matching-judge.ts";
import type { Count, Level, Match, Query } from "./study-index.ts";

export interface FindingParts {
  readonly store: BlindStore;
  readonly box: IndexBox;
  readonly terms: Terms;
  readonly digests: RowDigests;
  readonly looks: Looks;
  readonly corrected: Term;
  readonly limits: { readonly openedMost: number; readonly readMost: number; readonly countedMost: number };
}

/** A row that a query found, with those above it. */
export interface Hit {
  readonly study: Sifted<StudyHeld>;
  readonly series?: Sifted<SeriesHeld>;
  readonly instance?: Sifted<InstanceHeld>;
}

/** A query as it is worked on. */
interface Search {
  readonly level: Level;
  readonly plan: Plan;
  /** What all is asked of the study, and what of it the plan does not answer; both with what is asked below. */
  readonly whole: Condition;
  readonly open: Condition;
  /** What is asked of series and instances. */
  readonly below: readonly Condition[];
  readonly candidates: Candidates;
  readonly corrected: Numbers;
  readonly within: (id: number) => boolean;
  readonly budget: Budget;
  readonly memory: BlindMemory;
}

/** What lists and columns say can be trusted, unless studies are changed meanwhile: then every row is looked at. */
export interface From {
  readonly memory: BlindMemory;
  readonly isTrusted: boolean;
}

async function begin(
  parts: FindingParts,
  { memory, isTrusted }: From,
  level: Level,
  matches: readonly Match[],
): Promise<Search> {
  const conjuncts = conjunctsOf({ all: matches.map((match) => conditionOf(match, level)) });
  const plans = conjuncts.map((condition) => planOf(condition, parts.terms));
  const ofStudy = conjuncts.filter(isOfStudy);
  const below = conjuncts.filter((condition) => !isOfStudy(condition));
  const isOpen = (condition: Condition) => !isTrusted || plans[conjuncts.indexOf(condition)]?.isExact !== true;
  const plan: Plan = { is: "every", of: plans, isExact: isTrusted && plans.every(({ isExact }) => isExact) };
  const sources = { memory, reads: parts.store, digests: parts.digests };
  const { corrected, ...candidates } = await candidatesOf(sources, plan, parts.corrected);
  return {
    level,
    plan,
    whole: { all: [...ofStudy, ...below] },
    open: { all: [...ofStudy.filter(isOpen), ...below] },
    below,
    candidates,
    corrected,
    within: isWithin(candidates, memory.dates),
    budget: createBudget(parts.limits),
    memory,
  };
}

/** The rows of one page, in order. */
export async function find(parts: FindingParts, from: From, level: Level, query: Query): Promise<Hit[]> {
  const { keyword, ascending } = query.sort ?? { keyword: "StudyDate", ascending: false };
  const sortKeys = sortKeysOf(keyword, level);
  const search = await begin(parts, from, level, query.matches);
  if (query.limit <= 0) return [];
  const scheme = sortSchemes.find((one) => one.keyword === keyword);
  if (scheme !== undefined) return pageInOrder(parts, search, query, await from.memory.column(scheme), ascending);
  if (keyword === "ArrivedAt") return pageOf(studiesByChange(parts, search, query, ascending), parts, search, query);
  const [first] = sortKeys;
  return sortedHere(parts, search, query, {
    level: first?.level ?? level,
    keys: sortKeys.map(({ key }) => key),
    ascending,
  });
}

/** How many studies; exact where no more would have to be opened than is reasonable. */
export async function count(parts: FindingParts, from: From, matches: readonly Match[]): Promise<Count> {
  const { countedMost } = parts.limits;
  const search = await begin(parts, from, "study", matches);
  const { candidates, corrected, plan } = search;
  const isAll = candidates.among === undefined && candidates.spans.length === 0;
  const standing = isAll ? await parts.store.studyCount() : undefined;
  if (standing !== undefined && (matches.length === 0 || (!plan.isExact && standing > countedMost))) {
    return { count: standing, isExact: matches.length === 0 };
  }
  const ids = listed(candidates, from.memory.dates);
  const doubtful = plan.isExact ? ids.filter((id) => holds(corrected, id)) : ids;
  if (doubtful.length > countedMost) return { count: ids.length, isExact: false };
  const sifted = await siftStudies(parts, search, [...doubtful], () => []);
  return { count: ids.length - doubtful.length + sifted.length, isExact: true };
}

const firstLeast = 16;
const chunkMost = 2048;
/** So many studies of one sort key are put in order by their whole texts; behind them it is the order of arrival. */
const tiesMost = 4096;

async function pageInOrder(
  parts: FindingParts,
  search: Search,
  query: Query,
  column: Column,
  ascending: boolean,
): Promise<Hit[]> {
  const isSure = search.level === "study" && search.plan.isExact && search.corrected.length === 0;
  // Where nothing has to be opened to be sure, what stands before the page is passed over unread.
  let skip = isSure ? query.offset : 0;
  async function* studies(): AsyncGenerator<Sifted<StudyHeld>[]> {
    for (const runs of runsInOrder(search, column, ascending, query.offset + query.limit)) {
      let from = 0;
      for (; from < runs.length && skip >= (runs[from]?.length ?? 0); from++) skip -= runs[from]?.length ?? 0;
      yield await siftRuns(parts, search, column.scheme, runs.slice(from), ascending);
    }
  }
  return pageOf(studies(), parts, search, { ...query, offset: 0 }, () => (isSure ? skip : query.offset));
}

/** Studies in the order of a column, in runs of those that it cannot tell apart. */
function* runsInOrder(search: Search, column: Column, ascending: boolean, wanted: number): Generator<Ranked[][]> {
  const { candidates, within } = search;
  const interval = spanOf(candidates, column.scheme);
  const selection = { within, ascending, ...(candidates.among && { among: candidates.among }) };
  let after: Ranked | undefined;
  for (let most = Math.max(firstLeast, wanted); ; most = Math.min(2 * most, Math.max(chunkMost, wanted))) {
    const found = column.select({ ...selection, count: most, ...(interval && { interval }), ...(after && { after }) });
    const last = found.at(-1);
    if (last === undefined) return;
    const isLast = found.length < most;
    if (!isLast && !isWhole(column.scheme, last.key)) {
      const same = { least: last.key, most: last.key };
      found.push(...column.select({ ...selection, count: tiesMost, interval: same, after: last }));
    }
    yield runsOf(found, column.scheme);
    if (isLast) return;
    after = found.at(-1);
  }
}

function runsOf(ranked: readonly Ranked[], scheme: SortScheme): Ranked[][] {
  const runs: Ranked[][] = [];
  for (const one of ranked) {
    const run = runs.at(-1);
    if (run?.[0] !== undefined && run[0].key === one.key && !isWhole(scheme, one.key)) run.push(one);
    else runs.push([one]);
  }
  return runs;
}

async function siftRuns(
  parts: FindingParts,
  search: Search,
  scheme: SortScheme,
  runs: readonly Ranked[][],
  ascending: boolean,
): Promise<Sifted<StudyHeld>[]> {
  const runOf = new Map(runs.flatMap((run, at) => run.map(({ id }) => [id, at] as const)));
  const isTied = (id: number) => (runs[runOf.get(id) ?? -1]?.length ?? 0) > 1;
  const sifted = await siftStudies(parts, search, [...runOf.keys()], (id) => (isTied(id) ? scheme.keys : []));
  const sign = ascending ? 1 : -1;
  return sifted.sort(
    (a, b) =>
      (runOf.get(a.row.id) ?? 0) - (runOf.get(b.row.id) ?? 0) ||
      sign * (compareAll(a.sortKeys, b.sortKeys) || a.row.id - b.row.id),
  );
}

function compareAll(a: Sifted<unknown>["sortKeys"], b: Sifted<unknown>["sortKeys"]): number {
  for (const [at, key] of a.entries()) {
    const order = compareKeys(key, b[at] ?? "");
    if (order !== 0) return order;
  }
  return 0;
}

/** In the order of `ids`. */
async function siftStudies(
  parts: FindingParts,
  { whole, open, corrected, budget }: Search,
  ids: readonly number[],
  sortKeysOfId: (id: number) => readonly SearchKey[],
): Promise<Sifted<StudyHeld>[]> {
  if (ids.length === 0) return [];
  const rows = new Map((await parts.store.studies(ids)).map((row) => [row.id, row] as const));
  budget.read(rows.size);
  const toSift = ids.flatMap((id) => {
    const row = rows.get(id);
    if (row === undefined) return [];
    const condition = holds(corrected, id) ? whole : open;
    return [{ row, studyToken: row.studyToken, condition, above: () => undefined, sortKeys: sortKeysOfId(id) }];
  });
  return sift(parts.box, budget, parts.looks.study, toSift);
}

/** So many candidates are put in order by their rows; more are met on a way through all studies. */
const orderedByRowsMost = 4096;

async function* studiesByChange(
  parts: FindingParts,
  search: Search,
  { offset, limit }: Query,
  ascending: boolean,
): AsyncGenerator<Sifted<StudyHeld>[]> {
  const { candidates, within, memory, budget } = search;
  const { among } = candidates;
  if (among !== undefined && among.length <= orderedByRowsMost) {
    const sifted = await siftStudies(parts, search, [...listed(candidates, memory.dates)], () => []);
    const sign = ascending ? 1 : -1;
    yield sifted.sort((a, b) => sign * (a.row.changedAt - b.row.changedAt || a.row.id - b.row.id));
    return;
  }
  const seen = new Set<number>();
  for (let from = 0, most = Math.max(firstLeast, offset + limit); ; ) {
    const ids = await parts.store.studiesByChange({ limit: most, offset: from, ascending });
    budget.read(ids.length);
    // A study that changed meanwhile may come twice.
    const fresh = ids.filter((id) => !seen.has(id) && within(id) && (among === undefined || holds(among, id)));
    for (const id of fresh) seen.add(id);
    yield await siftStudies(parts, search, fresh, () => []);
    if (ids.length < most) return;
    from += most;
    most = Math.min(2 * most, chunkMost);
  }
}

/** Rows of the asked level below some studies, in order, up to the end of a page. */
async function pageOf(
  studies: AsyncIterable<Sifted<StudyHeld>[]>,
  parts: FindingParts,
  search: Search,
  query: Query,
  skipped: () => number = () => query.offset,
): Promise<Hit[]> {
  const hits: Hit[] = [];
  for await (const chunk of studies) {
    for await (const found of below(parts, search, chunk)) {
      hits.push(...found);
      if (hits.length >= skipped() + query.limit) return hits.slice(skipped(), skipped() + query.limit);
    }
  }
  return hits.slice(skipped(), skipped() + query.limit);
}

const studiesAtOnce = 32;

interface SortBelow {
  readonly level: Level;
  readonly keys: readonly SearchKey[];
}

async function* below(
  parts: FindingParts,
  search: Search,
  studies: readonly Sifted<StudyHeld>[],
  sort?: SortBelow,
): AsyncGenerator<Hit[]> {
  if (search.level === "study") {
    yield studies.map((study) => ({ study }));
    return;
  }
  const named = search.level === "instance" ? await namedInstances(parts, search) : undefined;
  for (let from = 0; from < studies.length; from += studiesAtOnce) {
    const some = studies.slice(from, from + studiesAtOnce);
    const rows = await parts.store.seriesOfStudies(some.map(({ row }) => row.id));
    search.budget.read(rows.length);
    for (const study of some) {
      const own = rows
        .filter(({ studyId, instanceCount }) => studyId === study.row.id && instanceCount > 0)
        .sort((a, b) => a.id - b.id);
      const series = await siftSeries(parts, search, study, own, sort);
      if (search.level === "series") yield series.map((one) => ({ study, series: one }));
      else if (series.length > 0) {
        const isWholeStudy = series.length === own.length;
        yield await siftInstances(parts, search, { study, series, isWholeStudy, named }, sort);
      }
    }
  }
}

function siftSeries(
  parts: FindingParts,
  search: Search,
  study: Sifted<StudyHeld>,
  rows: readonly SeriesHeld[],
  sort: SortBelow | undefined,
): Promise<Sifted<SeriesHeld>[]> {
  const condition = { all: search.below };
  const sortKeys = sort?.level === "series" ? sort.keys : [];
  const { studyToken } = study.row;
  return sift(
    parts.box,
    search.budget,
    parts.looks.series,
    rows.map((row) => ({ row, studyToken, condition, above: study.decide, sortKeys })),
  );
}

interface Above {
  readonly study: Sifted<StudyHeld>;
  readonly series: readonly Sifted<SeriesHeld>[];
  /** None of its series was left out. */
  readonly isWholeStudy: boolean;
  readonly named: readonly InstanceHeld[] | undefined;
}

async function siftInstances(
  parts: FindingParts,
  search: Search,
  { study, series, isWholeStudy, named }: Above,
  sort: SortBelow | undefined,
): Promise<Hit[]> {
  const seriesById = new Map(series.map((one) => [one.row.id, one] as const));
  const { id } = study.row;
  const rows =
    named?.filter(({ seriesId }) => seriesById.has(seriesId)) ??
    (isWholeStudy
      ? await parts.store.instancesOfStudy(id)
      : (await Promise.all(series.map((one) => parts.store.instancesOfStudy(id, one.row.id)))).flat());
  search.budget.read(rows.length);
  const condition = { all: search.below };
  const sortKeys = sort?.level === "instance" ? sort.keys : [];
  const sifted = await sift(
    parts.box,
    search.budget,
    parts.looks.instance,
    rows.flatMap((row) => {
      const above = row.isRejected ? undefined : seriesById.get(row.seriesId)?.decide;
      return above === undefined ? [] : [{ row, studyToken: row.studyToken, condition, above, sortKeys }];
    }),
  );
  return sifted.flatMap((instance) => {
    const one = seriesById.get(instance.row.seriesId);
    return one === undefined ? [] : [{ study, series: one, instance }];
  });
}

/** Where instances are named by their UIDs, those rows alone, in order. */
async function namedInstances({ store, digests }: FindingParts, search: Search): Promise<InstanceHeld[] | undefined> {
  for (const condition of search.below) {
    if (!("key" in condition) || condition.key !== "SOPInstanceUID" || condition.test.is !== "equal") continue;
    const rows = await store.instancesByDigest(condition.test.keys.map((uid) => digests.sop(String(uid))));
    return rows.sort((a, b) => a.seriesId - b.seriesId || a.instanceNumber - b.instanceNumber || a.id - b.id);
  }
  return undefined;
}

/** By what no column orders: all that is found is put in order here. */
async function sortedHere(
  parts: FindingParts,
  search: Search,
  { offset, limit }: Query,
  sort: SortBelow & { readonly ascending: boolean },
): Promise<Hit[]> {
  const ids = listed(search.candidates, search.memory.dates);
  const hits: { readonly hit: Hit; readonly keys: Sifted<unknown>["sortKeys"] }[] = [];
  for (let from = 0; from < ids.length; from += chunkMost) {
    const chunk = [...ids.subarray(from, from + chunkMost)];
    const studies = await siftStudies(parts, search, chunk, () => (sort.level === "study" ? sort.keys : []));
    for await (const found of below(parts, search, studies, sort)) {
      hits.push(...found.map((hit) => ({ hit, keys: hit[sort.level]?.sortKeys ?? [] })));
    }
  }
  const sign = sort.ascending ? 1 : -1;
  const inside = ({ series, instance }: Hit) => [
    series?.row.id ?? 0,
    instance?.row.instanceNumber ?? 0,
    instance?.row.id ?? 0,
  ];
  return hits
    .sort(
      (a, b) =>
        sign * (compareAll(a.keys, b.keys) || a.hit.study.row.id - b.hit.study.row.id) ||
        compareAll(inside(a.hit), inside(b.hit)),
    )
    .slice(offset, offset + limit)
    .map(({ hit }) => hit);
}
