import { createHash } from "node:crypto";
import type { FastifyRequest } from "fastify";
import { calculateJwkThumbprint, EmbeddedJWK, jwtVerify } from "jose";
import type { Clock } from "#base/clock";
import { createOneUse } from "./one-use.ts";

/** Checks the proofs that come with requests for our own resources (RFC 9449 §4.3, §7). */
export interface DpopCheck {
  /** Whether the request proves, here and now and once, that its sender holds the key with this thumbprint. */
  proves(request: FastifyRequest, token: string, thumbprint: string): Promise<boolean>;
}

const proofLengthMax = 4_096;
export const dpopAlgorithms = ["ES256", "EdDSA", "Ed25519"];

export function createDpopCheck({ clock, pageUrl }: { clock: Clock; pageUrl: () => string }): DpopCheck {
  const once = createOneUse(clock);
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
        return isThis && once.isRecent(payload.iat) && once.take(thumbprint, payload.jti);
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
