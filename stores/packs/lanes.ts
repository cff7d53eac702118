import type { Files, OpenFile } from "#base/io";
import type { Log } from "#base/log";
import { Problem } from "#base/problem";
import { createPermits } from "#base/turns";
import type { ObjectWriter } from "#trust/vault";
import { createLane, type Lane } from "./lane.ts";
import { openName } from "./names.ts";
import type { Pack } from "./pack.ts";
import type { PackFolder } from "./pack-folder.ts";
import type { Room } from "./room.ts";

/** The packs that are written to, and how they come to their end. */
export interface Lanes {
  /** Waits for a turn, then for a lane. */
  begin(checkReady: () => void): Promise<ObjectWriter>;
  /** Goes on with a pack of the last process. */
  add(pack: Pack, file: OpenFile, position: number): void;
  count(): number;
  /** Gives a pack its final name, durably: from then on nothing behind `endPosition` exists. */
  end(pack: Pack): Promise<void>;
  /** Ends a pack that nobody writes to at the moment. Problem "busy" when somebody does. */
  endIdle(pack: Pack): Promise<void>;
  close(): Promise<void>;
}

export function createLanes(parts: {
  readonly files: Files;
  readonly folder: PackFolder;
  readonly packs: Map<string, Pack>;
  readonly room: Room;
  readonly log: Log;
  readonly lanesMax: number;
  readonly packBytesMax: number;
  newName(): string;
  /** More of a pack is acknowledged, or it was ended. */
  changed(pack: Pack): void;
}): Lanes {
  const { files, folder, packs, room, log, lanesMax, packBytesMax } = parts;
  const lanes = new Set<Lane>();
  /** Packs that could not be ended on disk yet; no object is taken before they are. */
  const unended = new Set<Pack>();
  const endings = new Map<Pack, Promise<void>>();
  const ending = new Set<Promise<void>>();
  const permits = createPermits(lanesMax);
  let creating = 0;

  const giveFinalName = async (pack: Pack) => {
    await folder.end(pack);
    unended.delete(pack);
    parts.changed(pack);
  };
  const endOnDisk = (pack: Pack): Promise<void> => {
    unended.add(pack);
    const trial = endings.get(pack) ?? giveFinalName(pack).finally(() => endings.delete(pack));
    endings.set(pack, trial);
    return trial;
  };
  const endPack = async (pack: Pack, lane: Lane) => {
    lanes.delete(lane);
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
  const endFull = (pack: Pack, lane: Lane) => {
    lanes.delete(lane);
    track(
      lane.close().then(async () => {
        if (!lane.hasFailed()) await endPack(pack, lane);
      }),
    );
  };
  const addLane = (pack: Pack, file: OpenFile, position: number): Lane => {
    const lane = createLane({
      pack: pack.name,
      file,
      position,
      room,
      freed(freed) {
        if (!freed.hasFailed() && freed.position() >= packBytesMax) endFull(pack, freed);
        permits.give();
      },
      failed(failed) {
        log.error("a pack failed and is given up", { pack: failed.pack, acknowledgedTo: failed.acknowledgedTo() });
        return endPack(pack, failed).then(() => track(failed.close()));
      },
    });
    lanes.add(lane);
    pack.lane = lane;
    return lane;
  };
  /** A lane that is leased as it is made, so that nobody else finds it free. */
  const createPack = async (): Promise<ObjectWriter> => {
    const name = parts.newName();
    const pack: Pack = { name, fileName: openName(name), endPosition: undefined, voids: [] };
    const file = await files.open(folder.pathOf(pack), "create");
    try {
      await folder.sync();
    } catch (error) {
      await file.close().catch(() => {});
      throw error;
    }
    packs.set(name, pack);
    return addLane(pack, file, 0).lease();
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
  return {
    async begin(checkReady) {
      await permits.take();
      try {
        checkReady();
        await room.take(0);
        return await chooseLane();
      } catch (error) {
        permits.give();
        throw error;
      }
    },
    add: addLane,
    count: () => lanes.size,
    end: endOnDisk,
    async endIdle(pack) {
      const { lane } = pack;
      if (lane !== undefined && lanes.has(lane)) {
        if (lane.isLeased()) throw new Problem("busy", "an object is being written to this pack");
        lanes.delete(lane);
        await lane.close();
        pack.endPosition ??= lane.acknowledgedTo();
      }
      await Promise.all(ending);
      await endOnDisk(pack);
    },
    async close() {
      const closed = await Promise.allSettled([...lanes].map((lane) => lane.close()));
      while (ending.size > 0) await Promise.all(ending);
      const failed = closed.find((each) => each.status === "rejected");
      if (failed !== undefined) throw failed.reason;
    },
  };
}
