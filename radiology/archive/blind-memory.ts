import type { Clock, Timer } from "#base/clock";
import type { IndexBox } from "#trust/vault";
import type { BlockNames } from "./blind-block-names.ts";
import { type Column, chunkOf, createColumn, decodeChunk, isThere } from "./blind-columns.ts";
import { type Numbers, numbersOf, union } from "./blind-lists.ts";
import { createTail, decodeEntries, inTails, type LogEntry, type Tail } from "./blind-log.ts";
import { type SortScheme, sortSchemes } from "./blind-sort-keys.ts";
import type { BlindStore, Block } from "./blind-store.ts";
import type { Term } from "./blind-terms.ts";

export interface MemoryParts {
  readonly store: BlindStore;
  readonly box: IndexBox;
  readonly names: BlockNames;
  readonly clock: Clock;
}

/**
 * What the index holds in memory of what rests in the store: the log that was not merged yet, sort columns, the longest lists. Thrown
 * away, and read again, when a change failed and it is not known what stands.
 */
export interface BlindMemory {
  /** Lists of some terms, with what the log says. */
  lists(terms: readonly Term[]): Promise<Map<Term, Numbers>>;
  column(scheme: SortScheme): Promise<Column>;
  /** The column that is always there: of the study date. */
  readonly dates: Column;
  readonly logSerial: number;
  /** How often a study that was there got another place in a column: what is read across such a change is read again. */
  readonly moves: number;
  /** While rows are changed that lists and columns speak of: what those say of a row may not be so. */
  disturbed<T>(work: () => Promise<T>): Promise<T>;
  readonly isDisturbed: boolean;
  /** Takes over what a change has written to the log. */
  logged(entries: readonly LogEntry[]): void;
  /** The part of the log that is being merged: what it was when this was first called, until `merged`. */
  merging(): { readonly tail: Tail; readonly logSerial: number };
  readonly isMerging: boolean;
  readonly tail: Tail;
  /** Blocks of these lists were written. */
  listsWritten(terms: readonly Term[]): void;
  /** All of `merging` stands in lists and columns. */
  merged(): void;
  release(): void;
}

const columnIdleMs = 10 * 60_000;

export async function loadMemory(parts: MemoryParts): Promise<BlindMemory> {
  const { store, names } = parts;
  const log = await store.blocks([names.log]);
  let newer = createTail();
  for (const block of log) newer.take(decodeEntries(openBlock(parts, block)));
  let older: { readonly tail: Tail; readonly logSerial: number } | undefined;
  let logSerial = (log.at(-1)?.serial ?? -1) + 1;
  let moves = 0;
  let disturbances = 0;
  let merges = 0;
  const tails = () => (older === undefined ? [newer] : [older.tail, newer]);
  const listCache = createListCache();
  const columns = createColumns(parts, { tails, merges: () => merges });
  const dates = await columns.get(sortSchemes[0] as SortScheme);

  return {
    async lists(terms) {
      const recent = new Map(terms.map((term) => [term, inTails(tails(), term)] as const));
      const missing = [...recent.keys()].filter((term) => listCache.get(term) === undefined);
      const kept = new Map([...recent.keys()].map((term) => [term, listCache.get(term)] as const));
      const before = merges;
      for (const [term, list] of await readLists(parts, missing)) {
        kept.set(term, list);
        if (before === merges) listCache.put(term, list);
      }
      return new Map([...recent].map(([term, list]) => [term, union([kept.get(term) ?? list, list])] as const));
    },
    column: columns.get,
    dates,
    get logSerial() {
      return logSerial;
    },
    get moves() {
      return moves;
    },
    async disturbed(work) {
      disturbances++;
      try {
        return await work();
      } finally {
        disturbances--;
      }
    },
    get isDisturbed() {
      return disturbances > 0;
    },
    logged(entries) {
      logSerial++;
      newer.take(entries);
      for (const entry of entries) {
        if (entry.sortKeys === undefined) continue;
        if (isThere(dates.key(entry.id))) moves++;
        columns.set(entry.id, entry.sortKeys);
      }
    },
    merging() {
      if (older === undefined) {
        older = { tail: newer, logSerial };
        newer = createTail();
      }
      return older;
    },
    get isMerging() {
      return older !== undefined;
    },
    get tail() {
      return newer;
    },
    listsWritten(terms) {
      merges++;
      for (const term of terms) listCache.delete(term);
    },
    merged() {
      merges++;
      older = undefined;
    },
    release: columns.release,
  };
}

function openBlock({ box, names }: MemoryParts, { name, serial, sealed }: Block): Uint8Array {
  return box.openBlock(names.context(name, serial), sealed);
}

