import { createHash } from "node:crypto";
import type { FastifyRequest } from "fastify";
import { calculateJwkThumbprint, EmbeddedJWK, jwtVerify } from "jose";
import type { Clock } from "#base/clock";

/** Checks the proofs that come with requests for our own resources (RFC 9449 §4.3, §7). */
export interface DpopCheck {
  /** Whether the request proves, here and now and once, that its sender holds the key with this thumbprint. */
  proves(request: FastifyRequest, token: string, thumbprint: string): Promise<boolean>;
}

/** What the sender's clock may be off, either way. */
const windowMs = 60_000;
const proofLengthMax = 4_096;
const jtiLengthMax = 256;
const rememberedMax = 500_000;
export const dpopAlgorithms = ["ES256", "EdDSA", "Ed25519"];

export function createDpopCheck({ clock, pageUrl }: { clock: Clock; pageUrl: () => string }): DpopCheck {
  const startedAt = clock.now();
  /** Until when each proof that was taken would have been good; in the order in which they came. */
  const taken = new Map<string, number>();
  const forget = (now: number) => {
    for (const [proof, endsAt] of taken) {
      if (endsAt > now) return;
      taken.delete(proof);
    }
  };
  /** Only what was made since this process knows what it has taken. */
  const isRecent = (iat: unknown): boolean => {
    const at = typeof iat === "number" ? iat * 1000 : Number.NaN;
    return Math.abs(clock.now() - at) <= windowMs && at >= Math.floor(startedAt / 1000) * 1000;
  };
  const takeOnce = (thumbprint: string, jti: unknown): boolean => {
    if (typeof jti !== "string" || jti === "" || jti.length > jtiLengthMax) return false;
    const now = clock.now();
    forget(now);
    const proof = createHash("sha256").update(`${thumbprint} ${jti}`).digest("base64url");
    if (taken.has(proof) || taken.size >= rememberedMax) return false;
    // Past both ends of the window, whatever the clocks say.
    taken.set(proof, now + 2 * windowMs);
    return true;
  };
  return {
    async proves(request, token, thumbprint) {
      const proof = request.headers.dpop;
      if (typeof proof !== "string" || proof.length > proofLengthMax) return false;
      try {
        const { payload, protectedHeader } = await jwtVerify(proof, EmbeddedJWK, {
          algorithms: dpopAlgorithms,
          typ: "dpop+jwt",
          currentDate: new Date(clock.now()),
        });
        const isThis =
          payload.htm === request.method &&
          isAddressOf(payload.htu, request, pageUrl()) &&
          payload.ath === createHash("sha256").update(token).digest("base64url") &&
          protectedHeader.jwk !== undefined &&
          (await calculateJwkThumbprint(protectedHeader.jwk)) === thumbprint;
        return isThis && isRecent(payload.iat) && takeOnce(thumbprint, payload.jti);
      } catch {
        return false;
      }
    },
  };
}

/** Without query and fragment, in one form (RFC 9449 §4.3). Our address is what we say it is, not what the request says. */
function isAddressOf(htu: unknown, request: FastifyRequest, pageUrl: string): boolean {
  const claimed = typeof htu === "string" ? URL.parse(htu) : null;
  const asked = URL.parse(request.url, pageUrl);
  if (claimed === null || asked === null) return false;
  return claimed.origin === new URL(pageUrl).origin && claimed.pathname === asked.pathname;
}
