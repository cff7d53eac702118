import { Problem } from "#base/problem";
import { type Numbers, part } from "./blind-lists.ts";
import type { Interval, SortScheme } from "./blind-sort-keys.ts";
import { noSortKey } from "./blind-sort-keys.ts";

/** Studies of one block of a column. */
export const chunkStudies = 1024;
const chunkShift = 10;
const chunkBytes = chunkStudies * 8;

/** False for a number that no study has, or one that was removed. */
export const isThere = (key: number): boolean => key >= 0;

export const chunkOf = (id: number): number => id >> chunkShift;

export function encodeChunk(keys: Float64Array): Uint8Array {
  const bytes = Buffer.alloc(chunkBytes);
  for (let at = 0; at < chunkStudies; at++) bytes.writeDoubleLE(keys[at] as number, at * 8);
  return bytes;
}

export function decodeChunk(plain: Uint8Array | undefined): Float64Array {
  const keys = new Float64Array(chunkStudies).fill(noSortKey);
  if (plain === undefined) return keys;
  if (plain.length !== chunkBytes) {
    throw new Problem("damaged", "a column of the index does not add up", {
      remedy: "make the index again with `leadglass vault rebuild`",
    });
  }
  const bytes = Buffer.from(plain.buffer, plain.byteOffset, plain.length);
  for (let at = 0; at < chunkStudies; at++) keys[at] = bytes.readDoubleLE(at * 8);
  return keys;
}

/** A place in the order of a column: a study and its sort key then. */
export interface Ranked {
  readonly id: number;
  readonly key: number;
}

export interface Selection {
  /** Only of these; of all studies otherwise. */
  readonly among?: Numbers;
  readonly within: (id: number) => boolean;
  /** Of the keys in this column. */
  readonly interval?: { readonly least: number; readonly most: number };
  readonly ascending: boolean;
  readonly after?: Ranked;
  readonly count: number;
}

/** The sort keys of all studies, by number. */
export interface Column {
  readonly scheme: SortScheme;
  /** Above all numbers in it. */
  readonly end: number;
  /** See `isThere`. */
  key(id: number): number;
  set(id: number, key: number): void;
  setChunk(chunk: number, keys: Float64Array): void;
  /** The first so many in order, ties by number in the same direction. */
  select(selection: Selection): Ranked[];
  /** Those with a key in an interval, by number. */
  between(interval: Interval): Numbers;
}

export function createColumn(scheme: SortScheme): Column {
  let keys = new Float64Array(chunkStudies).fill(noSortKey);
  /** Least and greatest key of each chunk: what need not be looked at. Too wide after a key was replaced, which costs a look. */
  const least: number[] = [];
  const most: number[] = [];
  let end = 0;

  const reserve = (size: number) => {
    if (size <= keys.length) return;
    const larger = new Float64Array(Math.max(size, Math.ceil(keys.length * 1.5))).fill(noSortKey);
    larger.set(keys);
    keys = larger;
  };
  const set = (id: number, key: number) => {
    reserve(id + 1);
    end = Math.max(end, id + 1);
    keys[id] = key;
    if (!isThere(key)) return;
    const chunk = chunkOf(id);
    while (least.length <= chunk) {
      least.push(Number.POSITIVE_INFINITY);
      most.push(Number.NEGATIVE_INFINITY);
    }
    least[chunk] = Math.min(least[chunk] as number, key);
    most[chunk] = Math.max(most[chunk] as number, key);
  };
  return {
    scheme,
    get end() {
      return end;
    },
    key: (id) => keys[id] ?? noSortKey,
    set,
    setChunk(chunk, from) {
      for (let at = 0; at < chunkStudies; at++) {
        const key = from[at] as number;
        if (!Number.isNaN(key)) set(chunk * chunkStudies + at, key);
      }
    },
    select: (selection) => select({ keys, least, most, end }, selection),
    between(interval) {
      const found: number[] = [];
      for (let chunk = 0; chunk < least.length; chunk++) {
        if ((most[chunk] as number) < interval.least || (least[chunk] as number) > interval.most) continue;
        const last = Math.min(end, (chunk + 1) * chunkStudies);
        for (let id = chunk * chunkStudies; id < last; id++) {
          const key = keys[id] as number;
          if (key >= interval.least && key <= interval.most) found.push(id);
        }
      }
      return Uint32Array.from(found);
    },
  };
}

interface Content {
  readonly keys: Float64Array;
  readonly least: readonly number[];
  readonly most: readonly number[];
  readonly end: number;
}

/** Above so many chunks a list is gone through chunk by chunk, the likeliest first. */
const sparse = 2;

function select(content: Content, selection: Selection): Ranked[] {
  const { keys, end } = content;
  const { among, within, ascending, after, count } = selection;
  const { least, most } = selection.interval ?? { least: 0, most: Number.MAX_SAFE_INTEGER };
  const best = createBest(count, ascending);
  const offer = (id: number) => {
    const key = keys[id] as number;
    if (key < least || key > most) return;
    if (best.wants(id, key) && (after === undefined || isBefore(ascending, after, { id, key })) && within(id)) {
      best.take(id, key);
    }
  };
  const chunks = content.least.length;
  if (among !== undefined && among.length <= sparse * chunks) {
    for (const id of among) if (id < end) offer(id);
    return best.inOrder();
  }
  for (const chunk of likeliestFirst(content, ascending)) {
    const [low, high] = [content.least[chunk] as number, content.most[chunk] as number];
    if (!best.wantsKey(ascending ? low : high)) break;
    if (high < least || low > most || (after !== undefined && (ascending ? high < after.key : low > after.key)))
      continue;
    const [from, to] = [chunk * chunkStudies, Math.min(end, (chunk + 1) * chunkStudies)];
    if (among === undefined) for (let id = from; id < to; id++) offer(id);
    else for (const id of part(among, from, to)) offer(id);
  }
  return best.inOrder();
}

/** Chunks by the best key that may stand in them: when that is not good enough, no chunk behind it has a better one. */
function likeliestFirst({ least, most }: Content, ascending: boolean): number[] {
  const chunks = Array.from(least.keys());
  return ascending
    ? chunks.sort((a, b) => (least[a] as number) - (least[b] as number))
    : chunks.sort((a, b) => (most[b] as number) - (most[a] as number));
}

const isBefore = (ascending: boolean, a: Ranked, b: Ranked): boolean =>
  ascending ? a.key < b.key || (a.key === b.key && a.id < b.id) : a.key > b.key || (a.key === b.key && a.id > b.id);

/** Keeps the best `count` of what it is offered: twice as many are gathered, then the worse half is let go. */
function createBest(count: number, ascending: boolean) {
  let kept: Ranked[] = [];
  let worst: Ranked | undefined;
  const order = (a: Ranked, b: Ranked) => (isBefore(ascending, a, b) ? -1 : 1);
  const cut = () => {
    kept = kept.sort(order).slice(0, count);
    worst = kept[count - 1];
  };
  return {
    wants: (id: number, key: number): boolean => {
      if (worst === undefined || !isThere(key)) return isThere(key);
      if (key === worst.key) return ascending ? id < worst.id : id > worst.id;
      return ascending ? key < worst.key : key > worst.key;
    },
    wantsKey: (key: number): boolean => worst === undefined || (ascending ? key <= worst.key : key >= worst.key),
    take(id: number, key: number) {
      kept.push({ id, key });
      if (kept.length >= 2 * count + 64) cut();
    },
    inOrder(): Ranked[] {
      cut();
      return kept;
    },
  };
}