async function readLists(parts: MemoryParts, terms: readonly Term[]): Promise<Map<Term, Numbers>> {
  const lists = new Map<Term, Uint8Array[]>(terms.map((term) => [term, []]));
  if (terms.length > 0) {
    for (const block of await parts.store.blocks(terms.map(parts.names.list))) {
      const term = Buffer.from(block.name.buffer, block.name.byteOffset, block.name.length).toString("latin1");
      lists.get(term)?.push(openBlock(parts, block));
    }
  }
  return new Map([...lists].map(([term, blocks]) => [term, numbersOf(blocks)] as const));
}

const cachedNumbersMost = 4 * 1024 * 1024;
const cachedLengthLeast = 4096;

/** The long lists that were used last: short ones are quickly read. */
function createListCache() {
  const lists = new Map<Term, Numbers>();
  let total = 0;
  const remove = (term: Term) => {
    total -= lists.get(term)?.length ?? 0;
    lists.delete(term);
  };
  return {
    get(term: Term): Numbers | undefined {
      const list = lists.get(term);
      if (list === undefined) return undefined;
      lists.delete(term);
      lists.set(term, list);
      return list;
    },
    put(term: Term, list: Numbers): void {
      remove(term);
      if (list.length < cachedLengthLeast) return;
      lists.set(term, list.slice());
      total += list.length;
      for (const oldest of lists.keys()) {
        if (total <= cachedNumbersMost) break;
        remove(oldest);
      }
    },
    delete: remove,
  };
}

interface Slot {
  loading?: Promise<Column>;
  loaded?: Column;
  usedAt: number;
}

interface Around {
  readonly tails: () => Tail[];
  readonly merges: () => number;
}

function createColumns(parts: MemoryParts, around: Around) {
  const { clock } = parts;
  const slots = new Map<SortScheme, Slot>();
  let timer: Timer | undefined;

  const sweep = () => {
    timer = undefined;
    for (const [scheme, slot] of slots) {
      const isIdle = clock.monotonicMs() - slot.usedAt >= columnIdleMs;
      if (isIdle && scheme !== sortSchemes[0]) slots.delete(scheme);
    }
    if (slots.size > 1) timer = clock.after(columnIdleMs, sweep);
  };
  return {
    get(scheme: SortScheme): Promise<Column> {
      const slot = slots.get(scheme) ?? { usedAt: 0 };
      slots.set(scheme, slot);
      slot.usedAt = clock.monotonicMs();
      if (slots.size > 1) timer ??= clock.after(columnIdleMs, sweep);
      slot.loading ??= loadColumn(parts, scheme, around, (column) => {
        slot.loaded = column;
      }).catch((error: unknown) => {
        slots.delete(scheme);
        throw error;
      });
      return slot.loading;
    },
    set(id: number, sortKeys: readonly number[]) {
      for (const { loaded } of slots.values()) {
        if (loaded !== undefined) loaded.set(id, sortKeys[sortSchemes.indexOf(loaded.scheme)] as number);
      }
    },
    release() {
      timer?.stop();
      slots.clear();
    },
  };
}

const chunksAskedFirst = 64;

/** Blocks of a column, and over them what the log says; once more when a merge came in between. */
async function loadColumn(
  parts: MemoryParts,
  scheme: SortScheme,
  around: Around,
  done: (column: Column) => void,
): Promise<Column> {
  for (;;) {
    const before = around.merges();
    const column = createColumn(scheme);
    let asked = 0;
    for (let count = chunksAskedFirst; ; count *= 2) {
      const chunks = Array.from({ length: count }, (_, at) => asked + at);
      const found = await readChunks(parts, parts.store, scheme, chunks);
      for (const [chunk, keys] of found) column.setChunk(chunk, keys);
      asked += count;
      if (found.size < count) break;
    }
    if (before !== around.merges()) continue;
    const at = sortSchemes.indexOf(scheme);
    for (const { sortKeys } of around.tails()) {
      for (const [id, keys] of sortKeys) column.set(id, keys[at] as number);
    }
    // At once: from here on what is logged is set in it.
    done(column);
    return column;
  }
}

export async function readChunks(
  parts: MemoryParts,
  reads: Pick<BlindStore, "blocks">,
  scheme: SortScheme,
  chunks: readonly number[],
): Promise<Map<number, Float64Array>> {
  const byName = new Map(
    chunks.map((chunk) => [Buffer.from(parts.names.chunk(scheme, chunk)).toString("hex"), chunk] as const),
  );
  const blocks = await reads.blocks([...byName.keys()].map((name) => Buffer.from(name, "hex")));
  return new Map(
    blocks.map((block) => {
      const chunk = byName.get(Buffer.from(block.name).toString("hex")) ?? 0;
      return [chunk, decodeChunk(openBlock(parts, block))] as const;
    }),
  );
}

/** Chunks of columns that some studies stand in. */
export const chunksOf = (ids: Iterable<number>): number[] => [...new Set([...ids].map(chunkOf))];
