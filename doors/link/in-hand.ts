import { Problem } from "#base/problem";
import { dataBytesMax, type OfferedObject, type Position } from "./frames.ts";
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
  /** Objects that the cloud may still have a place for: those in hand, and those withdrawn of which it has not let go. */
  places(): number;
  add(urgency: Urgency, objects: readonly OutgoingObject[]): void;
  /** Up to `most` that the cloud is to be asked for, the most urgent first; they count as asked from now on. */
  unasked(most: number): OfferedObject[];
  /** Those of which the cloud is to be told that they do not come; they count as told from now on. */
  untold(): number[];
  /** Asks again for all that waits for the cloud's word, and of which nothing was heard since `newsBefore`. */
  askAgain(newsBefore: number): void;
  /** The cloud lost all that it knew of this session: everything is asked for and sent anew. */
  restart(): void;
  /** The cloud wants an object from a byte. */
  answered(position: Position): void;
  /** The cloud took an object up to a byte. */
  taken(position: Position): void;
  /** The cloud has let go of an object: it was withdrawn; or else it is begun anew. */
  released(number: number): void;
  /** What is to be sent next, of up to so many bytes; nothing when there is nothing, or the cloud's window is full. */
  next(bytesMax: number): Piece | undefined;
  /** Sends a piece once more, which is still on its way. Nothing when that is of no use any more. */
  again(piece: Piece): Piece | undefined;
  /** Whether `next` would give anything for a window without bound. */
  hasMore(): boolean;
  /** These came to the cloud. */
  landed(pieces: readonly Piece[]): void;
  /** These broke off. */
  lost(pieces: readonly Piece[]): void;
  get(number: number): OutgoingObject | undefined;
  /** The cloud is done with an object. */
  remove(number: number): OutgoingObject | undefined;
  /** The object does not come, or not any more, in hand or not; bytes of it count until the cloud has let go of them. */
  withdraw(number: number): OutgoingObject | undefined;
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
  /** What was cut, and has not landed: on its way, or lost and to be sent again. */
  readonly out: Set<Piece>;
}

/** No answer is on its way for so long: connections that are silent for that time are taken for dead. */
const overtakenMsMax = 20_000;
/** More than a cloud has places for (`welcome`): one that speaks of so many strange objects is not a cloud. */
const withdrawnMax = 2 ** 16;

/** What the cloud is to let go of. */
interface Withdrawn {
  readonly bytes: number;
  /** When it was last told so; undefined until then. */
  toldAt: number | undefined;
}

