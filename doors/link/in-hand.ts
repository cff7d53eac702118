import { Problem } from "#base/problem";
import type { OfferedObject, Position } from "./frames.ts";
import { type OutgoingObject, type Urgency, urgencies } from "./outgoing.ts";

/** Bytes of an object that travel together; sent again as they were cut when their stream breaks. */
export interface Piece {
  readonly number: number;
  readonly from: number;
  readonly to: number;
}

/** What the sender does with the objects that it took, up to their receipts. No I/O: the rules of the protocol at the edge. */
export interface InHand {
  readonly size: number;
  /** Objects of this urgency. */
  count(urgency: Urgency): number;
  add(urgency: Urgency, objects: readonly OutgoingObject[]): void;
  /** Up to `most` that the cloud is to be asked for, the most urgent first; they count as asked from now on. */
  unasked(most: number): OfferedObject[];
  /** Asks again for all that waits for the cloud's word, and of which nothing was heard since `newsBefore`. */
  askAgain(newsBefore: number): void;
  /** The cloud lost all that it knew of this session: everything is asked for and sent anew. */
  restart(): void;
  /** The cloud wants an object from a byte. Gives false when it is not in hand any more. */
  answered(position: Position): boolean;
  /** The cloud took an object up to a byte. */
  taken(position: Position): void;
  /** What is to be sent next, of up to so many bytes; nothing when there is nothing, or the cloud's window is full. */
  next(bytesMax: number): Piece | undefined;
  /** Whether `next` would give anything for a window without bound. */
  hasMore(): boolean;
  /** These broke off. */
  lost(pieces: readonly Piece[]): void;
  get(number: number): OutgoingObject | undefined;
  remove(number: number): OutgoingObject | undefined;
  /** Bytes that were sent and not taken. */
  outstandingBytes(): number;
  setWindow(bytes: number): void;
}

interface Entry {
  readonly number: number;
  readonly urgency: Urgency;
  readonly object: OutgoingObject;
  /** When the cloud was last asked for it or spoke of it; undefined until it is asked. */
  newsAt: number | undefined;
  /** Whether it has answered the offer: bytes may be sent. */
  isAnswered: boolean;
  /** Bytes before this one are with the cloud, since `takenAt`. */
  taken: number;
  takenAt: number;
  /** Bytes before this one were sent at least once. */
  cut: number;
}

/** No answer is on its way for so long: connections that are silent for that time are taken for dead. */
const overtakenMsMax = 20_000;

