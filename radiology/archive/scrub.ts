import type { Clock } from "#base/clock";
import { createKeptJson, type Files } from "#base/io";
import type { Log } from "#base/log";
import { isProblem } from "#base/problem";
import {
  type FoundObject,
  type Gap,
  type Half,
  type PackRange,
  type ReadAt,
  rangeAt,
  type SealedObjects,
  type SealedPlace,
  scanObjects,
} from "#trust/vault";
import type { ScrubDamage, ScrubNotes, ScrubPass } from "./scrub-notes.ts";
import { createPace } from "./scrub-pace.ts";

/** One store of sealed objects, and how what is in it is proven. */
export interface ScrubbedStore {
  readonly half: Half;
  readonly objects: SealedObjects;
  /** What is wrong with an object when all of it is read by `readAt`; undefined when nothing is, or its keys were shredded. */
  prove(found: Pick<FoundObject, "pack" | "offset">, readAt: ReadAt): Promise<string | undefined>;
}

export interface ScrubStatus {
  readonly state: "running" | "paused" | "resting" | "stopped";
  /** Of the pass under way, in the first places. */
  readonly bytesDone: number;
  readonly bytesTotal: number;
  readonly lastFullPass: ScrubPass | undefined;
  readonly damaged: readonly ScrubDamage[];
}

/** Reads and proves everything that rests, again and again, slowly: damage is found while there is still a good copy. */
export interface Scrub {
  /** Goes on where the last process stopped. Without it, `status` tells what that one left. */
  start(): Promise<void>;
  pause(): void;
  resume(): void;
  /** One more pass: at once, or right behind the one under way. */
  begin(): void;
  status(): Promise<ScrubStatus>;
  /** Mends one object of the first place from the replica; false when there is no good copy. */
  mend(half: Half, place: SealedPlace): Promise<boolean>;
  /** Stops within one read. */
  close(): Promise<void>;
}

export interface ScrubParts {
  readonly stores: readonly ScrubbedStore[];
  readonly clock: Clock;
  readonly log: Log;
  readonly files: Files;
  /** Where `scrub.json` is kept. */
  readonly folder: string;
  readonly bytesPerSecond: number;
  /** From the end of one pass to the beginning of the next. */
  readonly restMs?: number;
}

const dayMs = 24 * 3600 * 1000;
const damagedMax = 1000;

