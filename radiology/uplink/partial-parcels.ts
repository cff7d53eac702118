import { join } from "node:path";
import type { Clock, Timer } from "#base/clock";
import type { Files, OpenFile } from "#base/io";
import type { Log } from "#base/log";
import { asProblem, Problem } from "#base/problem";
import type { SpooledParcel } from "./spool.ts";

/** What has come of one parcel. Its calls come one after the other. */
export interface PartialParcel {
  /** So many bytes have come, from its beginning. */
  readonly length: number;
  /** The next ones, which may be kept. Problem `no-room` before the reserve of the disk is touched. */
  write(bytes: Uint8Array): Promise<void>;
  /** All that has come, in pieces. */
  read(): AsyncIterable<Uint8Array>;
  /** It is forgotten, and its room is free. Never rejects. */
  drop(): Promise<void>;
  /** Nobody writes to it for now. */
  rest(): Promise<void>;
}

/** Parcels that have come in part. They are sealed: where they lie nobody reads them. */
export interface PartialParcels {
  /** How much there is of one. Sealed anew the same content is another parcel under the same id: its bytes do not go on here. */
  lengthOf(edge: string, parcel: SpooledParcel): number;
  /** Goes on with one, or begins it. Problem `busy` when an edge has too much in part, `no-room` when the disk is nearly full. */
  open(edge: string, parcel: SpooledParcel): Promise<PartialParcel>;
  close(): Promise<void>;
}

export interface PartialParcelsParts {
  readonly files: Files;
  readonly folder: string;
  /** Free disk space that they leave. */
  readonly reserveBytes: number;
  readonly clock: Clock;
  readonly log: Log;
}

/** Up to this a parcel is held in memory: most slices are shorter, and are opened as soon as their last byte has come. */
const shortBytesMax = 768 * 1024;
/** All short ones together, as long as they were said to be; what is more goes to the disk. */
const heldBytesMax = 96 * 1024 * 1024;
/** Files of one edge, and what they may hold: an edge sends what is urgent, not everything at once. */
const filesMost = 256;
const fileBytesMax = 16 * 1024 ** 3;
/** What nobody went on with for so long is removed, also where a process before left it. */
const restMs = 24 * 3_600_000;
const sweepEveryMs = 3_600_000;
const pieceBytes = 256 * 1024;
/** What is free is asked for again after so much was written to one. */
const roomAskedEveryBytes = 16 * 1024 * 1024;

/** One that has come in part: in memory, or in a file. */
interface Kept {
  readonly edge: string;
  readonly name: string;
  /** As long as it will be; what a process before left is as long as it is, until somebody goes on with it. */
  declared: number;
  length: number;
  /** `declared` bytes, for one in memory. */
  readonly held: Buffer | undefined;
  /** Somebody writes to it, reads it, or removes it. */
  isOpen: boolean;
  /** Monotonic. */
  restsSince: number;
}

export async function openPartialParcels(parts: PartialParcelsParts): Promise<PartialParcels> {
  const { files, folder, clock, log } = parts;
  await files.makeFolder(folder);
  const kept = new Map((await leftBefore(parts)).map((one) => [one.name, one]));

  const forget = async (one: Kept): Promise<void> => {
    // Until the file is gone nobody begins another of its name.
    one.isOpen = true;
    if (one.held === undefined) {
      await files
        .remove(join(folder, one.name))
        .catch((error) => log.warn("a parcel that came in part was not removed", {}, error));
    }
    kept.delete(one.name);
  };
  const rested = (one: Kept): void => {
    one.isOpen = false;
    one.restsSince = clock.monotonicMs();
  };
  const sweep = async (): Promise<void> => {
    const before = clock.monotonicMs() - restMs;
    for (const one of [...kept.values()]) if (!one.isOpen && one.restsSince <= before) await forget(one);
  };
  let timer: Timer;
  const sweepLater = (): Timer =>
    clock.after(sweepEveryMs, () => {
      timer = sweepLater();
      void sweep();
    });
  timer = sweepLater();

  /** Makes room for a short one, if it must be at the cost of those that nobody goes on with. */
  const fitsInMemory = (length: number): boolean => {
    if (length > shortBytesMax) return false;
    const inMemory = [...kept.values()].filter(({ held }) => held !== undefined);
    let bytes = inMemory.reduce((sum, each) => sum + each.declared, length);
    for (const each of inMemory) {
      if (bytes <= heldBytesMax) return true;
      if (each.isOpen) continue;
      kept.delete(each.name);
      bytes -= each.declared;
    }
    return bytes <= heldBytesMax;
  };
  const begun = (edge: string, name: string, length: number): Kept => {
    const held = fitsInMemory(length) ? Buffer.alloc(length) : undefined;
    return { edge, name, declared: length, length: 0, held, isOpen: false, restsSince: 0 };
  };

  return {
    lengthOf: (edge, parcel) => kept.get(nameOf(edge, parcel))?.length ?? 0,
    async open(edge, parcel) {
      const name = nameOf(edge, parcel);
      const known = kept.get(name);
      if (known?.isOpen === true) throw new Problem("busy", "this parcel is on its way already");
      const one = known ?? begun(edge, name, parcel.length);
      if (one.length > parcel.length) {
        await forget(one);
        throw new Problem("busy", "more of a parcel came than there is of it: it begins anew");
      }
      kept.set(name, one);
      one.isOpen = true;
      if (one.held !== undefined) return partInMemory(one, one.held, forget, rested);
      try {
        one.declared = parcel.length;
        await checkRoom(parts, kept, edge);
        return partOnDisk(parts, one, await fileOf(files, join(folder, edge), join(folder, name), one), forget, rested);
      } catch (error) {
        if (known === undefined) kept.delete(name);
        else rested(one);
        throw asProblem(error, "beginning with what comes from an edge");
      }
    },
    close: async () => timer.stop(),
  };
}

