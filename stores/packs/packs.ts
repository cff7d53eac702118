import type { Clock } from "#base/clock";
import type { Random } from "#base/id";
import type { Files } from "#base/io";
import { type Log, silentLog } from "#base/log";
import { asProblem, Problem } from "#base/problem";
import { createTurns } from "#base/turns";
import {
  type Compacting,
  type FoundObject,
  type Gap,
  type ObjectWriter,
  type PackRange,
  type ReadAt,
  type SealedObjects,
  scanObjects,
} from "#trust/vault";
import { type CompactionParts, compactPack, movesBetween } from "./compaction.ts";
import { createFollower, type Follower } from "./follower.ts";
import { createForwards } from "./forwards.ts";
import { createLanes } from "./lanes.ts";
import { newPackName, serialOf, takingName } from "./names.ts";
import { acknowledgedEnd, type CopiedObject, type Pack } from "./pack.ts";
import { createPackFolder } from "./pack-folder.ts";
import { createReadHandles } from "./read-handles.ts";
import { createReplica } from "./replica.ts";
import { resumePack } from "./resume.ts";
import { createRoom } from "./room.ts";

export interface PackOptions {
  readonly files: Files;
  /** Made when it is not there. */
  readonly folder: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log?: Log;
  /** Objects written at the same time; each has a pack of its own meanwhile. More wait for their turn. */
  readonly lanesMax?: number;
  /** A pack that has grown beyond is ended. An object is never split, so one pack may be longer by one object. */
  readonly packBytesMax?: number;
  /** Free space that images never use. */
  readonly reserveBytes?: number;
  /** A second place for the same packs (another disk, a NAS). Receiving neither fails nor stops because of it. */
  readonly replicaFolder?: string;
  /** How fast a replica that lags is brought up to date. */
  readonly replicaBytesPerSecond?: number;
  /** So long an acknowledgement waits for a replica that keeps step; a slower one lags from then on and is not waited for. */
  readonly replicaWaitMs?: number;
}

