import type { FastifyRequest } from "fastify";
import { type Actor, actorOf, actsOfScopes, anonymous, type OauthRecord, type Place } from "#trust/access";
import { createDpopCheck, dpopAlgorithms } from "./dpop.ts";
import { factsOfGrant, type OauthParts } from "./parts.ts";
import { peerCertificateOf, thumbprintOf } from "./peer-certificate.ts";

/** Who a request with a token comes from: nobody when it is not good, with what to say to that (RFC 6750 §3, RFC 9449 §7.1). */
export interface TokenCaller {
  readonly actor: Actor;
  readonly challenge?: string;
}

/** Undefined for a request without a token of the provider. */
export type TokenActorOf = (request: FastifyRequest) => Promise<TokenCaller | undefined>;

/** What the provider keeps of a token. */
interface TokenContent {
  readonly clientId: string;
  readonly accountId?: string;
  readonly grantId?: string;
  readonly scope?: string;
  readonly jkt?: string;
  readonly "x5t#S256"?: string;
}

const kinds = ["AccessToken", "ClientCredentials"] as const;
const refusal = (scheme: "Bearer" | "DPoP", error: string): TokenCaller => ({
  actor: anonymous,
  challenge:
    scheme === "Bearer" ? `Bearer error="${error}"` : `DPoP error="${error}", algs="${dpopAlgorithms.join(" ")}"`,
});

/** Tokens are opaque and looked up in memory: whatever ends one (time, revocation, its session, its client) ends it for the next request. */
export function createTokenActors(parts: OauthParts): TokenActorOf {
  const { records, clients } = parts;
  const dpop = createDpopCheck(parts);
  const actors = new WeakMap<OauthRecord, Actor>();

  /** Whether what the token came out of still holds. */
  const holds = ({ clientId, grantId }: TokenContent): boolean => {
    if (clients.get(clientId) === undefined) return false;
    if (grantId === undefined) return true;
    const facts = factsOfGrant(records, grantId);
    if (facts === undefined || records.find("Grant", grantId) === undefined) return false;
    return facts.sessionId === "" || parts.isSessionLive(facts.sessionId);
  };
  const find = (token: string) => {
    for (const kind of kinds) {
      const record = records.find(kind, token);
      if (record !== undefined) return { kind, record };
    }
    return undefined;
  };
  const actorFor = (kind: string, token: string, record: OauthRecord): Actor => {
    const known = actors.get(record);
    if (known !== undefined) return known;
    const content = record.content as unknown as TokenContent;
    const scopes = content.scope?.split(" ") ?? [];
    const { accountId, clientId, grantId } = content;
    const facts = grantId === undefined ? undefined : factsOfGrant(records, grantId);
    const places: Place[] = [];
    if (facts !== undefined && facts.study !== "") places.push({ kind: "study", id: facts.study });
    else if (facts !== undefined && facts.patient !== "") places.push({ kind: "patient", id: facts.patient });
    const acts = actsOfScopes(scopes, accountId === undefined ? "program" : "person", places.length > 0);
    const isLive = () => records.find(kind, token) !== undefined && holds(content);
    const more = { scope: { acts, places }, isLive };
    const actor = accountId === undefined ? actorOf("client", clientId, more) : actorOf("user", accountId, more);
    actors.set(record, actor);
    return actor;
  };

  return async (request) => {
    const [, named = "", token = ""] =
      /^(Bearer|DPoP) ([\x21-\x7e]{1,512})$/i.exec(request.headers.authorization ?? "") ?? [];
    // The provider looks at those that it is shown itself; tokens of `leadglass token` are another's.
    if (token === "" || request.url.startsWith("/oauth/")) return undefined;
    const scheme = named.toLowerCase() === "dpop" ? "DPoP" : "Bearer";
    const found = find(token);
    if (found === undefined && token.startsWith("lgt_")) return undefined;
    const content = found?.record.content as TokenContent | undefined;
    if (found === undefined || content === undefined || !holds(content)) return refusal(scheme, "invalid_token");
    const { jkt, "x5t#S256": x5t } = content;
    if ((jkt === undefined) !== (scheme === "Bearer"))
      return refusal(jkt === undefined ? "Bearer" : "DPoP", "invalid_token");
    if (jkt !== undefined && !(await dpop.proves(request, token, jkt))) return refusal("DPoP", "invalid_dpop_proof");
    const certificate = x5t === undefined ? undefined : peerCertificateOf(request.raw);
    const isHeld = x5t === undefined || (certificate !== undefined && thumbprintOf(certificate) === x5t);
    return isHeld ? { actor: actorFor(found.kind, token, found.record) } : refusal("Bearer", "invalid_token");
  };
}
