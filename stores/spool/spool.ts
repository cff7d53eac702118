import type { Clock } from "#base/clock";
import type { Files } from "#base/io";
import { type Log, silentLog } from "#base/log";
import { asProblem, isProblem, Problem } from "#base/problem";
import type { ParcelNote, ParcelWriter, Spool, Urgency } from "#radiology/uplink";
import { createReadHandles, createRoom } from "#stores/packs";
import type { IndexedParcel, SpoolIndex } from "#stores/sql";
import { createArrivals } from "./arrivals.ts";
import { type Changes, createChanges } from "./changes.ts";
import { encodeFooter, footerBytes } from "./footer.ts";
import { openIndex } from "./index-file.ts";
import { createMoving, type Moving } from "./moving.ts";
import { createPieces, readPieces, storedBytes } from "./pieces.ts";
import { createSegments, type Opened, segmentName } from "./segments.ts";

export interface SpoolOptions {
  readonly files: Files;
  /** Made when it is not there. One process at a time. */
  readonly folder: string;
  readonly clock: Clock;
  readonly log?: Log;
  /** Free space that parcels never use. */
  readonly reserveBytes: number;
  /** Parcels written at the same time; more wait for their turn. */
  readonly lanes?: number;
  /** A segment that has grown beyond is ended. A parcel is never split, so one segment may be longer by one parcel. */
  readonly segmentBytes?: number;
  /** So many ended segments are left alone, however little in them is alive. */
  readonly segmentsLeast?: number;
  /** Called once when the index failed: nothing is kept or given any more until the spool is closed and opened anew. */
  readonly broke?: (problem: Problem) => void;
  /** The index, by the path of its file: a SQLite database where this is absent. */
  readonly openIndex?: (path: string) => Promise<SpoolIndex>;
}

const readBytesMost = 64 * 1024;
const whyCharactersMost = 500;
const forgottenAtOnce = 5000;
/** By the wall clock: when that is set, some become due without a word. */
const askedAgainMs = 1000;

/** The spool in append-only segments in one folder, and an index of them (docs/decisions/0029). Rejects when the folder cannot be brought up to date. */
export async function openSpool(options: SpoolOptions): Promise<Spool> {
  try {
    return await open(options);
  } catch (error) {
    throw asProblem(error, "opening the spool");
  }
}

async function open(options: SpoolOptions): Promise<Spool> {
  const { files, folder, clock, log = silentLog, reserveBytes } = options;
  const { lanes = 16, segmentBytes = 64 * 1024 * 1024, segmentsLeast = 8 } = options;
  await files.makeFolder(folder);
  const { index, totals, lastSerial, markDamaged } = await openIndex({ ...options, log });
  const held = new Map<string, IndexedParcel>();
  const leaving = new Set<string>();
  const state = { isClosed: false };
  const check = () => {
    if (state.isClosed) throw new Problem("unavailable", "the spool is closed");
    changes.check();
  };
  const changes = createChanges({
    ...{ index, clock, log, start: totals },
    committed: ({ empty }) => moving.look(empty),
    async broke(problem) {
      if (problem.code === "damaged") await markDamaged();
      options.broke?.(problem);
    },
  });
  const segments = createSegments({
    ...{ files, folder, log, segmentBytes, check, lanesMax: lanes, firstSerial: lastSerial + 1 },
    room: createRoom({ files, folder, clock, reserveBytes }),
    reached: (serial, indexedTo, isEnded) => changes.note({ kind: "segment", serial, indexedTo, isEnded }),
  });
  const handles = createReadHandles({ files, pathOf: (name) => `${folder}/${name}`, openMax: 64 });
  const moving = createMoving({
    ...{ files, folder, index, changes, handles, segments, log, segmentsLeast },
    moved: (parcel) => void (held.has(parcel.id) && held.set(parcel.id, parcel)),
    isLeaving: (id) => leaving.has(id),
  });
  const arrivals = createArrivals({ clock, log, nextDue: index.nextDue });
  const parts = { index, changes, handles, held, leaving, moving, arrivals, clock, check };
  let lastSeq = totals.lastSeq;
  const newWriter = createWriters({ index, changes, arrived: arrivals.tell, nextSeq: () => ++lastSeq });
  await arrivals.watch();
  moving.look(totals.empty);
  return {
    async begin() {
      check();
      try {
        return newWriter(await segments.begin());
      } catch (error) {
        throw asProblem(error, "opening a segment of the spool");
      }
    },
    ...createGiving(parts),
    ...createDeciding(parts),
    state() {
      const { parcels, bytes, oldestAt, aside } = changes.totals();
      return { parcels, bytes, oldestAt: oldestAt ?? null, aside };
    },
    onArrival: arrivals.listen,
    async close() {
      if (state.isClosed) return;
      state.isClosed = true;
      arrivals.stop();
      moving.stop();
      await segments.close();
      await moving.idle();
      await changes.close();
      await handles.close();
      await index.close();
    },
  };
}

