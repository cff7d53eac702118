import type { Clock } from "#base/clock";
import { createKeptJson, type Files } from "#base/io";
import type { Log } from "#base/log";

/**
 * Time that certainly went by. The wall clock may jump (a battery, a wrong time server, a hand); what a retention period is
 * measured by is only what this server saw pass while it ran. It stands still while the server does, so it may lag behind and keep
 * things longer; it never runs ahead.
 */
export interface WitnessedTime {
  load(): Promise<void>;
  /** Epoch milliseconds; never after the true time, if the clock was right when it was made. */
  now(): number;
  /** For what arrives now: the wall clock, but no time that is witnessed to be over. Whole milliseconds. */
  stamp(): number;
  /** So far the wall clock is ahead. */
  behindMs(): number;
  /** Keeps it; what is not kept is lost at a crash, and adds to the lag. */
  keep(): Promise<void>;
  /** Somebody has looked at the clock and says that it is right. */
  confirmWallClock(): Promise<void>;
}

export function createWitnessedTime(parts: {
  readonly clock: Clock;
  readonly files: Files;
  readonly folder: string;
  readonly log: Log;
}): WitnessedTime {
  const { clock, log } = parts;
  const kept = createKeptJson(parts.files, parts.folder, "witnessed-time.json");
  /** Until something is loaded nothing is witnessed, and nothing is over. */
  let witnessedMs = Number.NEGATIVE_INFINITY;
  let sinceMs = clock.monotonicMs();

  const witnessed = () => witnessedMs + clock.monotonicMs() - sinceMs;
  const setTo = (ms: number) => {
    witnessedMs = ms;
    sinceMs = clock.monotonicMs();
  };
  const keep = () => kept.save({ witnessedMs: witnessed() });
  return {
    async load() {
      try {
        const found = (await kept.load()) as { witnessedMs?: unknown } | undefined;
        if (found === undefined) {
          setTo(clock.now());
          await keep();
        } else if (Number.isFinite(found?.witnessedMs)) {
          setTo(found.witnessedMs as number);
        } else {
          log.error("the witnessed time cannot be read: nothing is deleted until the clock is confirmed");
        }
      } catch (error) {
        log.error("the witnessed time cannot be read: nothing is deleted until the clock is confirmed", {}, error);
      }
    },
    now: () => Math.min(clock.now(), witnessed()),
    stamp: () => Math.ceil(Math.max(clock.now(), witnessed())),
    behindMs: () => Math.max(0, clock.now() - witnessed()),
    async keep() {
      if (Number.isFinite(witnessedMs)) await keep();
    },
    async confirmWallClock() {
      setTo(clock.now());
      await keep();
    },
  };
}
