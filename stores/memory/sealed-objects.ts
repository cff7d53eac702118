import { isProblem, Problem } from "#base/problem";
import { createPermits } from "#base/turns";
import {
  type Compacted,
  type Compacting,
  type FoundObject,
  type Gap,
  headerInNewPack,
  type ObjectMove,
  type ObjectWriter,
  type PackRange,
  type SealedObjects,
  scanObjects,
  type VoidRange,
} from "#trust/vault";

/** Sealed objects in memory, one pack at a time, for tests of what stands on them. */
export interface MemorySealedObjects extends SealedObjects {
  /** The next so many commits fail as on a full disk. */
  failCommits(count: number): void;
  /** The bytes of the pack that is written to, for a test that damages them. */
  bytes(): Buffer;
}

interface MemoryPack {
  readonly name: string;
  content: Buffer;
  readonly voids: VoidRange[];
  isEnded: boolean;
}

/** Where the objects of a pack lie that was compacted. */
interface Moved {
  readonly into: string | undefined;
  readonly objects: readonly { readonly from: FoundObject; readonly to: FoundObject }[];
}

export function createMemorySealedObjects(): MemorySealedObjects {
  const packs = new Map<string, MemoryPack>();
  const moved = new Map<string, Moved>();
  let serial = 1;
  const permits = createPermits(1);
  let isClosed = false;
  let failures = 0;
  const live = new Set<ObjectWriter>();

  const newPack = (): MemoryPack => {
    const name = `${String(serial++).padStart(8, "0")}-00000000`;
    return { name, content: Buffer.alloc(0), voids: [], isEnded: false };
  };
  let open = newPack();
  let copying: MemoryPack | undefined;
  const packOf = (name: string): MemoryPack => {
    const pack = [open, copying].find((each) => each?.name === name) ?? packs.get(name);
    if (pack === undefined) throw new Problem("absent", "there is no such pack");
    return pack;
  };

  const lease = (): ObjectWriter => {
    const pack = open;
    const start = pack.content.length;
    const kept: Buffer[] = [];
    let isOver = false;
    const take = (parts: readonly Uint8Array[]) => {
      if (isOver) throw new Problem("conflict", "this object was ended already");
      for (const part of parts) kept.push(Buffer.from(part));
    };
    const end = () => {
      isOver = true;
      live.delete(writer);
      permits.give();
    };
    const writer: ObjectWriter = {
      pack: pack.name,
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
        pack.content = Buffer.concat([pack.content, ...kept]);
        packs.set(pack.name, pack);
        end();
      },
      async abort() {
        if (!isOver) end();
      },
    };
    live.add(writer);
    return writer;
  };
  const read = async (name: string, position: number, into: Uint8Array): Promise<number> => {
    const lies = moved.get(name)?.objects.find(({ from }) => position >= from.start && position < from.endPosition);
    if (lies !== undefined) {
      const { from, to } = lies;
      return read(to.pack, position + to.start - from.start, into.subarray(0, from.endPosition - position));
    }
    const piece = packOf(name).content.subarray(position, position + into.length);
    into.set(piece);
    return piece.length;
  };
  async function* scan(name: string, from: number): AsyncGenerator<FoundObject | Gap> {
    const gone = moved.get(name);
    if (gone !== undefined) {
      if (gone.into !== undefined) yield* scan(gone.into, 0);
      return;
    }
    const { content, voids } = packOf(name);
    const readAt = async (position: number, into: Uint8Array) => {
      const piece = content.subarray(position, position + into.length);
      into.set(piece);
      return piece.length;
    };
    yield* scanObjects(readAt, { pack: name, from, to: content.length, voids });
  }
  const discardOne = ({ pack: name, from, to }: PackRange): void => {
    const gone = moved.get(name);
    if (gone !== undefined) {
      const inside = gone.objects.filter((each) => each.from.start >= from && each.from.endPosition <= to);
      for (const { to: now } of inside) discardOne({ pack: now.pack, from: now.start, to: now.endPosition });
      return;
    }
    const { content, voids } = packOf(name);
    if (!(Number.isSafeInteger(from) && Number.isSafeInteger(to) && 0 <= from && from < to && to <= content.length)) {
      throw new Problem("invalid", "a range outside of its pack cannot be discarded");
    }
    if (!voids.some((each) => each.from <= from && to <= each.to)) voids.push({ from, to });
  };
  const compact = async (name: string, how: Compacting): Promise<Compacted> => {
    const pack = packOf(name);
    if ([...live].some((writer) => writer.pack === name)) {
      throw new Problem("busy", "an object is being written to this pack");
    }
    pack.isEnded = true;
    if (pack === open) open = newPack();
    const copy = newPack();
    copying = copy;
    const objects: Moved["objects"][number][] = [];
    for await (const found of scan(name, 0)) {
      if ("gapFrom" in found) return unmoved({ pack: name, from: found.gapFrom, to: found.gapTo });
      const stays = await keeps(how, found);
      if (stays === "damaged") return unmoved({ pack: name, from: found.start, to: found.endPosition });
      if (stays) objects.push({ from: found, to: append(copy, pack, found) });
    }
    for (const { to } of objects) await how.keeps(to);
    const late = objects.filter(({ from }) =>
      pack.voids.some((each) => from.start >= each.from && from.start < each.to),
    );
    for (const { to } of late) copy.voids.push({ from: to.start, to: to.endPosition });
    copy.isEnded = true;
    const into = objects.length === 0 ? undefined : copy;
    await how.moved(objects.map(asMove), into && { pack: copy.name, position: copy.content.length });
    packs.delete(name);
    if (into !== undefined) packs.set(copy.name, copy);
    moved.set(name, { into: into?.name, objects });
    return { objects: objects.length, freedBytes: pack.content.length - copy.content.length, damaged: [] };
  };
  return {
    start: async () => {},
    async begin() {
      await permits.take();
      if (!isClosed) return lease();
      permits.give();
      throw new Problem("unavailable", "the packs are closed");
    },
    read,
    packs: async () =>
      [...packs.values()].map(({ name, content, voids, isEnded }) => ({
        pack: name,
        endPosition: content.length,
        discardedBytes: voids.reduce((sum, { from, to }) => sum + to - from, 0),
        isEnded,
        isMoving: false,
      })),
    scan,
    discard: async (ranges) => ranges.forEach(discardOne),
    compact,
    async close() {
      isClosed = true;
      await Promise.all([...live].map((writer) => writer.abort()));
    },
    failCommits(count) {
      failures = count;
    },
    bytes: () => open.content,
  };
}

function unmoved(damaged: PackRange): Compacted {
  return { objects: 0, freedBytes: 0, damaged: [damaged] };
}

function asMove({ from, to }: Moved["objects"][number]): ObjectMove {
  return { from: { pack: from.pack, offset: from.offset }, to: { pack: to.pack, offset: to.offset } };
}

async function keeps(how: Compacting, found: FoundObject): Promise<boolean | "damaged"> {
  try {
    return await how.keeps(found);
  } catch (error) {
    if (isProblem(error, "damaged")) return "damaged";
    throw error;
  }
}

function append(copy: MemoryPack, from: MemoryPack, found: FoundObject): FoundObject {
  const bytes = Buffer.from(from.content.subarray(found.start, found.endPosition));
  headerInNewPack(bytes)?.copy(bytes);
  const moved = copy.content.length - found.start;
  copy.content = Buffer.concat([copy.content, bytes]);
  const { offset, endPosition } = found;
  return {
    ...found,
    pack: copy.name,
    start: found.start + moved,
    offset: offset + moved,
    endPosition: endPosition + moved,
  };
}