/** Sealed objects in append-only files in one folder. One process at a time may use the folder. */
export function createPacks(options: PackOptions): SealedObjects {
  const { files, clock, random, log = silentLog, replicaFolder } = options;
  const { lanesMax = 16, packBytesMax = 1024 ** 3, reserveBytes = 1024 ** 3 } = options;
  const folder = createPackFolder(files, options.folder);
  const packs = new Map<string, Pack>();
  const room = createRoom({ files, folder: folder.path, clock, reserveBytes });
  const compactions = createTurns();
  const changing = createTurns();
  const forwards = createForwards();
  let nextSerial = 1;
  let state: "new" | "ready" | "closed" = "new";

  const newName = () => newPackName(nextSerial++, random(new Uint8Array(4)));
  const packOf = (name: string): Pack => {
    const pack = packs.get(name);
    if (pack === undefined) throw new Problem("absent", "there is no such pack");
    return pack;
  };
  const handles = createReadHandles({ files, pathOf: (name) => folder.pathOf(packOf(name)), openMax: 64 });
  const gone = new Set<string>();
  const follower: Follower | undefined =
    replicaFolder === undefined
      ? undefined
      : createFollower({
          files,
          folder: replicaFolder,
          clock,
          log,
          bytesPerSecond: options.replicaBytesPerSecond ?? 50_000_000,
          waitMs: options.replicaWaitMs ?? 2000,
          source: { folder, packs, gone, read: handles.read },
        });
  const changed = (pack: Pack) => follower?.changed(pack.name);
  const lanes = createLanes({ files, folder, packs, room, log, lanesMax, packBytesMax, newName, changed });

  const checkReady = () => {
    if (state === "ready") return;
    throw new Problem("unavailable", state === "new" ? "the packs are not ready yet" : "the packs are closed");
  };
  const compaction: CompactionParts = {
    files,
    folder,
    packs,
    handles,
    forwards,
    room,
    changing,
    newName,
    changed,
    checkOpen: checkReady,
    gone: follower && gone,
  };

  const start = async (prove: (found: FoundObject) => Promise<boolean>) => {
    if (state !== "new") throw new Problem("conflict", "the packs were started already");
    await files.makeFolder(folder.path);
    const loaded = await folder.load();
    for (const pack of loaded.packs.values()) {
      packs.set(pack.name, pack);
      nextSerial = Math.max(nextSerial, serialOf(pack.name) + 1);
    }
    for (const name of loaded.gone) if (!packs.has(name)) gone.add(name);
    for (const pack of loaded.packs.values()) if (pack.taking !== undefined) await resumeTaking(pack, pack.taking.from);
    for (const pack of loaded.packs.values()) {
      if (pack.endPosition !== undefined) continue;
      const resumed = await resumePack({ files, folder, pack, prove, log });
      if (resumed.isWhole && resumed.position < packBytesMax && lanes.count() < lanesMax) {
        lanes.add(pack, resumed.file, resumed.position);
        continue;
      }
      await resumed.file.close();
      pack.endPosition = resumed.position;
      await lanes.end(pack);
    }
    state = "ready";
    follower?.start();
  };
  /** All of a pack, what was discarded too. */
  const scanAll = (pack: Pack) =>
    scanObjects((position, into) => handles.read(pack.name, position, into), {
      pack: pack.name,
      from: 0,
      to: acknowledgedEnd(pack),
    });
  const resumeTaking = async (pack: Pack, from: string) => {
    const old = packs.get(from);
    if (old === undefined) {
      pack.taking = undefined;
      return folder.end(pack);
    }
    pack.taking = { from, moves: await movesBetween(scanAll(old), scanAll(pack)) };
  };

  async function* scan(name: string, from: number): AsyncGenerator<FoundObject | Gap> {
    const pack = packs.get(name);
    if (pack === undefined && forwards.knows(name)) {
      const successor = forwards.successorOf(name);
      if (successor !== undefined) yield* scan(successor, 0);
      return;
    }
    const to = acknowledgedEnd(packOf(name));
    const failed = (error: unknown): never => {
      throw asProblem(error, "reading a pack");
    };
    const reader = await handles.lease(name).catch(failed);
    try {
      const readAt: ReadAt = (position, into) => reader.read(position, into).catch(failed);
      yield* scanObjects(readAt, { pack: name, from, to, voids: packOf(name).voids });
    } finally {
      reader.release();
    }
  }
  const read = async (name: string, position: number, into: Uint8Array): Promise<number> => {
    if (packs.has(name)) {
      try {
        return await handles.read(name, position, into);
      } catch (error) {
        // It may have been compacted between the look at it and the opening of its file.
        if (packs.has(name)) throw error;
      }
    }
    const now = forwards.find(name, position);
    if (now === undefined) throw new Problem("absent", "there is no such pack, or nothing there any more");
    return read(now.pack, now.position, into.subarray(0, Math.min(into.length, now.bytes)));
  };
  /** The range, and where the same objects lie besides. */
  const everywhere = (range: PackRange): { pack: Pack; range: PackRange }[] => {
    checkRange(range, packs.get(range.pack), forwards.knows(range.pack));
    const pack = packs.get(range.pack);
    if (pack === undefined) return forwarded(range);
    const copies = [...packs.values()].flatMap((each) => copiesIn(each, range));
    return [{ pack, range }, ...copies.map((copy) => ({ pack: packOf(copy.pack), range: copy }))];
  };
  const forwarded = (range: PackRange) =>
    forwards.objectsIn(range).flatMap((now) => {
      const pack = packs.get(now.pack);
      return pack === undefined ? [] : [{ pack, range: now }];
    });

  return {
    start: (prove) =>
      start(prove).catch((error) => {
        throw asProblem(error, "opening the packs");
      }),
    async begin() {
      checkReady();
      try {
        const writer = await lanes.begin(checkReady);
        return follower === undefined ? writer : followed(writer, follower, packOf(writer.pack));
      } catch (error) {
        throw asProblem(error, "opening a pack");
      }
    },
    read: (pack, position, into) =>
      read(pack, position, into).catch((error) => {
        throw asProblem(error, "reading a pack");
      }),
    async packs() {
      const all = [...packs.values()].sort((a, b) => serialOf(a.name) - serialOf(b.name));
      const moving = new Set(all.map(({ taking }) => taking?.from));
      const listed = all.filter(({ taking }) => taking === undefined);
      return listed.map((pack) => ({
        pack: pack.name,
        endPosition: acknowledgedEnd(pack),
        discardedBytes: pack.voids.reduce((sum, { from, to }) => sum + to - from, 0),
        isEnded: pack.endPosition !== undefined,
        isMoving: moving.has(pack.name),
      }));
    },
    scan,
    async discard(ranges) {
      checkReady();
      try {
        await changing.take(async () => {
          const voids = ranges.flatMap(everywhere);
          await folder.addVoids(voids);
          for (const { pack } of voids) changed(pack);
        });
      } catch (error) {
        throw asProblem(error, "discarding an object");
      }
    },
    async compact(name: string, how: Compacting) {
      try {
        return await compactions.take(async () => {
          checkReady();
          const pack = packOf(name);
          await lanes.endIdle(pack);
          return compactPack(compaction, pack, how);
        });
      } catch (error) {
        throw asProblem(error, "compacting a pack");
      }
    },
    ...(follower !== undefined && { replica: createReplica({ files, folder, packOf, read: handles.read, follower }) }),
    async close() {
      state = "closed";
      // One that is under way sees that the store is closed, and stops.
      const close = async () => {
        try {
          await lanes.close();
        } catch (error) {
          throw asProblem(error, "closing the packs");
        } finally {
          await follower?.close();
          await handles.close();
        }
      };
      await compactions.take(() => changing.take(close));
    },
  };
}

function checkRange({ from, to }: PackRange, pack: Pack | undefined, wasCompacted: boolean): void {
  if (pack === undefined && !wasCompacted) throw new Problem("absent", "there is no such pack");
  const end = pack === undefined ? Number.MAX_SAFE_INTEGER : acknowledgedEnd(pack);
  if (Number.isSafeInteger(from) && Number.isSafeInteger(to) && 0 <= from && from < to && to <= end) return;
  throw new Problem("invalid", "a range outside of its pack cannot be discarded");
}

const rangeOf = ({ pack, start, endPosition }: FoundObject): PackRange => ({ pack, from: start, to: endPosition });

/** Where the objects of a range of one of two packs lie in the other. */
function copiesIn({ name, fileName, endPosition, taking }: Pack, range: PackRange): PackRange[] {
  // What is discarded while copies are still being made is looked for when they are whole.
  if (taking === undefined || fileName !== takingName(name, endPosition ?? 0, taking.from)) return [];
  const lies = (found: FoundObject) =>
    found.pack === range.pack && found.start >= range.from && found.endPosition <= range.to;
  const inOther = ({ from, to }: CopiedObject) => (lies(from) ? [rangeOf(to)] : lies(to) ? [rangeOf(from)] : []);
  return taking.moves.flatMap(inOther);
}

/** A writer whose acknowledgement waits for the replica, as long as that keeps step. */
function followed(writer: ObjectWriter, follower: Follower, pack: Pack): ObjectWriter {
  return {
    ...writer,
    async commit(parts) {
      await writer.commit(parts);
      follower.changed(pack.name);
      await follower.reached(pack.name, acknowledgedEnd(pack));
    },
  };
}