export function createInHand(nowMs: () => number): InHand {
  const entries = new Map<number, Entry>();
  const lanes = Object.fromEntries(urgencies.map((urgency) => [urgency, createLane()])) as Record<Urgency, Lane>;
  let nextNumber = 1;
  let outstanding = 0;
  let windowBytes = 0;

  /** Puts the two places of an object right, and what is outstanding with them. */
  const place = (entry: Entry, taken: number, cut: number): void => {
    outstanding += cut - taken - (entry.cut - entry.taken);
    if (taken !== entry.taken) entry.takenAt = nowMs();
    entry.taken = taken;
    entry.cut = cut;
    if (entry.isAnswered && cut < entry.object.length) lanes[entry.urgency].ready.add(entry.number);
    else lanes[entry.urgency].ready.delete(entry.number);
  };
  const noteNews = (entry: Entry): void => {
    entry.newsAt = nowMs();
  };
  const unask = (entry: Entry): void => {
    entry.newsAt = undefined;
    lanes[entry.urgency].unasked.add(entry.number);
  };
  const remove = (number: number): OutgoingObject | undefined => {
    const entry = entries.get(number);
    if (entry === undefined) return undefined;
    place(entry, entry.object.length, entry.object.length);
    const lane = lanes[entry.urgency];
    lane.unasked.delete(number);
    lane.count -= 1;
    entries.delete(number);
    return entry.object;
  };
  const nextLost = (lane: Lane): Piece | undefined => {
    for (const piece of lane.lost) {
      lane.lost.delete(piece);
      const entry = entries.get(piece.number);
      if (entry !== undefined && piece.to > entry.taken) return piece;
    }
    return undefined;
  };
  const nextCut = (lane: Lane, bytesMax: number): Piece | undefined => {
    for (const number of lane.ready) {
      const entry = entries.get(number) as Entry;
      const from = entry.cut;
      const to = Math.min(entry.object.length, from + bytesMax);
      if (outstanding + to - from > windowBytes) return undefined;
      place(entry, entry.taken, to);
      return { number, from, to };
    }
    return undefined;
  };

  return {
    get size() {
      return entries.size;
    },
    count: (urgency) => lanes[urgency].count,
    add(urgency, objects) {
      for (const object of objects) {
        const number = nextNumber++;
        const entry: Entry = {
          number,
          urgency,
          object,
          newsAt: undefined,
          isAnswered: false,
          taken: 0,
          takenAt: 0,
          cut: 0,
        };
        entries.set(number, entry);
        lanes[urgency].count += 1;
        unask(entry);
      }
    },
    unasked(most) {
      const found: OfferedObject[] = [];
      for (const urgency of urgencies) {
        for (const number of lanes[urgency].unasked) {
          if (found.length >= most) return found;
          const entry = entries.get(number) as Entry;
          lanes[urgency].unasked.delete(number);
          noteNews(entry);
          found.push({ number, ...entry.object });
        }
      }
      return found;
    },
    askAgain(newsBefore) {
      for (const entry of entries.values()) {
        const waits = !entry.isAnswered || entry.cut > entry.taken || entry.cut === entry.object.length;
        if (waits && entry.newsAt !== undefined && entry.newsAt <= newsBefore) unask(entry);
      }
    },
    restart() {
      for (const lane of Object.values(lanes)) lane.lost.clear();
      for (const entry of entries.values()) {
        entry.isAnswered = false;
        place(entry, 0, 0);
        unask(entry);
      }
    },
    answered({ number, at }) {
      const entry = entries.get(number);
      if (entry === undefined) return false;
      if (at > entry.object.length) throw wrongPosition();
      noteNews(entry);
      if (!entry.isAnswered) {
        entry.isAnswered = true;
        place(entry, at, at);
      } else if (at > entry.taken) place(entry, at, Math.max(at, entry.cut));
      // An answer may be overtaken by later news on another stream. One that comes long after has it that the cloud began anew.
      else if (at < entry.taken && nowMs() - entry.takenAt > overtakenMsMax) place(entry, at, at);
      return true;
    },
    taken({ number, at }) {
      const entry = entries.get(number);
      if (entry === undefined || at <= entry.taken) return;
      if (at > entry.cut) throw wrongPosition();
      noteNews(entry);
      place(entry, at, entry.cut);
    },
    next(bytesMax) {
      for (const urgency of urgencies) {
        const piece = nextLost(lanes[urgency]) ?? nextCut(lanes[urgency], bytesMax);
        if (piece !== undefined) return piece;
      }
      return undefined;
    },
    hasMore: () => Object.values(lanes).some(({ ready, lost }) => ready.size > 0 || lost.size > 0),
    lost(pieces) {
      for (const piece of pieces) {
        const entry = entries.get(piece.number);
        // Cut before a restart: it is cut anew.
        if (entry === undefined || piece.to > entry.cut) continue;
        if (piece.to > entry.taken) lanes[entry.urgency].lost.add(piece);
      }
    },
    get: (number) => entries.get(number)?.object,
    remove,
    outstandingBytes: () => outstanding,
    setWindow(bytes) {
      windowBytes = bytes;
    },
  };
}

/** Objects of one urgency. Sets keep the order in which their members came, and give any of them up at once. */
interface Lane {
  count: number;
  readonly unasked: Set<number>;
  readonly ready: Set<number>;
  readonly lost: Set<Piece>;
}

const createLane = (): Lane => ({ count: 0, unasked: new Set(), ready: new Set(), lost: new Set() });

const wrongPosition = () =>
  new Problem("invalid", "the cloud spoke of bytes of an object that were not sent", {
    remedy: "see that both ends run versions that fit each other",
  });
