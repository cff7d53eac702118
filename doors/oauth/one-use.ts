import { createHash } from "node:crypto";
import type { Clock } from "#base/clock";

/** Remembers signed statements until they would be too old anyway: each is good once. */
export interface OneUse {
  /** Whether it was made now, as far as clocks agree. */
  isRecent(iat: unknown): boolean;
  /** False for one that its holder showed before, and when there are too many to remember. */
  take(holder: string, jti: unknown): boolean;
}

/** What the sender's clock may be off, either way. */
const windowMs = 60_000;
const jtiLengthMax = 256;
const rememberedMax = 500_000;

export function createOneUse(clock: Clock): OneUse {
  const startedAt = clock.now();
  /** Until when each that was taken would have been good; in the order in which they came. */
  const taken = new Map<string, number>();
  const forget = (now: number) => {
    for (const [one, endsAt] of taken) {
      if (endsAt > now) return;
      taken.delete(one);
    }
  };
  return {
    // Only what was made since this process knows what it has taken.
    isRecent(iat) {
      const at = typeof iat === "number" ? iat * 1000 : Number.NaN;
      return Math.abs(clock.now() - at) <= windowMs && at >= Math.floor(startedAt / 1000) * 1000;
    },
    take(holder, jti) {
      if (typeof jti !== "string" || jti === "" || jti.length > jtiLengthMax) return false;
      const now = clock.now();
      forget(now);
      const one = createHash("sha256").update(`${holder} ${jti}`).digest("base64url");
      if (taken.has(one) || taken.size >= rememberedMax) return false;
      // Past both ends of the window, whatever the clocks say.
      taken.set(one, now + 2 * windowMs);
      return true;
    },
  };
}
