import type { Clock } from "#base/clock";

/** Bytes a second that the link may use at this wall time; undefined is without bound. */
export type AllowedRate = (epochMs: number) => number | undefined;

/** From `fromHour` until before `toHour`, over midnight when it is the smaller. */
export interface HourlyLimit {
  readonly fromHour: number;
  readonly toHour: number;
  readonly bytesPerSecond: number;
}

/** The lowest limit of those that hold at the hour it is in `timeZone` (IANA). */
export function hourlyRates(limits: readonly HourlyLimit[], timeZone: string): AllowedRate {
  const hours = new Intl.DateTimeFormat("en-GB", { hour: "numeric", hourCycle: "h23", timeZone });
  return (epochMs) => {
    const hour = Number(hours.format(epochMs));
    const holding = limits.filter(({ fromHour, toHour }) =>
      fromHour < toHour ? hour >= fromHour && hour < toHour : hour >= fromHour || hour < toHour,
    );
    return holding.length === 0 ? undefined : Math.min(...holding.map(({ bytesPerSecond }) => bytesPerSecond));
  };
}

/** What may be sent is saved up for so long: enough that timers which come late lose nothing. */
const savedMs = 100;

export interface Bandwidth {
  /** Milliseconds until something may be sent; 0 is now. */
  waitMs(): number;
  spend(bytes: number): void;
}

/** A token bucket whose rate follows the hour. It may be overdrawn by one piece, which is then waited for. */
export function createBandwidth(allowed: AllowedRate, clock: Clock): Bandwidth {
  let saved = 0;
  let at = clock.monotonicMs();
  let rate = allowed(clock.now());
  let rateUntil = at;

  const earn = (): void => {
    const now = clock.monotonicMs();
    if (now >= rateUntil) {
      rate = allowed(clock.now());
      rateUntil = now + 1_000;
    }
    if (rate !== undefined) saved = Math.min((rate * savedMs) / 1000, saved + (rate * (now - at)) / 1000);
    at = now;
  };
  return {
    waitMs() {
      earn();
      if (rate === undefined || saved > 0) return 0;
      // A rate of nothing is looked at again when the hour may have changed.
      return Math.max(1, Math.min(1_000, rate > 0 ? (-saved * 1000) / rate : 1_000));
    },
    spend(bytes) {
      if (rate !== undefined) saved -= bytes;
    },
  };
}
