/** What one interval brought. */
export interface Interval {
  readonly bytesPerSecond: number;
  /** Streams that were open through all of it. */
  readonly streams: number;
  /** Streams that are open now. */
  readonly streamsNow: number;
  /** There was always something to send, and room in the cloud's window and in what the hour allows: the streams were the limit. */
  readonly isFull: boolean;
  readonly isIdle: boolean;
}

/** How many streams there should be. */
export interface Growth {
  streams(): number;
  observe(interval: Interval): void;
}

export interface GrowthBounds {
  readonly first: number;
  readonly most: number;
}

/** So many streams brought so much. */
interface Held {
  readonly streams: number;
  readonly rate: number;
}

/** Streams added by a trial, once the beginning is over. */
const step = 2;
/** A trial is worth its streams when goodput rises by this, or by half of what as many streams brought before. */
const gainWanted = 0.05;
const restIntervalsLeast = 8;
const restIntervalsMost = 64;
const idleIntervalsMax = 20;

/**
 * Streams multiply until goodput no longer rises. Each stream has its own congestion window: under loss, a link is full when enough of
 * them share it. In the beginning their number doubles with every interval that was better than the one before; then it rests, and now and
 * again a few more are tried, or a quarter fewer, and kept where that is better, or no worse.
 */
export function createGrowth({ first, most }: GrowthBounds): Growth {
  let wanted = first;
  let isBeginning = true;
  /** What the present number is held against while it is tried. */
  let before: Held | undefined;
  let rate = 0;
  let rest = 0;
  let restNext = restIntervalsLeast;
  let triesMore = true;
  let idle = 0;

  const tryOut = (streams: number): void => {
    before = { streams: wanted, rate };
    wanted = Math.max(1, Math.min(most, streams));
  };
  const settle = (streams: number, wasWorth: boolean): void => {
    wanted = streams;
    before = undefined;
    isBeginning = false;
    restNext = wasWorth ? restIntervalsLeast : Math.min(2 * restNext, restIntervalsMost);
    rest = wasWorth ? 1 : restNext;
  };
  const isGain = (held: Held, now: number): boolean => {
    const share = (wanted - held.streams) / held.streams;
    return now >= held.rate * (1 + Math.min(gainWanted, share / 2));
  };
  /** The trial of more streams has been measured. */
  const judgeMore = (held: Held, now: number): void => {
    const isBetter = isGain(held, now);
    rate = isBetter ? now : held.rate;
    triesMore = isBetter;
    if (!isBetter) settle(held.streams, false);
    else if (isBeginning && wanted < most) tryOut(2 * wanted);
    else settle(wanted, true);
  };
  const judgeFewer = (held: Held, now: number): void => {
    const isNoWorse = now >= held.rate * (1 - gainWanted / 2);
    if (isNoWorse) rate = now;
    triesMore = !isNoWorse;
    settle(isNoWorse ? wanted : held.streams, false);
  };

  return {
    streams: () => wanted,
    observe({ bytesPerSecond, streams, streamsNow, isFull, isIdle }) {
      idle = isIdle ? idle + 1 : 0;
      if (idle >= idleIntervalsMax) {
        wanted = 1;
        isBeginning = true;
        before = undefined;
      } else if (!isIdle && isBeginning && wanted < first) wanted = first;
      if (!isFull) return;
      // In the beginning half an interval with more streams says enough when it says that they bring more.
      const isEarly = isBeginning && before !== undefined && isGain(before, bytesPerSecond);
      if ((isEarly ? streamsNow : streams) !== wanted) return;
      if (before !== undefined) {
        if (wanted > before.streams) judgeMore(before, bytesPerSecond);
        else judgeFewer(before, bytesPerSecond);
        return;
      }
      rate = rate === 0 || isBeginning ? bytesPerSecond : 0.7 * rate + 0.3 * bytesPerSecond;
      if (isBeginning) return tryOut(2 * wanted);
      rest -= 1;
      if (rest > 0) return;
      const trial = triesMore ? Math.min(most, wanted + step) : Math.ceil(wanted * 0.75);
      if (trial !== wanted) return tryOut(trial);
      triesMore = !triesMore;
      settle(wanted, false);
    },
  };
}
