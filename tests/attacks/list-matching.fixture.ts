import { type Known, textsOf } from "./frequency-attack.fixture.ts";
import type { Watched } from "./watched-index.fixture.ts";

export interface Matched {
  readonly known: Known;
  /** Lists to which a text was given, and those of them that got the right one. */
  readonly matched: number;
  readonly right: number;
}

const textsMost = 1_500;
const seedsMost = 60;
const passes = 3;
/** Texts about as frequent as a list that are compared with it. */
const comparedMost = 80;
/** Mean squares of deviations: of a match that is sure, that many times less than the next best; of any. */
const surelyOff = 1.5;
const surelyApart = 2.5;
const offMost = 3;
/** What the attacker takes his own matches for. */
const mistakenGuess = 0.1;
const deviationsApart = 3;
const deviationsOff = 4;

/** How often each of some things occurs, and together with each seed. */
interface Counted {
  readonly names: readonly string[];
  readonly counts: readonly number[];
  /** By name: how often together with each seed. */
  readonly together: (seeds: readonly string[]) => ReadonlyMap<string, Float64Array>;
}

function counted(groups: readonly Iterable<string>[]): Counted {
  const totals = new Map<string, number>();
  for (const group of groups) for (const name of group) totals.set(name, (totals.get(name) ?? 0) + 1);
  const order = [...totals].sort((a, b) => b[1] - a[1]).slice(0, textsMost);
  const kept = new Set(order.map(([name]) => name));
  return {
    names: order.map(([name]) => name),
    counts: order.map(([, count]) => count),
    together(seeds) {
      const at = new Map(seeds.map((seed, place) => [seed, place] as const));
      const found = new Map<string, Float64Array>();
      for (const group of groups) {
        const members = [...group].filter((name) => kept.has(name));
        const present = members.flatMap((name) => at.get(name) ?? []);
        for (const name of members) {
          const with_ = found.get(name) ?? new Float64Array(seeds.length);
          for (const seed of present) with_[seed] = (with_[seed] ?? 0) + 1;
          found.set(name, with_);
        }
      }
      return found;
    },
  };
}

/**
 * Which list is which text, by frequency alone: lists that stand apart from all others in how often they change are known by their rank; every
 * other gets the text, of those about as frequent, that comes together with the known ones as often as it should (the count attack of
 * Cash, Grubbs, Perry and Ristenpart, 2015, over changes instead of queries).
 */
export function matchLists(watched: Watched, drawn: readonly string[]): Matched {
  const looks = watched.epochs.length;
  const each = watched.epochs.reduce((sum, { studies }) => sum + studies.length, 0) / looks;
  const lists = counted(watched.epochs.map((epoch) => epoch.lists));
  const texts = counted(drawn.map((name) => textsOf(watched.truth.folded(name))));
  const inOne = (share: number) => looks * (1 - (1 - share) ** each);
  const expected = texts.counts.map((count) => inOne(count / drawn.length));
  const deviation = (count: number) => Math.sqrt(Math.max(0.25, count * (1 - Math.min(1, count / looks))));
  const known = new Map(
    seedsOf(lists.counts, expected, deviation).map((at) => [texts.names[at] ?? "", lists.names[at] ?? ""] as const),
  );
  // Each pass takes those that are surest to seeds of the next; the last takes all.
  for (let pass = 0; pass < passes && known.size >= 2; pass++) {
    const isLast = pass === passes - 1;
    const company = { lists, texts, expected, deviation, known, looks, each, drawn: drawn.length };
    for (const [text, list] of byCompany(company, isLast ? offMost : surelyOff, isLast ? 1 : surelyApart)) {
      known.set(text, list);
    }
  }
  const isRight = ([text, list]: [string, string]) =>
    watched.truth.listOf(text[0] === "p" ? "prefix" : "piece", text.slice(1)) === list;
  const right = [...known].filter(isRight).length;
  return { known: { lists: known, mistaken: mistakenGuess }, matched: known.size, right };
}

interface Company {
  readonly lists: Counted;
  readonly texts: Counted;
  readonly expected: readonly number[];
  readonly deviation: (count: number) => number;
  readonly known: ReadonlyMap<string, string>;
  readonly looks: number;
  readonly each: number;
  readonly drawn: number;
}

