import { chunkOf, chunkStudies, encodeChunk } from "./blind-columns.ts";
import { ascending, blocksOf, numbersOf } from "./blind-lists.ts";
import type { Tail } from "./blind-log.ts";
import { type BlindMemory, chunksOf, type MemoryParts, readChunks } from "./blind-memory.ts";
import { noSortKey, type SortScheme, sortSchemes } from "./blind-sort-keys.ts";
import type { BlindChange, Block } from "./blind-store.ts";
import type { Term } from "./blind-terms.ts";

/** Lists written in one transaction: short enough that a batch of instances does not wait for long. */
const sliceTerms = 256;

/**
 * Brings the log into lists and columns, a slice in each turn that `inTurn` gives. A merge that is broken off is begun again:
 * until the last transaction the log stands whole, and what is put into a list twice is taken once.
 */
export async function mergeLog(
  parts: MemoryParts,
  memory: BlindMemory,
  inTurn: <T>(work: () => Promise<T>) => Promise<T>,
): Promise<void> {
  const { tail, logSerial } = memory.merging();
  // In the order of the store, so that neighbours are written together.
  const terms = [...tail.terms.keys()].sort();
  for (let from = 0; from < terms.length; from += sliceTerms) {
    const slice = terms.slice(from, from + sliceTerms);
    await inTurn(async () => {
      await parts.store.change(async (rows) => rows.put({ blocks: await longer(parts, rows, tail, slice) }));
      memory.listsWritten(slice);
    });
  }
  await inTurn(async () => {
    await parts.store.change(async (rows) => {
      const columns = await Promise.all(sortSchemes.map((scheme) => changedChunks(parts, rows, tail, scheme)));
      await rows.put({ blocks: columns.flat() });
      await rows.removeBlocks(parts.names.log, logSerial);
    });
    memory.merged();
  });
}

/** The last blocks of some lists with the numbers of the log behind, and blocks after them where they overflow. */
async function longer(
  { box, names }: MemoryParts,
  rows: BlindChange,
  tail: Tail,
  terms: readonly Term[],
): Promise<Block[]> {
  const last = await rows.lastBlocks(terms.map(names.list));
  const lastOf = new Map(
    last.map((block) => [
      Buffer.from(block.name.buffer, block.name.byteOffset, block.name.length).toString("latin1"),
      block,
    ]),
  );
  return terms.flatMap((term) => {
    const name = names.list(term);
    const before = lastOf.get(term);
    const from = before?.serial ?? 0;
    const kept = before === undefined ? [] : numbersOf([box.openBlock(names.context(name, from), before.sealed)]);
    const numbers = ascending(Uint32Array.from([...kept, ...(tail.terms.get(term) ?? [])]));
    return blocksOf(numbers).map((plain, at) => ({
      name,
      serial: from + at,
      sealed: box.sealBlock(names.context(name, from + at), plain),
    }));
  });
}

async function changedChunks(parts: MemoryParts, rows: BlindChange, tail: Tail, scheme: SortScheme): Promise<Block[]> {
  const at = sortSchemes.indexOf(scheme);
  const chunks = chunksOf(tail.sortKeys.keys());
  const standing = await readChunks(parts, rows, scheme, chunks);
  const changed = new Map(
    chunks.map((chunk) => [chunk, standing.get(chunk) ?? new Float64Array(chunkStudies).fill(noSortKey)] as const),
  );
  for (const [id, keys] of tail.sortKeys) {
    const chunk = changed.get(chunkOf(id));
    if (chunk !== undefined) chunk[id % chunkStudies] = keys[at] as number;
  }
  return [...changed].map(([chunk, keys]) => {
    const name = parts.names.chunk(scheme, chunk);
    return { name, serial: 0, sealed: parts.box.sealBlock(parts.names.context(name, 0), encodeChunk(keys)) };
  });
}
