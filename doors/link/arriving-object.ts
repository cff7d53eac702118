import { asProblem, type Problem } from "#base/problem";
import type { OfferedObject } from "./frames.ts";
import type { Arrival, Arrivals } from "./incoming.ts";

/** What one object tells its session. */
export interface ArrivingUser {
  /** So many more bytes are taken, and no longer held here. */
  taken(bytes: number): void;
  /** The object is durable, or was refused; nothing comes after it. */
  finished(outcome: { readonly receipt: Uint8Array } | { readonly problem: Problem }): void;
}

/** An object on its way in: puts its pieces in order, whatever stream brought them, and hands them on one after the other. */
export interface ArrivingObject {
  readonly offered: OfferedObject;
  /** Bytes before this one are taken. */
  takenTo(): number;
  /** Gives how many bytes are held on account of this piece: none of one that came before. */
  put(from: number, bytes: Uint8Array): number;
  /** Goes on when there is anything to do; at once for an object of which all bytes were there. */
  go(): void;
  /** Nothing is waiting or being written. */
  isAtRest(): boolean;
  /** Takes no more, and lets go of it. Gives what was held. */
  drop(): { readonly bytes: number; readonly pieces: number };
  /** Resolves when nothing of this object is under way any more. */
  readonly ended: Promise<void>;
}

export function createArrivingObject(
  offered: OfferedObject,
  from: number,
  arrivals: Arrivals,
  user: ArrivingUser,
): ArrivingObject {
  const waiting = new Map<number, Uint8Array>();
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  let arrival: Arrival | undefined;
  let taken = from;
  let isRunning = false;
  let isOver = false;

  /** Writes what is next; `finish` after the last. */
  const step = async (): Promise<"more" | "wait"> => {
    const bytes = waiting.get(taken);
    if (bytes === undefined && taken < offered.length) return "wait";
    arrival ??= await arrivals.open(offered, taken);
    if (isOver) return "wait";
    if (bytes === undefined) {
      const receipt = await arrival.finish();
      arrival = undefined;
      if (!isOver) user.finished({ receipt });
      isOver = true;
      return "wait";
    }
    await arrival.write(taken, bytes);
    if (isOver) return "wait";
    waiting.delete(taken);
    taken += bytes.length;
    user.taken(bytes.length);
    return "more";
  };
  const letGo = async (): Promise<void> => {
    await arrival?.abandon().catch(() => {}); // what cannot be let go of is what was there before: durable bytes
    end();
  };
  const run = async (): Promise<void> => {
    isRunning = true;
    try {
      while (!isOver && (await step()) === "more");
    } catch (error) {
      if (!isOver) user.finished({ problem: asProblem(error, "taking an object in") });
      isOver = true;
    }
    isRunning = false;
    if (isOver) await letGo();
    else if (waiting.has(taken)) await run();
  };

  return {
    offered,
    takenTo: () => taken,
    put(at, bytes) {
      const piece = at < taken ? bytes.subarray(Math.min(bytes.length, taken - at)) : bytes;
      const start = Math.max(at, taken);
      if (piece.length === 0 || waiting.has(start)) return 0;
      waiting.set(start, piece);
      return piece.length;
    },
    go() {
      if (!isRunning && !isOver) void run();
    },
    isAtRest: () => !isRunning && !waiting.has(taken),
    drop() {
      const bytes = [...waiting.values()].reduce((sum, { length }) => sum + length, 0);
      const pieces = waiting.size;
      waiting.clear();
      if (!isOver && !isRunning) void letGo();
      isOver = true;
      return { bytes, pieces };
    },
    ended,
  };
}
