import type { Files } from "#base/io";
import type { Log } from "#base/log";
import { asProblem, isProblem } from "#base/problem";
import { createTurns } from "#base/turns";
import type { ReadHandles } from "#stores/packs";
import type { IndexedParcel, IndexedSegment, SpoolIndex } from "#stores/sql";
import type { Changes } from "./changes.ts";
import { encodeFooter } from "./footer.ts";
import { createPieces, type ReadAt, readPieces } from "./pieces.ts";
import { endOf } from "./recovery.ts";
import { scanBack } from "./scan.ts";
import { type Segments, segmentName } from "./segments.ts";

/** Gives the room of parcels that have gone back to the disk. */
export interface Moving {
  /** Called after each commit of the index. */
  look(emptied: readonly number[]): void;
  /** Resolves when this parcel lies still: what becomes of it is noted after that. */
  atRest(id: string): Promise<void> | undefined;
  /** Nothing more is begun. */
  stop(): void;
  idle(): Promise<void>;
}

const copiedAtOnceBytes = 256 * 1024;
/** That share a sync. */
const underwayMost = 32;
/** Commits of the index between two looks at all segments, for each that is left alone. */
const commitsPerSegment = 8;

/**
 * A segment in which nothing lives is removed. While the ended segments are `segmentsLeast` or more and less than a quarter of their bytes is
 * alive, the parcels of the one with the fewest living bytes move into the segments that are written to, with their numbers. So the
 * spool takes at most four times what waits, and `segmentsLeast` segments, besides those that are written to.
 *
 * What a stop leaves: a copy beside its original, which counts, since the index knows that one; the copy goes with its segment.
 */
export function createMoving(parts: {
  readonly files: Files;
  readonly folder: string;
  readonly index: SpoolIndex;
  readonly changes: Changes;
  readonly handles: ReadHandles;
  readonly segments: Segments;
  readonly log: Log;
  readonly segmentsLeast: number;
  readonly moved: (parcel: IndexedParcel) => void;
  /** Whether it is being settled. */
  readonly isLeaving: (id: string) => boolean;
}): Moving {
  const { files, folder, index, changes, handles, log, segmentsLeast } = parts;
  const turns = createTurns();
  const moves = new Map<string, Promise<void>>();
  const removed = new Set<number>();
  /** What could be moved was: what still lives there stays until the next start. */
  const moved = new Set<number>();
  let commits = 0;
  let isClosed = false;
  let working: Promise<void> | undefined;

  const remove = async (serial: number) => {
    try {
      handles.forget(segmentName(serial));
      await files.remove(`${folder}/${segmentName(serial)}`);
      // Durable before the index forgets it: a segment that it does not know would be read as new.
      await files.syncFolder(folder);
      changes.note({ kind: "removed", serial });
    } catch (error) {
      log.error("an empty segment of the spool stays until the next start", { segment: serial }, error);
    }
  };
  const moveParcel = async (parcel: IndexedParcel, read: ReadAt) => {
    const { seq, position, segment, ...note } = parcel;
    const { writer, serial, noted, over } = await parts.segments.begin();
    try {
      const pieces = createPieces();
      for (let at = 0; at < note.length; at += copiedAtOnceBytes) {
        const bytes = await readPieces(read, parcel, at, Math.min(note.length, at + copiedAtOnceBytes));
        await writer.write(pieces.of([bytes]));
      }
      const copy = { ...parcel, segment: serial, position: writer.start };
      const endPosition = endOf(copy);
      const footer = encodeFooter({ note, seq, segment: serial, endPosition, provenTo: writer.provenTo });
      await writer.commit([...pieces.end(), footer]);
      const from = { segment, position };
      const made = changes.make({ kind: "moved", id: note.id, from, to: { segment: serial, position: writer.start } });
      noted(endPosition);
      if ((await made) > 0) parts.moved(copy);
    } catch (error) {
      await writer.abort();
      over();
      throw error;
    }
  };
  const empty = async ({ serial, indexedTo }: IndexedSegment) => {
    const reader = await handles.lease(segmentName(serial));
    const underway = new Set<Promise<void>>();
    let failure: unknown;
    try {
      for await (const found of scanBack(reader.read, { segment: serial, from: 0, to: indexedTo })) {
        if (isClosed || failure !== undefined) break;
        if ("gapFrom" in found) continue;
        const { id } = found.footer.note;
        const { parcel } = (await index.find(id)) ?? {};
        if (parcel === undefined || parts.isLeaving(id)) continue;
        if (parcel.segment !== serial || parcel.position !== found.position) continue;
        const move = moveParcel(parcel, reader.read)
          .catch((error) => {
            failure ??= error;
          })
          .finally(() => {
            moves.delete(id);
            underway.delete(move);
          });
        moves.set(id, move);
        underway.add(move);
        if (underway.size >= underwayMost) await Promise.race(underway);
      }
    } finally {
      await Promise.all(underway);
      reader.release();
    }
    if (failure !== undefined) throw failure;
  };
  /** The segment whose parcels are to move. */
  const choose = async (): Promise<IndexedSegment | undefined> => {
    const ended = (await index.segments()).filter(({ isEnded, living }) => isEnded && living > 0);
    const sum = (of: (segment: IndexedSegment) => number) => ended.reduce((total, each) => total + of(each), 0);
    if (ended.length < segmentsLeast || 4 * sum((each) => each.livingBytes) >= sum((each) => each.indexedTo)) return;
    const left = ended.filter(({ serial }) => !moved.has(serial));
    return left.sort((a, b) => a.livingBytes - b.livingBytes)[0];
  };
  const moveSome = async () => {
    for (let next = await choose(); next !== undefined && !isClosed; next = await choose()) {
      const { serial } = next;
      moved.add(serial);
      await empty(next).catch((error) => {
        // A damaged parcel stays where it is, and its segment with it.
        const problem = asProblem(error, "moving parcels");
        if (!isProblem(problem, "no-room")) log.error("parcels of a segment stay", { segment: serial }, problem);
      });
    }
  };
  return {
    look(emptied) {
      for (const serial of emptied) {
        if (removed.has(serial) || isClosed) continue;
        removed.add(serial);
        void turns.take(() => (isClosed ? undefined : remove(serial)));
      }
      commits++;
      if (commits % (commitsPerSegment * segmentsLeast) !== 0 || isClosed) return;
      working ??= moveSome()
        .catch((error) => log.error("parcels of the spool cannot be moved", {}, error))
        .finally(() => {
          working = undefined;
        });
    },
    atRest: (id) => moves.get(id),
    stop() {
      isClosed = true;
    },
    async idle() {
      await turns.idle();
      await working;
    },
  };
}
