import { Problem } from "#base/problem";
import type { Piece } from "./in-hand.ts";

/** What is on its way on one stream, and how much more may be. */
export interface Flight {
  /**
   * Bytes that may be handed to the connection now. Enough that it never runs dry, and so few that what is urgent overtakes: twice
   * what the path holds. The kernel would take megabytes, and nothing taken can be overtaken.
   */
  roomBytes(): number;
  /** How long a piece should be. */
  pieceBytes(): number;
  sent(piece: Piece): void;
  /** The other end has received so many bytes on this stream in all. Gives how many of them are news, and the pieces that they end. */
  received(total: number): { readonly bytes: number; readonly pieces: readonly Piece[] };
  /** What was sent and not received. */
  pieces(): Piece[];
  /** How long the oldest of them has been on its way beyond twice the usual, once for each; undefined when it is not late. */
  lateness(): { readonly ms: number; takeAgain(): Piece } | undefined;
}

interface InFlight {
  readonly piece: Piece;
  readonly end: number;
  readonly atMs: number;
  /** Bytes that were received when this was sent. */
  readonly receivedThen: number;
  isSentAgain: boolean;
}

const windowBytesLeast = 48 * 1024;
const windowBytesMost = 4 * 2 ** 20;
const firstWindowBytes = 64 * 1024;
const pieceBytesLeast = 16 * 1024;
const pieceBytesMost = 64 * 1024;
/** The shortest delay and the best rate are those of the present and the last span: paths change. */
const spanMs = 10_000;
/** Twice what the path holds is in flight; at the end of each span, for some delays, less than that, so that the delay of the path is seen. */
const usualGain = 2;
const emptierGain = 0.75;
const emptierDelays = 3;
/** A connection that has lost packets may stand still for some hundred milliseconds. */
const lateMsLeast = 200;

export function createFlight(nowMs: () => number): Flight {
  const inFlight: InFlight[] = [];
  let sentBytes = 0;
  let receivedBytes = 0;
  let spanFrom = nowMs();
  let delayMs: readonly [number, number] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  let bytesPerMs: readonly [number, number] = [0, 0];

  const turnSpan = (now: number): void => {
    if (now - spanFrom < spanMs) return;
    spanFrom = now;
    delayMs = [delayMs[1], Number.POSITIVE_INFINITY];
    bytesPerMs = [bytesPerMs[1], 0];
  };
  const measure = (flown: InFlight, now: number): void => {
    const tookMs = Math.max(0.1, now - flown.atMs);
    delayMs = [delayMs[0], Math.min(delayMs[1], tookMs)];
    bytesPerMs = [bytesPerMs[0], Math.max(bytesPerMs[1], (receivedBytes - flown.receivedThen) / tookMs)];
  };
  const windowBytes = (): number => {
    const now = nowMs();
    turnSpan(now);
    const leastMs = Math.min(...delayMs);
    if (!Number.isFinite(leastMs)) return firstWindowBytes;
    const isEmptier = now - spanFrom > spanMs - Math.min(spanMs / 10, emptierDelays * leastMs);
    const held = leastMs * Math.max(...bytesPerMs);
    return Math.min(windowBytesMost, Math.max(windowBytesLeast, held * (isEmptier ? emptierGain : usualGain)));
  };

  return {
    roomBytes: () => windowBytes() - (sentBytes - receivedBytes),
    pieceBytes: () => Math.round(Math.min(pieceBytesMost, Math.max(pieceBytesLeast, windowBytes() / 5))),
    sent(piece) {
      sentBytes += piece.to - piece.from;
      inFlight.push({ piece, end: sentBytes, atMs: nowMs(), receivedThen: receivedBytes, isSentAgain: false });
    },
    received(total) {
      if (total > sentBytes) throw new Problem("invalid", "the cloud acknowledged bytes that were not sent");
      const news = Math.max(0, total - receivedBytes);
      receivedBytes += news;
      const now = nowMs();
      turnSpan(now);
      const firstMissing = inFlight.findIndex(({ end }) => end > receivedBytes);
      const landed = inFlight.splice(0, firstMissing < 0 ? inFlight.length : firstMissing);
      for (const each of landed) measure(each, now);
      return { bytes: news, pieces: landed.map(({ piece }) => piece) };
    },
    pieces: () => inFlight.map(({ piece }) => piece),
    lateness() {
      const oldest = inFlight.find(({ isSentAgain }) => !isSentAgain);
      if (oldest === undefined) return undefined;
      const leastMs = Math.min(...delayMs);
      const usualMs = Number.isFinite(leastMs) ? leastMs : 500;
      const ms = nowMs() - oldest.atMs - Math.max(lateMsLeast, 2 * usualMs);
      if (ms < 0) return undefined;
      return {
        ms,
        takeAgain() {
          oldest.isSentAgain = true;
          return oldest.piece;
        },
      };
    },
  };
}