export function createScrub(parts: ScrubParts): Scrub {
  const { stores, clock, log, restMs = dayMs } = parts;
  const pace = createPace(parts);
  const notesFile = createKeptJson(parts.files, parts.folder, "scrub.json");
  let notes: ScrubNotes = { damaged: [] };
  let pass: PassUnderWay | undefined;
  let running: Promise<void> | undefined;
  let asked = Promise.withResolvers<void>();
  /** Packs whose replica could not be read: told once, and not tried for each of their objects. */
  const unreachable = new Set<string>();

  const slowly =
    (readAt: ReadAt): ReadAt =>
    async (position, into) => {
      await pace.spend(into.length);
      return readAt(position, into);
    };
  const readers = ({ objects }: ScrubbedStore, pack: string): Readers => ({
    first: slowly((position, into) => objects.read(pack, position, into)),
    replica: replicaReader(objects, pack, slowly),
  });

  const tell = (store: ScrubbedStore, range: PackRange, what: string): void => {
    log.error("stored bytes do not prove", { half: store.half, ...range, what });
    if (notes.damaged.length >= damagedMax) return;
    notes = { ...notes, damaged: [...notes.damaged, { half: store.half, ...range, what }] };
  };
  const forget = (half: Half, pack: string) => {
    notes = { ...notes, damaged: notes.damaged.filter((each) => each.half !== half || each.pack !== pack) };
  };
  /** The copy in the replica: proven, damaged, or not to be had at the moment. */
  const copyInReplica = async (store: ScrubbedStore, found: FoundObject): Promise<"whole" | "damaged" | "none"> => {
    const { replica } = readers(store, found.pack);
    if (replica === undefined || unreachable.has(`${store.half} ${found.pack}`)) return "none";
    try {
      return (await store.prove(found, replica)) === undefined ? "whole" : "damaged";
    } catch (error) {
      if (pace.isStopped()) throw error;
      unreachable.add(`${store.half} ${found.pack}`);
      log.warn("the replica of a pack cannot be read", { half: store.half, pack: found.pack }, error);
      return "none";
    }
  };
  /** Copies an object over that of the other place; true when it proves there. */
  const repaired = async (store: ScrubbedStore, found: FoundObject, to: "first" | "replica"): Promise<boolean> => {
    try {
      await store.objects.replica?.repair({ pack: found.pack, from: found.start, to: found.endPosition }, to);
      const readAt = readers(store, found.pack)[to];
      if (readAt === undefined || (await store.prove(found, readAt)) !== undefined) return false;
    } catch (error) {
      if (pace.isStopped()) throw error;
      log.error("damaged bytes could not be mended", { half: store.half, pack: found.pack, to }, error);
      return false;
    }
    log.warn("damaged bytes were mended from the other place", { half: store.half, pack: found.pack, to });
    if (pass !== undefined) pass.repaired++;
    return true;
  };

  const scrubObject = async (store: ScrubbedStore, found: FoundObject): Promise<void> => {
    const range = { pack: found.pack, from: found.start, to: found.endPosition };
    const what = await wrongWith(store, found, readers(store, found.pack).first);
    const copy = await copyInReplica(store, found);
    if (what !== undefined) {
      if (copy !== "whole" || !(await repaired(store, found, "first"))) tell(store, range, what);
    } else if (copy === "damaged" && !(await repaired(store, found, "replica"))) {
      tell(store, range, "its copy in the replica does not prove");
    }
  };
  /** Bytes that belong to nothing here may be whole objects in the replica. */
  const scrubGap = async (store: ScrubbedStore, { pack, gapFrom, gapTo }: Gap): Promise<void> => {
    const { replica } = readers(store, pack);
    let left = gapTo - gapFrom;
    if (replica !== undefined) {
      try {
        for await (const found of scanObjects(replica, { pack, from: gapFrom, to: gapTo })) {
          if ("gapFrom" in found || (await copyInReplica(store, found)) !== "whole") continue;
          if (await repaired(store, found, "first")) left -= found.endPosition - found.start;
        }
      } catch (error) {
        if (pace.isStopped()) throw error;
        log.warn("the replica of a pack cannot be read", { half: store.half, pack }, error);
      }
    }
    if (left > 0) tell(store, { pack, from: gapFrom, to: gapTo }, `${left} bytes belong to no finished object`);
  };
  const scrubPack = async (store: ScrubbedStore, pack: string, underWay: PassUnderWay): Promise<void> => {
    forget(store.half, pack);
    unreachable.delete(`${store.half} ${pack}`);
    let at = 0;
    for await (const found of store.objects.scan(pack, 0)) {
      await pace.spend(0);
      const end = "gapFrom" in found ? found.gapTo : found.endPosition;
      await ("gapFrom" in found ? scrubGap(store, found) : scrubObject(store, found)).catch(unlessGone);
      underWay.bytes += end - at;
      if (!("gapFrom" in found)) underWay.objects++;
      at = end;
    }
  };
  const save = async () => {
    const { lastFullPass, damaged } = notes;
    notes = {
      damaged,
      ...(lastFullPass && { lastFullPass }),
      ...(pass && { pass: { ...pass, packsDone: [...pass.packsDone] } }),
    };
    await notesFile.save(notes).catch((error) => log.warn("the progress of the scrub was not kept", {}, error));
  };
  const runPass = async () => {
    pass ??= { startedAt: clock.now(), objects: 0, bytes: 0, repaired: 0, packsDone: new Set() };
    for (const store of stores) {
      for (const { pack } of await store.objects.packs()) {
        const name = `${store.half} ${pack}`;
        if (pass.packsDone.has(name)) continue;
        await scrubPack(store, pack, pass).catch(unlessGone);
        pass.packsDone.add(name);
        await save();
      }
    }
    const { packsDone, ...done } = pass;
    notes = { ...notes, lastFullPass: { ...done, endedAt: clock.now() } };
    pass = undefined;
    await save();
    log.info("all stored objects were proven", { ...done, packs: packsDone.size, damaged: notes.damaged.length });
  };
  const run = async () => {
    while (!pace.isStopped()) {
      const { lastFullPass } = notes;
      if (pass === undefined && lastFullPass !== undefined) {
        const rest = pace.rest(Math.min(restMs, lastFullPass.endedAt + restMs - clock.now()));
        await Promise.race([rest, asked.promise]);
        if (pace.isStopped()) return;
        asked = Promise.withResolvers();
      }
      try {
        await runPass();
      } catch (error) {
        if (pace.isStopped()) return;
        log.error("the scrub was interrupted", {}, error);
        await pace.rest(60_000);
      }
    }
  };

  let loading: Promise<void> | undefined;
  const load = async () => {
    // Notes that cannot be read are as good as none: the pass begins anew.
    notes = { ...notes, ...((await notesFile.load().catch(() => undefined)) as ScrubNotes | undefined) };
    if (notes.pass !== undefined) pass = { ...notes.pass, packsDone: new Set(notes.pass.packsDone) };
  };
  const loaded = () => (loading ??= load());

  return {
    async start() {
      await loaded();
      running = run();
    },
    pause: pace.pause,
    resume: pace.resume,
    begin: () => asked.resolve(),
    async status() {
      await loaded();
      const sizes = await Promise.all(stores.map(({ objects }) => objects.packs()));
      const bytesTotal = sizes.flat().reduce((sum, { endPosition }) => sum + endPosition, 0);
      const active = pass === undefined ? "resting" : "running";
      return {
        state: pace.isStopped() || running === undefined ? "stopped" : pace.isPaused() ? "paused" : active,
        bytesDone: Math.min(pass?.bytes ?? 0, bytesTotal),
        bytesTotal,
        lastFullPass: notes.lastFullPass,
        damaged: notes.damaged,
      };
    },
    async mend(half, place) {
      const store = stores.find((each) => each.half === half);
      const { replica } = store?.objects ?? {};
      if (store === undefined || replica === undefined) return false;
      const readAt: ReadAt = (position, into) => replica.read(place.pack, position, into);
      const range = await rangeAt(readAt, place).catch(() => undefined);
      if (range === undefined || (await wrongWith(store, place, readAt)) !== undefined) return false;
      await replica.repair(range, "first");
      return (
        (await store.prove(place, (position, into) => store.objects.read(place.pack, position, into))) === undefined
      );
    },
    async close() {
      pace.stop();
      if (running === undefined) return;
      await running;
      await save();
    },
  };
}

interface PassUnderWay {
  readonly startedAt: number;
  objects: number;
  bytes: number;
  repaired: number;
  readonly packsDone: Set<string>;
}

interface Readers {
  readonly first: ReadAt;
  readonly replica: ReadAt | undefined;
}

function replicaReader(
  { replica }: SealedObjects,
  pack: string,
  slowly: (readAt: ReadAt) => ReadAt,
): ReadAt | undefined {
  return replica && slowly((position, into) => replica.read(pack, position, into));
}

/** A disk that cannot be read is damage as well. Stopping and compaction are not. */
async function wrongWith(
  store: ScrubbedStore,
  found: Pick<FoundObject, "pack" | "offset">,
  readAt: ReadAt,
): Promise<string | undefined> {
  try {
    return await store.prove(found, readAt);
  } catch (error) {
    if (isProblem(error, "fault") || isProblem(error, "damaged")) return error.message;
    throw error;
  }
}

function unlessGone(error: unknown): void {
  if (!isProblem(error, "absent")) throw error;
}
