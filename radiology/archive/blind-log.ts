import { Problem } from "#base/problem";
import type { IndexBox } from "#trust/vault";
import type { BlockNames } from "./blind-block-names.ts";
import { ascending, type Numbers } from "./blind-lists.ts";
import { sortSchemes } from "./blind-sort-keys.ts";
import type { Block } from "./blind-store.ts";
import type { Term } from "./blind-terms.ts";

/**
 * What the lists and columns have to learn about a study. Entries are kept in a log of their own and merged into lists and columns
 * many studies at a time: a change of one study then writes one block, and who watches the database does not see which terms
 * the study has.
 */
export interface LogEntry {
  readonly id: number;
  readonly terms: readonly Term[];
  /** In the order of `sortSchemes`, when they are new. */
  readonly sortKeys?: readonly number[];
}

const headBytes = 4;
const entryHeadBytes = 9;
const termBytes = 8;
const keyBytes = 8;
/** A block of the log is filled up to a multiple, so that it does not show how many terms are in it. */
const roundedTo = 1024;

function encodeEntries(entries: readonly LogEntry[]): Uint8Array {
  const used = entries.reduce(
    (sum, { terms, sortKeys }) => sum + entryHeadBytes + termBytes * terms.length + keyBytes * (sortKeys?.length ?? 0),
    0,
  );
  const bytes = Buffer.alloc(Math.ceil((headBytes + used) / roundedTo) * roundedTo);
  bytes.writeUInt32LE(used);
  let at = headBytes;
  for (const { id, terms, sortKeys = [] } of entries) {
    at = bytes.writeUInt32LE(id, at);
    at = bytes.writeUInt8(sortKeys.length, at);
    at = bytes.writeUInt32LE(terms.length, at);
    for (const key of sortKeys) at = bytes.writeDoubleLE(key, at);
    for (const term of terms) at += bytes.write(term, at, "latin1");
  }
  return bytes;
}

export function logBlock(
  { box, names }: { readonly box: Pick<IndexBox, "sealBlock">; readonly names: BlockNames },
  serial: number,
  entries: readonly LogEntry[],
): Block {
  return { name: names.log, serial, sealed: box.sealBlock(names.context(names.log, serial), encodeEntries(entries)) };
}

export function decodeEntries(plain: Uint8Array): LogEntry[] {
  const bytes = Buffer.from(plain.buffer, plain.byteOffset, plain.length);
  const end = headBytes + bytes.readUInt32LE();
  const entries: LogEntry[] = [];
  for (let at = headBytes; at < end; ) {
    const [id, keys, count] = [bytes.readUInt32LE(at), bytes.readUInt8(at + 4), bytes.readUInt32LE(at + 5)];
    const termsFrom = at + entryHeadBytes + keys * keyBytes;
    const next = termsFrom + count * termBytes;
    if (next > end || end > bytes.length || (keys !== 0 && keys !== sortSchemes.length)) {
      throw new Problem("damaged", "the log of the index does not add up", {
        remedy: "make the index again with `leadglass vault rebuild`",
      });
    }
    const sortKeys = Array.from({ length: keys }, (_, key) => bytes.readDoubleLE(at + entryHeadBytes + key * keyBytes));
    const terms = Array.from({ length: count }, (_, term) => {
      const from = termsFrom + term * termBytes;
      return bytes.toString("latin1", from, from + termBytes);
    });
    entries.push({ id, terms, ...(keys > 0 && { sortKeys }) });
    at = next;
  }
  return entries;
}

/** Entries of the log in memory, by what is asked for. */
export interface Tail {
  readonly terms: ReadonlyMap<Term, readonly number[]>;
  /** The newest of each study that has any. */
  readonly sortKeys: ReadonlyMap<number, readonly number[]>;
  /** What it weighs. */
  readonly termCount: number;
  readonly blockCount: number;
  take(entries: readonly LogEntry[]): void;
}

export function createTail(): Tail {
  const terms = new Map<Term, number[]>();
  const sortKeys = new Map<number, readonly number[]>();
  let termCount = 0;
  let blockCount = 0;
  return {
    terms,
    sortKeys,
    get termCount() {
      return termCount;
    },
    get blockCount() {
      return blockCount;
    },
    take(entries) {
      blockCount++;
      for (const entry of entries) {
        termCount += entry.terms.length;
        if (entry.sortKeys !== undefined) sortKeys.set(entry.id, entry.sortKeys);
        for (const term of entry.terms) {
          const ids = terms.get(term);
          if (ids === undefined) terms.set(term, [entry.id]);
          else ids.push(entry.id);
        }
      }
    },
  };
}

export function inTails(tails: readonly Tail[], term: Term): Numbers {
  return ascending(Uint32Array.from(tails.flatMap(({ terms }) => terms.get(term) ?? [])));
}
