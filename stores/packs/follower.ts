import type { Clock } from "#base/clock";
import type { Files, OpenFile } from "#base/io";
import type { Log } from "#base/log";
import { Problem } from "#base/problem";
import type { PackRange, ReplicaStatus } from "#trust/vault";
import { endedName, goneName, openName, parseName } from "./names.ts";
import { acknowledgedEnd, type Pack } from "./pack.ts";
import { createPackFolder, type PackFolder } from "./pack-folder.ts";

/** Keeps a second folder of the same packs: what is acknowledged in the first is copied behind, one call to the replica at a time. */
export interface Follower {
  /** Begins to look for what the replica lacks, and to copy it. */
  start(): void;
  /** There is something new about a pack: more of it, its end, something discarded, or that it is gone. */
  changed(pack: string): void;
  /** Resolves when the replica holds a pack up to a position on stable storage; at once while it does not keep step. Never rejects. */
  reached(pack: string, position: number): Promise<void>;
  status(): ReplicaStatus;
  read(pack: string, position: number, into: Uint8Array): Promise<number>;
  /** Writes over what the replica holds, durably. */
  write(range: PackRange, bytesAt: (position: number, bytes: number) => Promise<Buffer>): Promise<void>;
  close(): Promise<void>;
}

export interface FollowedPacks {
  readonly folder: PackFolder;
  readonly packs: ReadonlyMap<string, Pack>;
  /** Packs that were compacted, and are to be removed in the replica. */
  readonly gone: Set<string>;
  read(pack: string, position: number, into: Uint8Array): Promise<number>;
}

/** Copied and synced at once. What a crash tore is never more, so it is copied again when the replica is taken up. */
const passBytes = 16 * 1024 * 1024;
const pieceBytes = 1024 * 1024;
const retryMs = 30_000;

interface Waiter {
  readonly pack: string;
  readonly position: number;
  readonly resolve: () => void;
}

/** What the replica holds, as far as it is known to be on stable storage. */
type Held = Map<string, Pack & { syncedTo: number }>;

