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
  /** In the beginning: intervals may be short. */
  isRising(): boolean;
  observe(interval: Interval): void;
}

export interface GrowthBounds {
  readonly first: number;
  readonly most: number;
}

/** In the beginning, more streams go on being added while twice as many bring this much more. */
const risingGain = 0.05;
/** Afterwards a third more, or a quarter fewer, are tried, over so many intervals on either side. */
const measuredIntervals = 5;
const moreFactor = 4 / 3;
const fewerFactor = 3 / 4;
/** What a third more must bring, and what a quarter fewer may cost. */
const gainWanted = 0.04;
const lossAllowed = 0.02;
const restLeast = 10;
const restMost = 80;
const idleIntervalsMax = 20;

/**
 * Streams multiply until goodput no longer rises. Each has its own congestion window: under loss a line is full when enough of them share
 * it. In the beginning their number doubles from interval to interval. What a few intervals bring says little then (a new stream knows
 * no loss yet), so that ends where it no longer helps, and never goes back. Afterwards a few more or fewer are tried now and again, against
 * what was measured just before, and kept where more bring more and fewer cost nothing.
 */
export function createGrowth({ first, most }: GrowthBounds): Growth {
  let wanted = first;
  let isRising = true;
  /** The rates of the last intervals at this number of streams. */
  let rates: number[] = [];
  let trial: { readonly from: number; readonly rate: number } | undefined;
  let triesMore = false;
  let rest = restLeast;
  let restNext = restLeast;
  let idle = 0;
  /** What there was before nothing was left to send. */
  let remembered: number | undefined;

  const change = (streams: number): void => {
    wanted = Math.max(1, Math.min(most, streams));
    rates = [];
  };
  const average = (): number => rates.reduce((sum, rate) => sum + rate, 0) / rates.length;

  const rise = (rate: number): void => {
    const before = trial;
    if (before !== undefined && rate < before.rate * (1 + risingGain)) {
      // Seen more than once: one interval may be a hiccup.
      if (rates.length < 3) return;
      isRising = false;
    } else if (wanted >= most) isRising = false;
    if (!isRising) {
      // What was held against was of streams that knew no loss yet: more are tried soon where that stopped it.
      triesMore = wanted < most;
      rest = triesMore ? 0 : restLeast;
      trial = undefined;
      rates = [];
      return;
    }
    trial = { from: wanted, rate };
    change(2 * wanted);
  };
  const judge = ({ from, rate }: { readonly from: number; readonly rate: number }): void => {
    const isMore = wanted > from;
    const isWorth = average() >= rate * (isMore ? 1 + gainWanted : 1 - lossAllowed);
    trial = undefined;
    triesMore = isMore === isWorth;
    restNext = isWorth ? restLeast : Math.min(restMost, 2 * restNext);
    rest = isWorth ? 0 : restNext;
    if (isWorth) rates = [];
    else change(from);
  };
  const tryOther = (): void => {
    const other = triesMore ? Math.ceil(wanted * moreFactor) : Math.floor(wanted * fewerFactor);
    if (other < 1 || other > most) {
      triesMore = !triesMore;
      rest = restNext;
      return;
    }
    trial = { from: wanted, rate: average() };
    change(other);
  };
  const noteIdle = (isIdle: boolean): void => {
    idle = isIdle ? idle + 1 : 0;
    if (idle === idleIntervalsMax) {
      remembered = trial === undefined || isRising ? wanted : trial.from;
      trial = undefined;
      change(1);
    } else if (!isIdle && remembered !== undefined) {
      change(remembered);
      remembered = undefined;
    }
  };

  return {
    streams: () => wanted,
    isRising: () => isRising,
    observe({ bytesPerSecond, streams, streamsNow, isFull, isIdle }) {
      noteIdle(isIdle);
      if (!isFull || (isRising ? streamsNow : streams) !== wanted) return;
      rates.push(bytesPerSecond);
      if (isRising) return rise(bytesPerSecond);
      if (rates.length > measuredIntervals) rates.shift();
      if (trial === undefined) rest -= 1;
      if (rates.length < measuredIntervals) return;
      if (trial !== undefined) judge(trial);
      else if (rest <= 0) tryOther();
    },
  };
}