/** One name for one sealing: the id, and the beginning of the hash of the sealed bytes. */
function nameOf(edge: string, { id, sha256 }: SpooledParcel): string {
  return join(edge, `${id}-${Buffer.from(sha256.subarray(0, 8)).toString("hex")}`);
}

async function leftBefore({ files, folder, clock, log }: PartialParcelsParts): Promise<Kept[]> {
  const left: Kept[] = [];
  for (const edge of await files.list(folder)) {
    for (const each of await files.list(join(folder, edge))) {
      const name = join(edge, each);
      try {
        const file = await files.open(join(folder, name), "read");
        const length = await file.size().finally(() => file.close());
        const restsSince = clock.monotonicMs();
        left.push({ edge, name, declared: length, length, held: undefined, isOpen: false, restsSince });
      } catch (error) {
        log.warn("a parcel that came in part before cannot be read", {}, error);
      }
    }
  }
  return left;
}

/** What is gone begins anew. */
async function fileOf(files: Files, folder: string, path: string, one: Kept): Promise<OpenFile> {
  if (await files.exists(path)) return files.open(path, "update");
  one.length = 0;
  await files.makeFolder(folder);
  return files.open(path, "create");
}

/** With the one that is to come among those kept: all that was said to come must fit, not what has come. */
async function checkRoom(
  { files, folder, reserveBytes }: PartialParcelsParts,
  kept: ReadonlyMap<string, Kept>,
  edge: string,
): Promise<void> {
  const freeBytes = await files.freeBytes(folder);
  const inFiles = [...kept.values()].filter(({ held }) => held === undefined);
  const mine = inFiles.filter((each) => each.edge === edge);
  if (mine.length > filesMost || mine.reduce((sum, each) => sum + each.declared, 0) > fileBytesMax) {
    throw new Problem("busy", "this edge has too much under way that is not whole yet");
  }
  const toCome = inFiles.reduce((sum, each) => sum + each.declared - each.length, 0);
  if (freeBytes - toCome < reserveBytes) throw nearlyFull();
}

function nearlyFull(): Problem {
  const remedy = "free or add storage in the cloud; the edge keeps what it has meanwhile";
  return new Problem("no-room", "the cloud's disk is nearly full", { remedy });
}

function checkLength({ length, declared }: Kept, bytes: Uint8Array): void {
  if (length + bytes.length > declared) throw new Problem("damaged", "more of a parcel comes than was offered");
}

function partInMemory(
  one: Kept,
  held: Buffer,
  forget: (one: Kept) => Promise<void>,
  rested: (one: Kept) => void,
): PartialParcel {
  let isOver = false;
  return {
    get length() {
      return one.length;
    },
    async write(bytes) {
      checkLength(one, bytes);
      held.set(bytes, one.length);
      one.length += bytes.length;
    },
    async *read() {
      yield held.subarray(0, one.length);
    },
    async drop() {
      isOver = true;
      await forget(one);
    },
    async rest() {
      if (isOver) return;
      // Somebody else may go on with it from now on.
      isOver = true;
      rested(one);
    },
  };
}

function partOnDisk(
  { files, folder, reserveBytes, log }: PartialParcelsParts,
  one: Kept,
  file: OpenFile,
  forget: (one: Kept) => Promise<void>,
  rested: (one: Kept) => void,
): PartialParcel {
  let isClosed = false;
  let askedAt = one.length;
  const close = async () => {
    isClosed = true;
    await file.close().catch((error) => log.warn("a parcel that came in part was not closed", {}, error));
  };
  const checkDisk = async (bytes: Uint8Array): Promise<void> => {
    if (one.length + bytes.length <= askedAt + roomAskedEveryBytes) return;
    if ((await files.freeBytes(folder)) - bytes.length < reserveBytes) throw nearlyFull();
    askedAt = one.length;
  };
  return {
    get length() {
      return one.length;
    },
    async write(bytes) {
      checkLength(one, bytes);
      try {
        await checkDisk(bytes);
        await file.write([bytes], one.length);
      } catch (error) {
        throw asProblem(error, "writing what comes from an edge");
      }
      one.length += bytes.length;
    },
    async *read() {
      const piece = Buffer.alloc(Math.min(pieceBytes, one.length));
      for (let at = 0; at < one.length; ) {
        const into = piece.subarray(0, Math.min(piece.length, one.length - at));
        const got = await file.read(into, at).catch((cause) => {
          throw new Problem("damaged", "a parcel that came in part cannot be read", { cause });
        });
        if (got === 0) throw new Problem("damaged", "a parcel that came in part is shorter than it was");
        yield piece.subarray(0, got);
        at += got;
      }
    },
    async drop() {
      if (isClosed) return;
      await close();
      await forget(one);
    },
    async rest() {
      if (isClosed) return;
      await close();
      rested(one);
    },
  };
}