/** Writers of parcels. Of two that write the same id at once one waits for the other. */
function createWriters(parts: {
  readonly index: SpoolIndex;
  readonly changes: Changes;
  readonly arrived: (urgency: Urgency) => void;
  readonly nextSeq: () => number;
}): (opened: Opened) => ParcelWriter {
  const { index, changes, nextSeq } = parts;
  const committing = new Map<string, Promise<void>>();

  const isThere = async (id: string): Promise<boolean> => {
    if (changes.isNoted(id)) return true;
    const found = await index.find(id);
    return found !== undefined && !found.isAside;
  };
  return ({ serial, writer, noted, over }) => {
    const pieces = createPieces();
    const end = async () => {
      await writer.abort();
      over();
    };
    const keep = async (note: ParcelNote) => {
      const seq = nextSeq();
      const position = writer.start;
      const endPosition = position + storedBytes(note.length) + footerBytes;
      const footer = encodeFooter({ note, seq, segment: serial, endPosition, provenTo: writer.provenTo });
      await writer.commit([...pieces.end(), footer]);
      changes.note({ kind: "put", parcel: { ...note, seq, segment: serial, position } });
      noted(endPosition);
    };
    const commit = async (note: ParcelNote): Promise<"kept" | "there"> => {
      checkNote(note, pieces.length());
      for (let other = committing.get(note.id); other !== undefined; other = committing.get(note.id)) await other;
      const ended = Promise.withResolvers<void>();
      committing.set(note.id, ended.promise);
      try {
        if (await isThere(note.id)) {
          await end();
          return "there";
        }
        await keep(note);
      } finally {
        committing.delete(note.id);
        ended.resolve();
      }
      parts.arrived(note.urgency);
      return "kept";
    };
    return {
      async write(bytes) {
        await writer.write(pieces.of(bytes));
      },
      commit: (note) =>
        commit(note).catch(async (error) => {
          await end();
          throw asProblem(error, "keeping a parcel");
        }),
      abort: end,
    };
  };
}

function checkNote({ id, length, sha256, subject, urgency, putAt }: ParcelNote, written: number): void {
  const isToken = (text: string) => /^[0-9a-f]{32}$/.test(text);
  if (length !== written) throw new Problem("invalid", "a parcel is not as long as its note says");
  if (isToken(id) && (subject === undefined || isToken(subject)) && sha256.length === 32 && Number.isSafeInteger(putAt))
    return;
  throw new Problem("invalid", `the note of a parcel is not one (${urgency})`);
}

interface Parts {
  readonly index: SpoolIndex;
  readonly changes: Changes;
  readonly handles: ReturnType<typeof createReadHandles>;
  /** Those that are taken: where they lie, without asking. */
  readonly held: Map<string, IndexedParcel>;
  /** That are being settled. */
  readonly leaving: Set<string>;
  readonly moving: Moving;
  readonly arrivals: ReturnType<typeof createArrivals>;
  readonly clock: Clock;
  readonly check: () => void;
}

