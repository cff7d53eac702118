import { Problem } from "#base/problem";
import { type ObjectWriter, type SealedObjects, scanObjects } from "#trust/vault";

/** Sealed objects in one pack in memory, for tests of what stands on them. */
export interface MemorySealedObjects extends SealedObjects {
  /** The next so many commits fail as on a full disk. */
  failCommits(count: number): void;
  /** The bytes of the pack, for a test that damages them. */
  bytes(): Buffer;
}

export function createMemorySealedObjects(): MemorySealedObjects {
  const pack = "00000001-00000000";
  let content = Buffer.alloc(0);
  let lane: Promise<void> = Promise.resolve();
  let isClosed = false;
  let failures = 0;
  const live = new Set<ObjectWriter>();

  const lease = (free: () => void): ObjectWriter => {
    const start = content.length;
    const kept: Buffer[] = [];
    let isOver = false;
    const take = (parts: readonly Uint8Array[]) => {
      if (isOver) throw new Problem("conflict", "this object was ended already");
      for (const part of parts) kept.push(Buffer.from(part));
    };
    const end = () => {
      isOver = true;
      live.delete(writer);
      free();
    };
    const writer: ObjectWriter = {
      pack,
      start,
      provenTo: start,
      write: async (parts) => take(parts),
      async commit(parts) {
        take(parts);
        if (failures > 0) {
          failures--;
          end();
          throw new Problem("no-room", "no room left while writing a pack", { remedy: "free or add disk space" });
        }
        content = Buffer.concat([content, ...kept]);
        end();
      },
      async abort() {
        if (!isOver) end();
      },
    };
    live.add(writer);
    return writer;
  };
  const readAt = async (position: number, into: Uint8Array) => {
    const piece = content.subarray(position, position + into.length);
    into.set(piece);
    return piece.length;
  };
  return {
    start: async () => {},
    async begin() {
      const before = lane;
      const { promise, resolve } = Promise.withResolvers<void>();
      lane = promise;
      await before;
      if (!isClosed) return lease(resolve);
      resolve();
      throw new Problem("unavailable", "the packs are closed");
    },
    async read(name, position, into) {
      if (name !== pack) throw new Problem("absent", "there is no such pack");
      return readAt(position, into);
    },
    packs: async () => (content.length === 0 ? [] : [{ pack, endPosition: content.length }]),
    scan: (name, from) => scanObjects(readAt, { pack: name, from, to: content.length }),
    async close() {
      isClosed = true;
      await Promise.all([...live].map((writer) => writer.abort()));
    },
    failCommits(count) {
      failures = count;
    },
    bytes: () => content,
  };
}
