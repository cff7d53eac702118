import { createHmac, timingSafeEqual } from "node:crypto";
import type { Clock } from "#base/clock";
import type { Random } from "#base/id";

/**
 * Numbers used once, for a proof that must be made now and here. A challenge says by itself what for, for which browser and until when,
 * under a key of this process: nothing is kept for one that is never answered, so asking for many crowds nobody out.
 */
export interface Challenges {
  /** `boundTo`: a secret of the browser that asks, or of the link or session that it came with. */
  issue(purpose: string, boundTo: string): string;
  /** Whether it was issued for this, is not over and was not taken before. Takes it. */
  take(challenge: string, purpose: string, boundTo: string): boolean;
}

const lifetimeMs = 5 * 60_000;
const nonceBytes = 16;
const timeBytes = 6;
const tagBytes = 32;

export function createChallenges({ clock, random }: { clock: Clock; random: Random }): Challenges {
  const key = Buffer.from(random(new Uint8Array(32)));
  /** Until when each that was taken would have been good. */
  const taken = new Map<string, number>();
  const tagOf = (head: Buffer, purpose: string, boundTo: string) =>
    createHmac("sha256", key).update(head).update(`${purpose}\0${boundTo}`, "utf8").digest();
  const forgetOld = (now: number) => {
    for (const [nonce, endsAt] of taken) {
      if (endsAt > now) return;
      taken.delete(nonce);
    }
  };
  return {
    issue(purpose, boundTo) {
      const head = Buffer.alloc(nonceBytes + timeBytes);
      head.set(random(new Uint8Array(nonceBytes)));
      head.writeUIntBE(Math.floor(clock.monotonicMs() + lifetimeMs), nonceBytes, timeBytes);
      return Buffer.concat([head, tagOf(head, purpose, boundTo)]).toString("base64url");
    },
    take(challenge, purpose, boundTo) {
      const bytes = Buffer.from(challenge, "base64url");
      if (bytes.length !== nonceBytes + timeBytes + tagBytes) return false;
      const head = bytes.subarray(0, nonceBytes + timeBytes);
      if (!timingSafeEqual(bytes.subarray(head.length), tagOf(head, purpose, boundTo))) return false;
      const now = clock.monotonicMs();
      const endsAt = head.readUIntBE(nonceBytes, timeBytes);
      const nonce = head.toString("base64url", 0, nonceBytes);
      forgetOld(now);
      if (endsAt <= now || taken.has(nonce)) return false;
      taken.set(nonce, endsAt);
      return true;
    },
  };
}
