import { createLocalJWKSet, decodeJwt, type JSONWebKeySet, jwtVerify } from "jose";
import { type Actor, actorOf } from "#trust/access";
import { createOneUse } from "./one-use.ts";
import type { OauthParts } from "./parts.ts";

/**
 * The program that signed an assertion as it signs one for the token endpoint (RFC 7523 §3, as SMART backend services do): where there is no
 * HTTP request to come with a token. Made within the last minute, for our issuer, and good once. Undefined for what proves no program.
 */
export type ProgramOfAssertion = (assertion: string) => Promise<Actor | undefined>;

const assertionLengthMax = 8_192;
const algorithms = ["ES256", "ES384", "PS256", "PS384", "RS256", "RS384", "EdDSA", "Ed25519"];

export function createAssertionCheck(parts: Pick<OauthParts, "clients" | "clock" | "pageUrl">): ProgramOfAssertion {
  const { clients, clock, pageUrl } = parts;
  const once = createOneUse(clock);
  return async (assertion) => {
    if (assertion.length > assertionLengthMax) return undefined;
    try {
      const id = decodeJwt(assertion).iss ?? "";
      const proof = clients.get(id)?.proof;
      if (proof?.kind !== "keys") return undefined;
      const keys = createLocalJWKSet({ keys: proof.keys } as unknown as JSONWebKeySet);
      const { payload } = await jwtVerify(assertion, keys, {
        ...{ algorithms, issuer: id, subject: id, audience: `${pageUrl()}oauth` },
        ...{ requiredClaims: ["exp", "iat", "jti"], currentDate: new Date(clock.now()) },
      });
      if (!once.isRecent(payload.iat) || !once.take(id, payload.jti)) return undefined;
      return actorOf("client", id, { isLive: () => clients.get(id)?.proof === proof });
    } catch {
      return undefined;
    }
  };
}
