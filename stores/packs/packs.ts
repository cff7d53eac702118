import type { Clock } from "#base/clock";
import type { Random } from "#base/id";
import type { Files } from "#base/io";
import { type Log, silentLog } from "#base/log";
import { asProblem, Problem } from "#base/problem";
import { type FoundObject, type ObjectWriter, type SealedObjects, scanObjects } from "#trust/vault";
import { createLane, type Lane } from "./lane.ts";
import { endedName, newPackName, openName, parseName, serialOf } from "./names.ts";
import type { Pack } from "./pack.ts";
import { createReadHandles } from "./read-handles.ts";
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
}

/** Sealed objects in append-only files in one folder. One process at a time may use the folder. */
export function createPacks(options: PackOptions): SealedObjects {
  const { files, folder, clock, random, log = silentLog } = options;
  const { lanesMax = 16, packBytesMax = 1024 ** 3, reserveBytes = 1024 ** 3 } = options;
  const packs = new Map<string, Pack>();
  const lanes = new Set<Lane>();
  /** Packs that could not be ended on disk yet; no object is taken before they are. */
  const unended = new Set<Pack>();
  const endings = new Map<Pack, Promise<void>>();
  const ending = new Set<Promise<void>>();
  const room = createRoom({ files, folder, clock, reserveBytes });
  const turns = createTurns(lanesMax);
  let nextSerial = 1;
  let creating = 0;
  let state: "new" | "ready" | "closed" = "new";

  const packOf = (name: string): Pack => {
    const pack = packs.get(name);
    if (pack === undefined) throw new Problem("absent", "there is no such pack");
    return pack;
  };
  /** Packs whose file has its final name. */
  const renamed = new Set<string>();
  const pathOf = (name: string) => {
    const { endPosition } = packOf(name);
    return `${folder}/${endPosition !== undefined && renamed.has(name) ? endedName(name, endPosition) : openName(name)}`;
  };
  const handles = createReadHandles({ files, pathOf, openMax: 64 });

  const giveFinalName = async (pack: Pack) => {
    if (!renamed.has(pack.name)) {
      const finalName = endedName(pack.name, pack.endPosition ?? 0);
      await files.rename(`${folder}/${openName(pack.name)}`, `${folder}/${finalName}`);
      renamed.add(pack.name);
    }
    await files.syncFolder(folder);
    unended.delete(pack);
  };
  /** Gives a pack its final name, durably: from then on nothing behind `endPosition` exists. */
  const endOnDisk = (pack: Pack): Promise<void> => {
    unended.add(pack);
    const trial = endings.get(pack) ?? giveFinalName(pack).finally(() => endings.delete(pack));
    endings.set(pack, trial);
    return trial;
  };
  const endPack = async (lane: Lane) => {
    lanes.delete(lane);
    const pack = packOf(lane.pack);
    pack.endPosition = lane.acknowledgedTo();
    await endOnDisk(pack).catch((error) => log.error("a pack could not be ended", { pack: pack.name }, error));
  };
  /** Not waited for here, but before the store is closed. */
  const track = (work: Promise<void>): void => {
    const done = work
      .catch((error) => log.error("a pack could not be closed", {}, error))
      .finally(() => ending.delete(done));
    ending.add(done);
  };
  const endFull = (lane: Lane) => {
    lanes.delete(lane);
    track(
      lane.close().then(async () => {
        if (!lane.hasFailed()) await endPack(lane);
      }),
    );
  };
  const addLane = (name: string, file: Parameters<typeof createLane>[0]["file"], position: number): Lane => {
    const lane = createLane({
      pack: name,
      file,
      position,
      room,
      freed(freed) {
        if (!freed.hasFailed() && freed.position() >= packBytesMax) endFull(freed);
        turns.give();
      },
      failed(failed) {
        log.error("a pack failed and is given up", { pack: failed.pack, acknowledgedTo: failed.acknowledgedTo() });
        return endPack(failed).then(() => track(failed.close()));
      },
    });
    lanes.add(lane);
    packOf(name).lane = lane;
    return lane;
  };
  /** A lane that is leased as it is made, so that nobody else finds it free. */
  const createPack = async (): Promise<ObjectWriter> => {
    const name = newPackName(nextSerial++, random(new Uint8Array(4)));
    const file = await files.open(`${folder}/${openName(name)}`, "create");
    try {
      await files.syncFolder(folder);
    } catch (error) {
      await file.close().catch(() => {});
      throw error;
    }
    packs.set(name, { name, endPosition: undefined, voids: [] });
    return addLane(name, file, 0).lease();
  };
  const chooseLane = async (): Promise<ObjectWriter> => {
    for (const pack of [...unended]) await endOnDisk(pack);
    const free = [...lanes].filter((lane) => !lane.isLeased() && !lane.hasFailed());
    const idle = free.find((lane) => !lane.isSyncing()) ?? (lanes.size + creating < lanesMax ? undefined : free[0]);
    if (idle !== undefined) return idle.lease();
    creating++;
    try {
      return await createPack();
    } finally {
      creating--;
    }
  };
  const checkReady = () => {
    if (state === "ready") return;
    throw new Problem("unavailable", state === "new" ? "the packs are not ready yet" : "the packs are closed");
  };
  const acknowledgedEnd = (pack: Pack): number => {
    if (pack.endPosition !== undefined) return pack.endPosition;
    return pack.lane?.acknowledgedTo() ?? 0;
  };

  const start = async (prove: (found: FoundObject) => Promise<boolean>) => {
    if (state !== "new") throw new Problem("conflict", "the packs were started already");
    await files.makeFolder(folder);
    const open: Pack[] = [];
    for (const name of await files.list(folder)) {
      const parsed = parseName(name);
      if (parsed === undefined) continue;
      const pack = packs.get(parsed.pack) ?? { name: parsed.pack, endPosition: undefined, voids: [] };
      packs.set(pack.name, pack);
      nextSerial = Math.max(nextSerial, serialOf(pack.name) + 1);
      if (parsed.kind === "void") pack.voids.push(parsed);
      if (parsed.kind === "open") open.push(pack);
      if (parsed.kind === "ended") {
        pack.endPosition = parsed.endPosition;
        renamed.add(pack.name);
      }
    }
    for (const pack of open) {
      const resumed = await resumePack({ files, folder, pack, prove, log });
      if (resumed.isWhole && resumed.position < packBytesMax && lanes.size < lanesMax) {
        addLane(pack.name, resumed.file, resumed.position);
        continue;
      }
      await resumed.file.close();
      pack.endPosition = resumed.position;
      await endOnDisk(pack);
    }
    state = "ready";
  };

  return {
    start: (prove) =>
      start(prove).catch((error) => {
        throw asProblem(error, "opening the packs");
      }),
    async begin() {
      checkReady();
      await turns.take();
      try {
        checkReady();
        await room.take(0);
        return await chooseLane();
      } catch (error) {
        turns.give();
        throw asProblem(error, "opening a pack");
      }
    },
    async read(pack, position, into) {
      packOf(pack);
      return handles.read(pack, position, into).catch((error) => {
        throw asProblem(error, "reading a pack");
      });
    },
    async packs() {
      const all = [...packs.values()].sort((a, b) => serialOf(a.name) - serialOf(b.name));
      return all.map((pack) => ({ pack: pack.name, endPosition: acknowledgedEnd(pack) }));
    },
    async *scan(name, from) {
      const pack = packOf(name);
      const readAt = (position: number, into: Uint8Array) => handles.read(name, position, into);
      yield* scanObjects(readAt, { pack: name, from, to: acknowledgedEnd(pack), voids: pack.voids });
    },
    async close() {
      state = "closed";
      const closed = await Promise.allSettled([...lanes].map((lane) => lane.close()));
      while (ending.size > 0) await Promise.all(ending);
      await handles.close();
      const failed = closed.find((each) => each.status === "rejected");
      if (failed !== undefined) throw asProblem(failed.reason, "closing the packs");
    },
  };
}

/** A counter of free turns; who finds none waits, first come first served. */
function createTurns(count: number): { take(): Promise<void>; give(): void } {
  let free = count;
  const waiting: (() => void)[] = [];
  return {
    take() {
      if (free > 0) {
        free--;
        return Promise.resolve();
      }
      return new Promise((resolve) => waiting.push(resolve));
    },
    give() {
      const next = waiting.shift();
      if (next === undefined) free++;
      else next();
    },
  };
}