/** Lists that are not known yet, each with the text whose company it keeps: closer than `most`, and `apart` times closer than the next. */
function byCompany(company: Company, most: number, apart: number): Map<string, string> {
  const { lists, texts, expected, deviation, known, looks, each, drawn } = company;
  const seeds = [...known].slice(0, seedsMost);
  const withSeeds = lists.together(seeds.map(([, list]) => list));
  const drawnWithSeeds = texts.together(seeds.map(([text]) => text));
  const shareOf = new Map(texts.names.map((text, at) => [text, (texts.counts[at] ?? 0) / drawn] as const));
  const expectedWith = texts.names.map((text) =>
    (drawnWithSeeds.get(text) ?? new Float64Array(seeds.length)).map((both, seed) => {
      const [own, other] = [shareOf.get(text) ?? 0, shareOf.get(seeds[seed]?.[0] ?? "") ?? 0];
      return (
        looks * (1 - (1 - own) ** each - (1 - other) ** each + Math.max(0, 1 - own - other + both / drawn) ** each)
      );
    }),
  );
  const takenLists = new Set(known.values());
  const best = new Map<string, { readonly list: string; readonly off: number }>();
  for (const [at, list] of lists.names.entries()) {
    if (takenLists.has(list)) continue;
    const count = lists.counts[at] ?? 0;
    const near = closest(expected, count, deviationsOff * deviation(count) + 1);
    const free = near.filter((text) => !known.has(texts.names[text] ?? ""));
    const found = leastOff(withSeeds.get(list), free, expectedWith, deviation);
    const text = texts.names[found.text];
    if (text === undefined || found.off > most || found.next < apart * found.off) continue;
    if (found.off < (best.get(text)?.off ?? Number.POSITIVE_INFINITY)) best.set(text, { list, off: found.off });
  }
  return new Map([...best].map(([text, { list }]) => [text, list] as const));
}

/** Places in both orders whose counts stand apart from their neighbours', and agree. */
function seedsOf(
  counts: readonly number[],
  expected: readonly number[],
  deviation: (count: number) => number,
): number[] {
  const seeds: number[] = [];
  for (let at = 0; at < counts.length && seeds.length < seedsMost; at++) {
    const [count, own] = [counts[at] ?? 0, expected[at] ?? 0];
    const apart = deviationsApart * deviation(own);
    const isApart =
      (expected[at - 1] ?? Number.POSITIVE_INFINITY) - own > apart && own - (expected[at + 1] ?? 0) > apart;
    if (isApart && Math.abs(count - own) < apart / 2) seeds.push(at);
  }
  return seeds;
}

/** Places of a falling order that are within `most` of a value. */
function closest(falling: readonly number[], value: number, most: number): number[] {
  let [low, high] = [0, falling.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((falling[middle] ?? 0) > value + most) low = middle + 1;
    else high = middle;
  }
  const found: number[] = [];
  for (let at = low; at < falling.length && (falling[at] ?? 0) >= value - most; at++) found.push(at);
  const off = (at: number) => Math.abs((falling[at] ?? 0) - value);
  return found.sort((a, b) => off(a) - off(b)).slice(0, comparedMost);
}

/** The text whose company is least unlike that of a list; `off` is the mean square of deviations. */
function leastOff(
  seen: Float64Array | undefined,
  candidates: readonly number[],
  expectedWith: readonly Float64Array[],
  deviation: (count: number) => number,
): { readonly text: number; readonly off: number; readonly next: number } {
  let best = { text: -1, off: Number.POSITIVE_INFINITY, next: Number.POSITIVE_INFINITY };
  if (seen === undefined) return best;
  for (const text of candidates) {
    let off = 0;
    for (const [seed, count] of (expectedWith[text] ?? new Float64Array(0)).entries()) {
      off += (((seen[seed] ?? 0) - count) / (deviation(count) + 0.5)) ** 2;
    }
    off /= seen.length;
    if (off < best.off) best = { text, off, next: best.off };
    else best = { ...best, next: Math.min(best.next, off) };
  }
  return best;
}
