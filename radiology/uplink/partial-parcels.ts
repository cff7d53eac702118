import { join } from "node:path";
import type { Clock, Timer } from "#base/clock";
import type { Files, OpenFile } from "#base/io";
import type { Log } from "#base/log";
import { asProblem, Problem } from "#base/problem";

/** What has come of one parcel. Its calls come one after the other. */
export interface PartialParcel {
  /** So many bytes have come, from its beginning. */
  readonly length: number;
  /** The next ones, which may be kept. */
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
  /** How much there is of one. */
  lengthOf(edge: string, id: string): Promise<number>;
  /** Goes on with one, or begins it. Problem `busy` when an edge has too much in part, `no-room` when the disk is nearly full. */
  open(edge: string, id: string, length: number): Promise<PartialParcel>;
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
/** All short ones together; what is more goes to the disk. */
const heldBytesMax = 96 * 1024 * 1024;
/** Files of one edge, and what they may hold: an edge sends what is urgent, not everything at once. */
const filesMost = 256;
const fileBytesMax = 16 * 1024 ** 3;
/** What the process before left and nobody went on with is removed after so long. */
const leftMs = 24 * 3_600_000;
const pieceBytes = 256 * 1024;

/** One that has come in part: in memory, or in a file. */
interface Kept {
  readonly edge: string;
  readonly name: string;
  length: number;
  readonly pieces: Uint8Array[] | undefined;
  /** Somebody writes to it, or reads it. */
  isOpen: boolean;
}

export async function openPartialParcels(parts: PartialParcelsParts): Promise<PartialParcels> {
  const { files, folder, clock, log } = parts;
  await files.makeFolder(folder);
  const kept = new Map<string, Kept>();
  const left = new Set<string>();
  for (const edge of await files.list(folder))
    for (const id of await files.list(join(folder, edge))) left.add(join(edge, id));
  const removeLeft = async () => {
    for (const name of left) await files.remove(join(folder, name));
    left.clear();
  };
  const timer: Timer = clock.after(leftMs, () => {
    removeLeft().catch((error) => log.warn("parcels that came in part were not removed", {}, error));
  });

  const found = async (edge: string, id: string): Promise<Kept | undefined> => {
    const name = join(edge, id);
    const known = kept.get(name);
    if (known !== undefined || !left.has(name)) return known;
    const file = await files.open(join(folder, name), "read");
    const length = await file.size().finally(() => file.close());
    return { edge, name, length, pieces: undefined, isOpen: false };
  };
  /** Makes room for a short one, if it must be at the cost of those that nobody goes on with. */
  const fitsInMemory = (length: number): boolean => {
    if (length > shortBytesMax) return false;
    const inMemory = [...kept.values()].filter(({ pieces }) => pieces !== undefined);
    let held = inMemory.reduce((sum, each) => sum + each.length, length);
    for (const each of inMemory) {
      if (held <= heldBytesMax) return true;
      if (each.isOpen) continue;
      kept.delete(each.name);
      held -= each.length;
    }
    return held <= heldBytesMax;
  };

  return {
    lengthOf: async (edge, id) => (await found(edge, id))?.length ?? 0,
    async open(edge, id, length) {
      const known = await found(edge, id);
      if (known?.isOpen === true) throw new Problem("busy", "this parcel is on its way already");
      const name = join(edge, id);
      const isShort = known === undefined && fitsInMemory(length);
      const one = known ?? { edge, name, length: 0, pieces: isShort ? [] : undefined, isOpen: false };
      left.delete(name);
      kept.set(name, one);
      one.isOpen = true;
      const forget = () => void kept.delete(name);
      if (one.pieces !== undefined) return partInMemory(one, one.pieces, forget);
      try {
        if (known === undefined) await checkRoom(parts, [...kept.values()], edge, length);
        return partOnDisk(parts, one, await fileOf(files, join(folder, edge), join(folder, name)), forget);
      } catch (error) {
        one.isOpen = false;
        if (known === undefined) forget();
        throw error;
      }
    },
    close: async () => timer.stop(),
  };
}

async function fileOf(files: Files, folder: string, path: string): Promise<OpenFile> {
  if (await files.exists(path)) return files.open(path, "update");
  await files.makeFolder(folder);
  return files.open(path, "create");
}

async function checkRoom(
  { files, folder, reserveBytes }: PartialParcelsParts,
  kept: readonly Kept[],
  edge: string,
  length: number,
): Promise<void> {
  const mine = kept.filter((each) => each.edge === edge && each.pieces === undefined);
  if (mine.length > filesMost || mine.reduce((sum, each) => sum + each.length, length) > fileBytesMax) {
    throw new Problem("busy", "this edge has too much under way that is not whole yet");
  }
  if ((await files.freeBytes(folder)) - length < reserveBytes) {
    const remedy = "free or add storage in the cloud; the edge keeps what it has meanwhile";
    throw new Problem("no-room", "the cloud's disk is nearly full", { remedy });
  }
}

function partInMemory(one: Kept, pieces: Uint8Array[], forget: () => void): PartialParcel {
  return {
    get length() {
      return one.length;
    },
    async write(bytes) {
      pieces.push(bytes);
      one.length += bytes.length;
    },
    async *read() {
      yield* pieces;
    },
    async drop() {
      forget();
      pieces.length = 0;
    },
    async rest() {
      one.isOpen = false;
    },
  };
}

function partOnDisk(
  { files, folder, log }: PartialParcelsParts,
  one: Kept,
  file: OpenFile,
  forget: () => void,
): PartialParcel {
  const rest = async () => {
    if (!one.isOpen) return;
    one.isOpen = false;
    await file.close().catch((error) => log.warn("a parcel that came in part was not closed", {}, error));
  };
  return {
    get length() {
      return one.length;
    },
    async write(bytes) {
      await file.write([bytes], one.length).catch((error: unknown) => {
        throw asProblem(error, "writing what comes from an edge");
      });
      one.length += bytes.length;
    },
    async *read() {
      const piece = Buffer.alloc(Math.min(pieceBytes, one.length));
      for (let at = 0; at < one.length; ) {
        const got = await file.read(piece.subarray(0, Math.min(piece.length, one.length - at)), at);
        if (got === 0) throw new Problem("damaged", "a parcel that came in part is shorter than it was");
        yield piece.subarray(0, got);
        at += got;
      }
    },
    async drop() {
      forget();
      await rest();
      await files
        .remove(join(folder, one.name))
        .catch((error) => log.warn("a taken parcel was not removed", {}, error));
    },
    rest,
  };
}