/** What the link asks for. */
function createGiving(parts: Parts): Pick<Spool, "take" | "read" | "settle" | "putBack" | "setAside"> {
  const { index, changes, handles, held, leaving, moving, arrivals, clock, check } = parts;

  /** Of which urgencies nothing is left to be taken, since so many arrivals: the index is not asked for each place that is free. */
  const takenAll = new Map<Urgency, { readonly count: number; readonly at: number }>();

  const find = async (id: string): Promise<IndexedParcel> => {
    if (changes.isNoted(id)) await changes.flushed();
    const parcel = held.get(id) ?? (await index.find(id))?.parcel;
    if (parcel === undefined) throw new Problem("absent", "the spool has no such parcel");
    return parcel;
  };
  const readAt = async (parcel: IndexedParcel, from: number, to: number): Promise<Uint8Array> => {
    try {
      const name = segmentName(parcel.segment);
      return await readPieces((position, into) => handles.read(name, position, into), parcel, from, to);
    } catch (error) {
      const now = await find(parcel.id);
      // It was moved, and the segment in which it was is gone.
      if (now.segment !== parcel.segment) return readAt(now, from, to);
      throw unreadable(error);
    }
  };
  return {
    async take(urgency, most) {
      check();
      const count = arrivals.count(urgency);
      const known = takenAll.get(urgency);
      const now = clock.now();
      const isNothingNew = known?.count === count && Math.abs(now - known.at) < askedAgainMs;
      if (most < 1 || isNothingNew) return [];
      await changes.flushed();
      const taken = await index.take(urgency, most, now);
      if (taken.length < most) takenAll.set(urgency, { count, at: now });
      for (const parcel of taken) held.set(parcel.id, parcel);
      return taken.map(({ id, length, sha256 }) => ({ id, length, sha256 }));
    },
    async read(id, from, to) {
      const parcel = await find(id);
      const isRange = Number.isSafeInteger(from) && Number.isSafeInteger(to) && 0 <= from && from <= to;
      if (!isRange || to > parcel.length || to - from > readBytesMost) {
        throw new Problem("invalid", "a range outside of its parcel, or too long, cannot be read");
      }
      return readAt(parcel, from, to);
    },
    async settle(id, receipt, at) {
      leaving.add(id);
      try {
        await moving.atRest(id);
        await changes.make({ kind: "settled", id, receipt, at });
      } finally {
        leaving.delete(id);
      }
      if (held.get(id)?.inOrder === true) arrivals.tell();
      held.delete(id);
    },
    async putBack(id, notBefore) {
      const isDue = notBefore <= clock.now();
      if (isDue) await index.giveBack(id);
      else await changes.make({ kind: "later", id, notBefore });
      held.delete(id);
      if (isDue) arrivals.tell();
      else arrivals.tellAt(notBefore);
    },
    async setAside(id, why, at) {
      await changes.make({ kind: "aside", id, why: why.message.slice(0, whyCharactersMost), at });
      held.delete(id);
      // Those that come in order go on without it.
      arrivals.tell();
    },
  };
}

/** A sector that the disk cannot read is damage as well; files that cannot be opened are not. */
function unreadable(error: unknown): Problem {
  if (!isProblem(error) && (error as NodeJS.ErrnoException).code === "EIO") {
    return new Problem("damaged", "the disk cannot read a parcel of the spool", { cause: error });
  }
  return asProblem(error, "reading a parcel");
}

/** What people ask for, and who wants to know. */
function createDeciding(parts: Parts): Pick<Spool, "asides" | "again" | "drop" | "standing" | "forget"> {
  const { index, changes, arrivals } = parts;
  return {
    async asides(most) {
      await changes.flushed();
      const found = await index.asides(most);
      return found.map(({ parcel: { id, length, putAt }, asideAt, why }) => ({ id, length, putAt, asideAt, why }));
    },
    async again(id) {
      const count = await changes.make({ kind: "again", id });
      if (count > 0) arrivals.tell();
      return count;
    },
    drop: async (id) => void (await changes.make({ kind: "dropped", id })),
    async standing(subject) {
      await changes.flushed();
      const { there, receipt } = await index.standing(subject);
      if (receipt !== undefined && receipt.seq >= (there?.seq ?? 0)) {
        return { state: "arrived", receipt: receipt.receipt, at: receipt.at };
      }
      if (there === undefined) return undefined;
      return { state: there.isAside ? "aside" : "waiting", since: there.since };
    },
    async forget(olderMs) {
      while ((await index.forget(olderMs, forgottenAtOnce)) === forgottenAtOnce);
    },
  };
}