export function createFollower(options: {
  readonly files: Files;
  readonly folder: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly bytesPerSecond: number;
  readonly waitMs: number;
  readonly source: FollowedPacks;
}): Follower {
  const { files, clock, log, source, bytesPerSecond, waitMs } = options;
  const folder = createPackFolder(files, options.folder);
  const dirty = new Set<string>();
  const open = new Map<string, OpenFile>();
  let held: Held | undefined;
  let strange = new Set<string>();
  let waiters: Waiter[] = [];
  let since: number | undefined;
  let running: Promise<void> | undefined;
  let isStarted = false;
  let isClosed = false;
  let wake: (() => void) | undefined;

  const wanted = (name: string): Pack | undefined => {
    const pack = source.packs.get(name);
    return pack === undefined || pack.taking !== undefined || strange.has(name) ? undefined : pack;
  };
  const laggingBytes = () => {
    let bytes = 0;
    for (const pack of source.packs.values()) {
      if (wanted(pack.name) !== undefined) bytes += acknowledgedEnd(pack) - (held?.get(pack.name)?.syncedTo ?? 0);
    }
    return Math.max(0, bytes);
  };
  const releaseWaiters = (which: (waiter: Waiter) => boolean) => {
    const released = waiters.filter(which);
    waiters = waiters.filter((waiter) => !released.includes(waiter));
    for (const { resolve } of released) resolve();
  };
  const fallBehind = (why: string, error?: unknown) => {
    if (since === undefined && isStarted && !isClosed) log.warn("the replica does not keep step", { why }, error);
    since ??= clock.now();
    releaseWaiters(() => true);
  };
  const pause = (ms: number) =>
    new Promise<void>((resolve) => {
      if (isClosed) return resolve();
      const timer = clock.after(ms, resolve);
      wake = () => {
        timer.stop();
        resolve();
      };
    });

  const connect = async () => {
    await files.makeFolder(folder.path);
    const loaded = await folder.load();
    const found: Held = new Map();
    strange = new Set();
    for (const pack of loaded.packs.values()) {
      const sizeBytes = pack.endPosition ?? (await sizeOf(files, folder.pathOf(pack)));
      const first = source.packs.get(pack.name);
      const isStrange = first === undefined ? !source.gone.has(pack.name) : sizeBytes > acknowledgedEnd(first);
      if (isStrange) strange.add(pack.name);
      const syncedTo = pack.endPosition ?? Math.max(0, sizeBytes - passBytes);
      found.set(pack.name, { ...pack, syncedTo });
    }
    if (strange.size > 0) log.error("the replica holds what the first place does not", { packs: strange.size });
    held = found;
    for (const name of [...source.packs.keys(), ...source.gone]) dirty.add(name);
  };
  const fileOf = async (pack: Pack): Promise<OpenFile> => {
    const kept = open.get(pack.name) ?? (await files.open(folder.pathOf(pack), "update"));
    open.set(pack.name, kept);
    return kept;
  };
  const closeFile = async (pack: string) => {
    const file = open.get(pack);
    open.delete(pack);
    await file?.close();
  };
  const begin = async (name: string): Promise<Pack & { syncedTo: number }> => {
    const pack = { name, fileName: openName(name), endPosition: undefined, voids: [], syncedTo: 0 };
    open.set(name, await files.open(folder.pathOf(pack), "create"));
    await folder.sync();
    held?.set(name, pack);
    return pack;
  };
  /** Copies what one sync is to cover; false when there is nothing more. */
  const copyPass = async (from: Pack, to: Pack & { syncedTo: number }): Promise<boolean> => {
    const end = Math.min(acknowledgedEnd(from), to.syncedTo + passBytes);
    if (end <= to.syncedTo) return false;
    const bytes = end - to.syncedTo;
    const file = await fileOf(to);
    const piece = Buffer.alloc(Math.min(pieceBytes, bytes));
    for (let at = to.syncedTo; at < end; ) {
      const count = await source.read(from.name, at, piece.subarray(0, Math.min(piece.length, end - at)));
      if (count === 0) throw new Problem("damaged", "a pack is shorter than what was acknowledged");
      await file.write([piece.subarray(0, count)], at);
      at += count;
    }
    await file.sync();
    to.syncedTo = end;
    releaseWaiters(({ pack, position }) => pack === from.name && position <= end);
    if (since !== undefined) await pause((bytes / bytesPerSecond) * 1000);
    return true;
  };
  const removeGone = async (name: string) => {
    const pack = held?.get(name);
    await closeFile(name);
    if (pack !== undefined) await files.remove(folder.pathOf(pack));
    await folder.sync();
    for (const besides of await files.list(folder.path)) {
      if (parseName(besides)?.pack === name) await files.remove(`${folder.path}/${besides}`);
    }
    held?.delete(name);
    await files.remove(`${source.folder.path}/${goneName(name)}`);
    source.gone.delete(name);
  };
  const follow = async (name: string) => {
    const from = wanted(name);
    if (from === undefined) return;
    const to = held?.get(name) ?? (await begin(name));
    while (!isClosed && (await copyPass(from, to)));
    await folder.addVoids(from.voids.map((range) => ({ pack: to, range })));
    const end = from.endPosition;
    if (end === undefined || from.fileName !== endedName(name, end) || to.syncedTo < end) return;
    to.endPosition = end;
    if (to.fileName !== endedName(name, end)) await folder.end(to);
    await closeFile(name);
  };
  const catchUp = async () => {
    if (held === undefined) await connect();
    for (const name of dirty) {
      if (isClosed) return;
      dirty.delete(name);
      if (!source.gone.has(name)) await follow(name);
    }
    // Only now: what took the place of these is held.
    for (const name of [...source.gone]) if (!source.packs.has(name)) await removeGone(name);
    if (since === undefined || isClosed || dirty.size > 0) return;
    since = undefined;
    log.info("the replica holds all there is");
  };
  const run = async () => {
    while (!isClosed && (held === undefined || dirty.size > 0)) {
      try {
        await catchUp();
      } catch (error) {
        // What its files hold is not known any more: they are given up, and what was written last is written again.
        held = undefined;
        for (const [, file] of open) file.close().catch(() => {});
        open.clear();
        fallBehind("it failed", error);
        if (!isClosed) await pause(retryMs);
      }
    }
  };
  const go = () => {
    if (!isStarted || isClosed || running !== undefined) return;
    running = run().finally(() => {
      running = undefined;
      if (dirty.size > 0) go();
    });
  };

  return {
    start() {
      isStarted = true;
      since = clock.now();
      go();
    },
    changed(pack) {
      dirty.add(pack);
      go();
    },
    async reached(pack, position) {
      if (since !== undefined || isClosed || (held?.get(pack)?.syncedTo ?? 0) >= position) return;
      await new Promise<void>((resolve) => {
        const timer = clock.after(waitMs, () => fallBehind("it is slow"));
        waiters.push({
          pack,
          position,
          resolve() {
            timer.stop();
            resolve();
          },
        });
      });
    },
    status: () => ({ laggingBytes: laggingBytes(), since, strangePacks: strange.size }),
    async read(name, position, into) {
      const file = await files.open(folder.pathOf(heldPack(held, name, position)), "read");
      try {
        return await file.read(into, position);
      } finally {
        await file.close().catch(() => {});
      }
    },
    async write(range, bytesAt) {
      const file = await files.open(folder.pathOf(heldPack(held, range.pack, range.to - 1)), "update");
      await writeRange(file, range, bytesAt);
    },
    async close() {
      isClosed = true;
      releaseWaiters(() => true);
      wake?.();
      // A replica that hangs is not waited for: what it lacks it gets at the next start.
      await new Promise<void>((resolve) => {
        const timer = clock.after(waitMs, resolve);
        const stop = () => {
          timer.stop();
          resolve();
        };
        (running ?? Promise.resolve()).then(stop, stop);
      });
      for (const [, file] of open) file.close().catch(() => {});
    },
  };
}

function heldPack(held: Held | undefined, name: string, position: number): Pack {
  const pack = held?.get(name);
  if (pack !== undefined && position < pack.syncedTo) return pack;
  throw new Problem("unavailable", "the replica does not hold that, or cannot be reached");
}

async function sizeOf(files: Files, path: string): Promise<number> {
  const file = await files.open(path, "read");
  try {
    return await file.size();
  } finally {
    await file.close().catch(() => {});
  }
}

/** Writes a range of a pack over what stands there, and closes the file. */
export async function writeRange(
  file: OpenFile,
  { from, to }: PackRange,
  bytesAt: (position: number, bytes: number) => Promise<Buffer>,
): Promise<void> {
  try {
    for (let at = from; at < to; ) {
      const bytes = await bytesAt(at, Math.min(pieceBytes, to - at));
      if (bytes.length === 0) throw new Problem("damaged", "the other place ends inside the range");
      await file.write([bytes], at);
      at += bytes.length;
    }
    await file.sync();
  } finally {
    await file.close().catch(() => {});
  }
}