export function createInHand(nowMs: () => number): InHand {
  const entries = new Map<number, Entry>();
  const lanes = Object.fromEntries(urgencies.map((urgency) => [urgency, createLane()])) as Record<Urgency, Lane>;
  const withdrawn = new Map<number, Withdrawn>();
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
    for (const piece of entry.out) lane.lost.delete(piece);
    entries.delete(number);
    return entry.object;
  };
  const withdraw = (number: number): OutgoingObject | undefined => {
    if (withdrawn.has(number)) return undefined;
    if (number >= nextNumber || withdrawn.size >= withdrawnMax) throw wrongPosition();
    const entry = entries.get(number);
    const bytes = entry === undefined ? 0 : entry.cut - entry.taken;
    const object = remove(number);
    outstanding += bytes;
    withdrawn.set(number, { bytes, toldAt: undefined });
    return object;
  };
  const add = (urgency: Urgency, object: OutgoingObject): void => {
    const entry: Entry = {
      ...{ number: nextNumber++, urgency, object, out: new Set<Piece>() },
      ...{ newsAt: undefined, isAnswered: false, taken: 0, takenAt: 0, cut: 0 },
    };
    entries.set(entry.number, entry);
    unask(entry);
  };
  /** Under another number: what may still come of the former is not mistaken for news of this. */
  const beginAnew = ({ number, urgency, object }: Entry): void => {
    withdraw(number);
    add(urgency, object);
  };
  /** All that was sent has landed, and yet the cloud wants some of it: it did not keep it. The window holds these bytes already. */
  const fill = (entry: Entry, from: number): void => {
    for (let at = from; at < entry.cut; at += dataBytesMax) {
      const piece = { number: entry.number, from: at, to: Math.min(entry.cut, at + dataBytesMax) };
      entry.out.add(piece);
      lanes[entry.urgency].lost.add(piece);
    }
  };
  const nextLost = (lane: Lane): Piece | undefined => {
    for (const piece of lane.lost) {
      lane.lost.delete(piece);
      const entry = entries.get(piece.number) as Entry;
      if (piece.to > entry.taken) return piece;
      entry.out.delete(piece);
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
      const piece = { number, from, to };
      entry.out.add(piece);
      return piece;
    }
    return undefined;
  };

  return {
    get size() {
      return entries.size;
    },
    places: () => entries.size + withdrawn.size,
    add(urgency, objects) {
      for (const object of objects) add(urgency, object);
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
    untold() {
      const found = [...withdrawn].filter(([, { toldAt }]) => toldAt === undefined);
      for (const [, each] of found) each.toldAt = nowMs();
      return found.map(([number]) => number);
    },
    askAgain(newsBefore) {
      for (const entry of entries.values()) {
        const waits = !entry.isAnswered || entry.cut > entry.taken || entry.cut === entry.object.length;
        if (waits && entry.newsAt !== undefined && entry.newsAt <= newsBefore) unask(entry);
      }
      for (const each of withdrawn.values()) {
        if (each.toldAt !== undefined && each.toldAt <= newsBefore) each.toldAt = undefined;
      }
    },
    restart() {
      for (const { bytes } of withdrawn.values()) outstanding -= bytes;
      withdrawn.clear();
      for (const entry of entries.values()) {
        for (const piece of entry.out) lanes[entry.urgency].lost.delete(piece);
        entry.out.clear();
        entry.isAnswered = false;
        place(entry, 0, 0);
        unask(entry);
      }
    },
    answered({ number, at }) {
      const entry = entries.get(number);
      if (entry === undefined) {
        // An offer came late, after all was said of it: the cloud has begun with it again.
        withdraw(number);
        return;
      }
      if (at > entry.object.length) throw wrongPosition();
      noteNews(entry);
      if (!entry.isAnswered) {
        entry.isAnswered = true;
        place(entry, at, at);
      } else if (entry.out.size === 0 && at < entry.cut) {
        if (at >= entry.taken) fill(entry, at);
        // An answer may be overtaken by later news on another stream. One that comes long after has it that the cloud began anew.
        else if (nowMs() - entry.takenAt > overtakenMsMax) beginAnew(entry);
      }
    },
    taken({ number, at }) {
      const entry = entries.get(number);
      if (entry === undefined || !entry.isAnswered || at <= entry.taken) return;
      if (at > entry.cut) throw wrongPosition();
      noteNews(entry);
      place(entry, at, entry.cut);
    },
    released(number) {
      const entry = entries.get(number);
      if (entry !== undefined) beginAnew(entry);
      const gone = withdrawn.get(number);
      if (gone !== undefined) outstanding -= gone.bytes;
      withdrawn.delete(number);
    },
    next(bytesMax) {
      for (const urgency of urgencies) {
        const piece = nextLost(lanes[urgency]) ?? nextCut(lanes[urgency], bytesMax);
        if (piece !== undefined) return piece;
      }
      return undefined;
    },
    hasMore: () => Object.values(lanes).some(({ ready, lost }) => ready.size > 0 || lost.size > 0),
    again(piece) {
      const entry = entries.get(piece.number);
      if (entry === undefined || !entry.out.has(piece) || piece.to <= entry.taken) return undefined;
      const copy = { ...piece };
      entry.out.add(copy);
      return copy;
    },
    landed(pieces) {
      for (const piece of pieces) entries.get(piece.number)?.out.delete(piece);
    },
    lost(pieces) {
      for (const piece of pieces) {
        const entry = entries.get(piece.number);
        // Else it was cut before the object was begun anew: it is cut anew.
        if (entry?.out.has(piece)) lanes[entry.urgency].lost.add(piece);
      }
    },
    get: (number) => entries.get(number)?.object,
    remove,
    withdraw,
    outstandingBytes: () => outstanding,
    setWindow(bytes) {
      windowBytes = bytes;
    },
  };
}

/** Objects of one urgency. Sets keep the order in which their members came, and give any of them up at once. */
interface Lane {
  readonly unasked: Set<number>;
  readonly ready: Set<number>;
  readonly lost: Set<Piece>;
}

const createLane = (): Lane => ({ unasked: new Set(), ready: new Set(), lost: new Set() });

const wrongPosition = () =>
  new Problem("invalid", "the cloud spoke of bytes of an object that were not sent", {
    remedy: "see that both ends run versions that fit each other",
  });
