import type { Files, OpenFile } from "#base/io";
import type { Log } from "#base/log";
import { createPermits } from "#base/turns";
import { createLane, type Lane, type Room } from "#stores/packs";
import type { ObjectWriter } from "#trust/vault";

const namePattern = /^(\d{8,})\.parcels$/;
export const segmentName = (serial: number) => `${String(serial).padStart(8, "0")}.parcels`;

/** The serial in the name of a segment; undefined for other names. */
export function serialOf(name: string): number | undefined {
  const [, serial] = namePattern.exec(name) ?? [];
  return serial === undefined ? undefined : Number(serial);
}

/** A segment that is written to, or was until just now. */
interface Segment {
  readonly serial: number;
  readonly lane: Lane;
  /** Where parcels begin that are being written, or are durable and not yet noted. */
  readonly underway: Set<number>;
  /** Behind the last that was noted. */
  notedTo: number;
  isEnding: boolean;
}

/** A parcel that is being written. Exactly one of `noted` and `over` ends it, after its writer has ended. */
export interface Opened {
  readonly serial: number;
  readonly writer: ObjectWriter;
  /** Its end, when it is noted for the index in this very turn. */
  noted(endPosition: number): void;
  /** Nothing of it counts. */
  over(): void;
}

/** The segments that are written to: as many as there are lanes, each by one at a time. */
export interface Segments {
  /** Waits for a lane. */
  begin(): Promise<Opened>;
  close(): Promise<void>;
}

export interface SegmentsParts {
  readonly files: Files;
  readonly folder: string;
  readonly room: Room;
  readonly log: Log;
  readonly lanesMax: number;
  readonly segmentBytes: number;
  readonly firstSerial: number;
  /** All that counts in a segment before a position was noted; `isEnded`: nothing more will come. */
  readonly reached: (serial: number, indexedTo: number, isEnded: boolean) => void;
  /** Throws when nothing may be begun. */
  readonly check: () => void;
}

export function createSegments(parts: SegmentsParts): Segments {
  const { files, folder, room, log, lanesMax, segmentBytes } = parts;
  const segments = new Map<Lane, Segment>();
  const permits = createPermits(lanesMax);
  const ending = new Set<Promise<void>>();
  let nextSerial = parts.firstSerial;
  let creating = 0;

  const endIfIdle = (segment: Segment) => {
    if (!segment.isEnding || segment.underway.size > 0) return;
    parts.reached(segment.serial, segment.lane.acknowledgedTo(), true);
  };
  /** Not waited for here, but before the spool is closed. */
  const end = (segment: Segment) => {
    if (!segments.delete(segment.lane)) return;
    const closed = segment.lane
      .close()
      .catch((error) => log.error("a segment could not be closed", { segment: segment.serial }, error))
      .then(() => {
        segment.isEnding = true;
        endIfIdle(segment);
      })
      .finally(() => ending.delete(closed));
    ending.add(closed);
  };
  const addLane = (serial: number, file: OpenFile): Segment => {
    const lane = createLane({
      ...{ pack: segmentName(serial), file, position: 0, room },
      freed(freed) {
        const segment = segments.get(freed);
        if (segment !== undefined && (freed.hasFailed() || freed.position() >= segmentBytes)) end(segment);
        permits.give();
      },
      // What was not acknowledged is not found: the segment ends before it.
      async failed(failed) {
        log.error("a segment failed and is given up", { segment: serial, acknowledgedTo: failed.acknowledgedTo() });
        end(segment);
      },
    });
    const segment: Segment = { serial, lane, underway: new Set(), notedTo: 0, isEnding: false };
    segments.set(lane, segment);
    return segment;
  };
  const create = async (): Promise<Opened> => {
    const serial = nextSerial++;
    const file = await files.open(`${folder}/${segmentName(serial)}`, "create");
    try {
      await files.syncFolder(folder);
      parts.check();
    } catch (error) {
      await file.close().catch(() => {});
      throw error;
    }
    // Known to the index before anything that lies in it.
    parts.reached(serial, 0, false);
    return lease(addLane(serial, file));
  };
  const lease = (segment: Segment): Opened => {
    const { serial, lane, underway } = segment;
    const writer = lane.lease();
    underway.add(writer.start);
    const left = () => {
      underway.delete(writer.start);
      return Math.min(segment.notedTo, ...underway);
    };
    return {
      serial,
      writer,
      noted(endPosition) {
        segment.notedTo = Math.max(segment.notedTo, endPosition);
        parts.reached(serial, left(), false);
        endIfIdle(segment);
      },
      over() {
        left();
        endIfIdle(segment);
      },
    };
  };
  const choose = async (): Promise<Opened> => {
    const free = [...segments.values()].filter(({ lane }) => !lane.isLeased() && !lane.hasFailed());
    const idle =
      free.find(({ lane }) => !lane.isSyncing()) ?? (segments.size + creating < lanesMax ? undefined : free[0]);
    if (idle !== undefined) return lease(idle);
    creating++;
    try {
      return await create();
    } finally {
      creating--;
    }
  };
  return {
    async begin() {
      await permits.take();
      try {
        parts.check();
        await room.take(0);
        return await choose();
      } catch (error) {
        permits.give();
        throw error;
      }
    },
    async close() {
      for (const segment of [...segments.values()]) end(segment);
      while (ending.size > 0) await Promise.all(ending);
    },
  };
}
