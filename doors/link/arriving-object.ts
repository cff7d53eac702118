import { asProblem, type Problem } from "#base/problem";
import type { OfferedObject } from "./frames.ts";
import type { Arrival, Arrivals } from "./incoming.ts";
import type { Room } from "./room.ts";

/** What one object tells its session. */
export interface ArrivingUser {
  /** So many more bytes are taken, and no longer held here. */
  taken(bytes: number): void;
  /** The object is durable, or was refused; nothing comes after it. Not told of one that was dropped. */
  finished(outcome: Outcome): void;
}

export type Outcome = { readonly receipt: Uint8Array } | { readonly problem: Problem };

/** An object on its way in: puts its pieces in order, whatever stream brought them, and hands them on one after the other. */
export interface ArrivingObject {
  readonly offered: OfferedObject;
  /** Bytes before this one are taken. */
  takenTo(): number;
  /** Bytes before this one are taken or held: what is wanted next. */
  wantedFrom(): number;
  /** Keeps what is news of this piece. Gives false, and keeps nothing of it, where there is no room for that. */
  put(from: number, bytes: Uint8Array): boolean;
  /** Goes on when there is anything to do; at once for an object of which all bytes were there. */
  go(): void;
  /** Nothing is being done, and there is nothing to do. */
  isAtRest(): boolean;
  /** Takes no more, and lets go of it. */
  drop(): void;
  /** Resolves when nothing of this object is under way any more, and nothing of it held. */
  readonly ended: Promise<void>;
}

interface Held {
  readonly from: number;
  readonly bytes: Uint8Array;
}

export function createArrivingObject(
  offered: OfferedObject,
  from: number,
  arrivals: Arrivals,
  room: Room,
  user: ArrivingUser,
): ArrivingObject {
  /** In order, and none covers a byte of another: nothing can be handed on twice, and no piece stands in the way of another. */
  const waiting: Held[] = [];
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  let arrival: Arrival | undefined;
  let taken = from;
  /** Beyond `taken` by what is being written. */
  let handedOn = from;
  let isRunning = false;
  let isOver = false;

  /** What of [start, end) is neither handed on nor waiting, each part with its place among those that wait. */
  const missing = (start: number, end: number) => {
    const parts: { readonly from: number; readonly to: number; readonly index: number }[] = [];
    let at = Math.max(start, handedOn);
    let index = firstBehind(waiting, at);
    while (at < end) {
      const next = waiting[index];
      const to = Math.min(end, next?.from ?? end);
      if (to > at) parts.push({ from: at, to, index });
      if (next === undefined) break;
      at = next.from + next.bytes.length;
      index += 1;
    }
    return parts;
  };
  const forget = (): void => {
    const bytes = waiting.reduce((sum, held) => sum + held.bytes.length, 0);
    room.giveBack(bytes, waiting.length);
    waiting.length = 0;
  };
  const hasNext = (): boolean => handedOn === offered.length || waiting[0]?.from === handedOn;
  /** Hands on what is next; `finish` after the last, which gives the outcome. */
  const step = async (): Promise<Outcome | undefined> => {
    arrival ??= await arrivals.open(offered, taken);
    if (isOver) return undefined; // dropped meanwhile
    const next = waiting.shift();
    if (next === undefined) {
      const receipt = await arrival.finish();
      arrival = undefined;
      return { receipt };
    }
    const { length } = next.bytes;
    handedOn += length;
    try {
      await arrival.write(taken, next.bytes);
    } finally {
      // Until now it was in memory, also of an object that was dropped meanwhile.
      room.giveBack(length, 1);
    }
    taken = handedOn;
    if (!isOver) user.taken(length);
    return undefined;
  };
  const run = async (): Promise<void> => {
    isRunning = true;
    let outcome: Outcome | undefined;
    try {
      while (!isOver && outcome === undefined && hasNext()) outcome = await step();
    } catch (error) {
      outcome = { problem: asProblem(error, "taking an object in") };
    }
    isRunning = false;
    if (outcome !== undefined && !isOver) {
      isOver = true;
      forget();
      user.finished(outcome);
    }
    if (isOver) await letGo();
  };
  const letGo = async (): Promise<void> => {
    try {
      await arrival?.abandon();
    } catch {
      // What cannot be let go of is what was there before: durable bytes.
    }
    end();
  };

  return {
    offered,
    takenTo: () => taken,
    wantedFrom() {
      let wanted = handedOn;
      for (const held of waiting) {
        if (held.from > wanted) break;
        wanted += held.bytes.length;
      }
      return wanted;
    },
    put(at, bytes) {
      if (isOver) return true;
      const parts = missing(at, at + bytes.length);
      const news = parts.reduce((sum, part) => sum + part.to - part.from, 0);
      if (!room.take(news, parts.length)) return false;
      // From the last to the first: the places of those before it stay true.
      for (const part of parts.reverse()) {
        // Of a part a copy: a view would keep the whole piece for as long as one byte of it waits.
        const kept = news === bytes.length ? bytes : new Uint8Array(bytes.subarray(part.from - at, part.to - at));
        waiting.splice(part.index, 0, { from: part.from, bytes: kept });
      }
      return true;
    },
    go() {
      if (!isRunning && !isOver) void run();
    },
    isAtRest: () => !isRunning && (isOver || !hasNext()),
    drop() {
      if (isOver) return;
      isOver = true;
      forget();
      if (!isRunning) void letGo();
    },
    ended,
  };
}

/** The index of the first that ends behind this byte. */
function firstBehind(sorted: readonly Held[], at: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const { from, bytes } = sorted[middle] as Held;
    if (from + bytes.length > at) high = middle;
    else low = middle + 1;
  }
  return low;
}
