import type { EntryStore } from "#trust/audit";
import { type Failing, withFailures } from "./failing.ts";

const hashBytes = 32;

export function createMemoryEntryStore(): EntryStore & Failing {
  const lines: Buffer[] = [];
  const hashes: Buffer[] = [];
  const notes: Buffer[] = [];
  const cosignatures = new Map<number, Buffer>();
  const copies = (held: readonly Buffer[], from: number, to: number) =>
    held.slice(from, to).map((one) => Buffer.from(one));
  return withFailures<EntryStore>({
    size: () => lines.length,
    append: async (added) => void lines.push(...added.map((line) => Buffer.from(line))),
    read: async (from, to) => copies(lines, from, to),
    async writeHashes(at, written) {
      for (let i = 0; i * hashBytes < written.length; i++) {
        hashes[at + i] = Buffer.from(written.subarray(i * hashBytes, (i + 1) * hashBytes));
      }
    },
    readHashes: async (places) => places.map((place) => Buffer.from(hashes[place] ?? Buffer.alloc(hashBytes))),
    syncHashes: async () => {},
    appendCheckpoint: async (note) => void notes.push(Buffer.from(note)),
    checkpointCount: () => notes.length,
    readCheckpoints: async (from, to) => copies(notes, from, to),
    writeCosignatures: async (checkpoint, written) => void cosignatures.set(checkpoint, Buffer.from(written)),
    readCosignatures: async (from, to) =>
      Array.from({ length: Math.max(0, to - from) }, (_, i) => Buffer.from(cosignatures.get(from + i) ?? [])),
    close: async () => {},
  });
}
