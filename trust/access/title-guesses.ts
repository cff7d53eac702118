import type { Clock } from "#base/clock";

/** So many titles that are no machine's, from one address within an hour, are not a mistake in somebody's settings. */
const titlesMost = 20;
const countedForMs = 60 * 60_000;
const shutOutForMs = 15 * 60_000;
const addressesMost = 10_000;

/**
 * Who tries one AE title after the other from the address of a machine would find the machine's. A machine that is not known yet calls by
 * the same few titles again and again, and is only noted.
 */
export interface TitleGuesses {
  /** Whether nobody at that address is heard for the time being, by whatever title. */
  isShutOut(address: string): boolean;
  /** That title is no machine's there. True when it is the one that shuts the address out. */
  wrong(title: string, address: string): boolean;
}

interface Guessed {
  readonly titles: Set<string>;
  readonly sinceMs: number;
  shutOutUntilMs: number;
}

export function createTitleGuesses(clock: Clock): TitleGuesses {
  const byAddress = new Map<string, Guessed>();
  const begun = (address: string): Guessed => {
    const fresh = { titles: new Set<string>(), sinceMs: clock.monotonicMs(), shutOutUntilMs: 0 };
    byAddress.delete(address);
    byAddress.set(address, fresh);
    const oldest = byAddress.keys().next().value;
    if (byAddress.size > addressesMost && oldest !== undefined) byAddress.delete(oldest);
    return fresh;
  };
  return {
    isShutOut: (address) => (byAddress.get(address)?.shutOutUntilMs ?? 0) > clock.monotonicMs(),
    wrong(title, address) {
      const known = byAddress.get(address);
      const isOld = known === undefined || clock.monotonicMs() - known.sinceMs > countedForMs;
      const guessed = isOld ? begun(address) : known;
      guessed.titles.add(title);
      if (guessed.titles.size < titlesMost) return false;
      begun(address).shutOutUntilMs = clock.monotonicMs() + shutOutForMs;
      return true;
    },
  };
}
