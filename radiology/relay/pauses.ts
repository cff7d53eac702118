import type { Random } from "#base/id";

const firstMs = 10_000;
const longestMs = 4 * 3_600_000;

/** A machine that is off over a long weekend is back by then. */
export const giveUpMs = 5 * 86_400_000;

/**
 * How long after the n-th attempt (from 1) the next may come: from ten seconds, twice as long each time, to four hours or what is said; a quarter
 * more or less, so that all that waits for one machine does not come at once.
 */
export function pauseMs(attempt: number, random: Random, mostMs = longestMs): number {
  const [byte = 0] = random(new Uint8Array(1));
  const share = 0.75 + byte / 512;
  return Math.round(Math.min(firstMs * 2 ** Math.min(attempt - 1, 20), mostMs) * share);
}
