import { Problem } from "#base/problem";
import { createTurns } from "#base/turns";
import type { Checkpoint } from "./audit.ts";
import type { EntryStore } from "./entry-store.ts";
import {
  consistencyPath,
  countOfHashes,
  createTree,
  type HashAt,
  hashBytes,
  inclusionPath,
  peaksOf,
  placeOfHash,
  rootOfPeaks,
} from "./tree.ts";

/** Hashes that wait in memory before they are written; they can always be made again from the lines. */
const waitingBytesMost = 256 * 1024;
const linesAtOnce = 4096;

/** The tree over a store's lines: its right edge in memory, its hashes in the store. */
export interface KeptTree {
  size(): number;
  root(): Buffer;
  append(line: Uint8Array): void;
  /** Writes waiting hashes when there are many. */
  relieve(): Promise<void>;
  /** Writes and syncs the hashes of everything that was appended before the call. */
  settle(): Promise<void>;
  prove(index: number, size: number): Promise<Buffer[]>;
  proveConsistency(before: number, size: number): Promise<Buffer[]>;
  /** Hashes of the complete subtrees of 2^`level` entries, the `from`-th to before the `to`-th. */
  subtrees(level: number, from: number, to: number): Promise<Buffer[]>;
}

/**
 * Opens the tree at the latest checkpoint: its right edge is read from the kept hashes and must give the signed root; if it
 * does not, every line up to there is hashed again. Lines behind the checkpoint are hashed in any case.
 * Rejects with Problem "damaged" when the lines are fewer than the checkpoint says, or others.
 */
export async function openTree(store: EntryStore, latest: Checkpoint | undefined): Promise<KeptTree> {
  const signed = latest?.size ?? 0;
  if (store.size() < signed) {
    throw new Problem("damaged", `the audit log holds ${store.size()} entries, its checkpoint says ${signed}`, {
      remedy: "restore the log from a backup; leadglass audit verify shows what is left",
    });
  }
  const peaks = await store.readHashes(peaksOf(signed));
  const holds = latest === undefined || rootOfPeaks(peaks).equals(latest.rootHash);
  if (holds) return grow(store, signed, peaks);
  const rebuilt = await grow(store, 0, [], latest);
  await rebuilt.settle();
  return rebuilt;
}

async function grow(store: EntryStore, size: number, peaks: readonly Buffer[], signed?: Checkpoint): Promise<KeptTree> {
  const tree = keep(store, size, peaks);
  while (tree.size() < store.size()) {
    const from = tree.size();
    // Stops at the signed size once, to compare.
    const end = signed !== undefined && from < signed.size ? signed.size : store.size();
    for (const line of await store.read(from, Math.min(end, from + linesAtOnce))) tree.append(line);
    await tree.relieve();
    if (tree.size() === signed?.size && !tree.root().equals(signed.rootHash)) {
      throw new Problem("damaged", "the audit log's entries are not those that its checkpoint signed", {
        remedy: "leadglass audit verify shows from which entry on; restore the log from a backup",
      });
    }
  }
  return tree;
}

function keep(store: EntryStore, size: number, peaks: readonly Buffer[]): KeptTree {
  const tree = createTree(size, peaks);
  let written = countOfHashes(size);
  let waiting: Buffer[] = [];
  const writing = createTurns();

  const write = () =>
    writing.take(async () => {
      const count = waiting.length;
      if (count === 0) return;
      await store.writeHashes(written, Buffer.concat(waiting));
      written += count;
      // A new array: whoever computes a proof still holds the old one.
      waiting = waiting.slice(count);
    });
  const compute = async (work: (at: HashAt) => Buffer[]): Promise<Buffer[]> => {
    const places = new Set<number>();
    const nothing = Buffer.alloc(hashBytes);
    work((place) => {
      places.add(place);
      return nothing;
    });
    const first = written;
    const held = waiting;
    const stored = [...places].filter((place) => place < first);
    const hashes = await store.readHashes(stored);
    const known = new Map(stored.map((place, index) => [place, hashes[index] as Buffer]));
    return work((place) => known.get(place) ?? (held[place - first] as Buffer));
  };
  const check = (holds: boolean) => {
    if (!holds) throw new Problem("invalid", "no such entry, or no such size of the tree");
  };

  return {
    size: tree.size,
    root: tree.root,
    append: (line) => void waiting.push(...tree.append(line)),
    relieve: async () => {
      if (waiting.length * hashBytes >= waitingBytesMost) await write();
    },
    async settle() {
      await write();
      await store.syncHashes();
    },
    async prove(index, treeSize) {
      check(Number.isSafeInteger(index) && index >= 0 && index < treeSize && treeSize <= tree.size());
      return compute((at) => inclusionPath(index, treeSize, at));
    },
    async proveConsistency(before, treeSize) {
      check(Number.isSafeInteger(before) && before > 0 && before <= treeSize && treeSize <= tree.size());
      return compute((at) => consistencyPath(before, treeSize, at));
    },
    async subtrees(level, from, to) {
      check(from >= 0 && from <= to && to * 2 ** level <= tree.size());
      return compute((at) => Array.from({ length: to - from }, (_, i) => at(placeOfHash(level, from + i))));
    },
  };
}
