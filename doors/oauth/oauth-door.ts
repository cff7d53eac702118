import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { KoaContextWithOIDC, Provider } from "oidc-provider";
import { createAttempts, scopesShown } from "#trust/access";
import { endAllFor, forget } from "./asking.ts";
import { registerClients } from "./clients.ts";
import { registerConsent } from "./consent.ts";
import { registerLaunches } from "./launches.ts";
import { oauthPolicy } from "./pages.ts";
import type { OauthCallers, OauthParts } from "./parts.ts";
import { oauthPaths } from "./terms.ts";
import { createTokenActors, type TokenActorOf } from "./tokens.ts";

/** Leadglass as an OAuth 2.1 and OpenID provider. */
export interface Oauth {
  readonly tokenActorOf: TokenActorOf;
  /** Whether a page of this origin may call with tokens: one that a client is sent back to. */
  readonly isClientOrigin: (origin: string) => boolean;
  /** `/oauth`, what our pages need for it, `/api/clients` and `/api/launches`. */
  readonly door: (callers: OauthCallers) => (server: FastifyInstance) => Promise<void>;
}

/** Nothing is asked of `pageUrl` before the first request: it may not be known yet. */
export function createOauth(parts: OauthParts): Oauth {
  const { clients, grants, keys } = parts;
  let running: Promise<Provider> | undefined;
  // The library takes longer to load than all the rest: who has no programs never loads it.
  const start = async () => {
    const { createProvider } = await import("./provider.ts");
    return createProvider(parts, await keys.current());
  };
  const provider = () => {
    running ??= start().catch((error) => {
      running = undefined;
      throw error;
    });
    return running;
  };
  clients.watchRemoved((id) => forget(parts, id));
  const endFor = (accountId: string) =>
    endAllFor(parts, accountId).catch((error) => parts.log.error("oauth: ending tokens", {}, error));
  parts.recovery.watch(endFor);
  // Who leaves is let in by nothing from the moment their last grant ended; what acted for them goes too, and does not come back with a grant.
  grants.watchEnded((holder) => {
    if (!holder.startsWith("user:") || grants.liveOf(holder).length > 0) return;
    endFor(holder.slice("user:".length));
  });
  const rotateKeys = async () => {
    await keys.rotate();
    running = undefined;
  };
  return {
    tokenActorOf: createTokenActors(parts),
    isClientOrigin: (origin) =>
      clients.list().some(({ redirectUris }) => redirectUris.some((uri) => URL.parse(uri)?.origin === origin)),
    door: (callers) => async (server) => {
      const attempts = createAttempts(parts.clock);
      registerConsent(server, { ...parts, ...callers, provider, attempts });
      registerLaunches(server, parts, callers);
      registerClients(server, { ...parts, ...callers, rotateKeys });
      registerDiscovery(server, parts, provider);
      await server.register(async (scope) => registerProvider(scope, parts, callers, provider), { prefix: "/oauth" });
    },
  };
}

/** Called by programs, and by pages of clients: no route here does anything by the session of this site alone. */
const anonymous = { config: { anonymous: true, foreign: true } };

/** The provider's own routes, each by name: what is not among them is no route of ours. */
function registerProvider(
  scope: FastifyInstance,
  parts: OauthParts,
  callers: OauthCallers,
  provider: () => Promise<Provider>,
): void {
  const leaving = new WeakMap<object, string>();
  const listening = new WeakSet<Provider>();
  // The provider reads bodies itself.
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser("*", (_request, _body, done) => done(null));
  const hand = async (request: FastifyRequest, reply: FastifyReply) => {
    const behind = await provider();
    if (!listening.has(behind)) {
      listening.add(behind);
      behind.on("end_session.success", ({ req }: KoaContextWithOIDC) => {
        const id = leaving.get(req);
        if (id !== undefined) callers.endSession(id).catch((error) => parts.log.error("oauth: sign-out", {}, error));
      });
    }
    const session = callers.sessionOf(request);
    if (session !== undefined) leaving.set(request.raw, session.digest);
    pass(behind, request, reply, parts.pageUrl());
  };
  const { authorization, code_verification: _page, end_session, device_authorization, ...paths } = oauthPaths;
  scope.get(authorization, anonymous, hand);
  scope.get(`${authorization}/:uid`, anonymous, hand);
  scope.get(end_session, anonymous, hand);
  scope.post(`${end_session}/confirm`, anonymous, hand);
  scope.get(`${end_session}/success`, anonymous, hand);
  scope.get(paths.jwks, anonymous, hand);
  scope.get(paths.userinfo, anonymous, hand);
  scope.get("/.well-known/openid-configuration", anonymous, hand);
  const posted = [
    paths.token,
    paths.userinfo,
    paths.introspection,
    paths.revocation,
    paths.pushed_authorization_request,
  ];
  for (const path of [...posted, device_authorization]) scope.post(path, anonymous, hand);
  for (const path of [...posted, paths.jwks]) scope.options(path, anonymous, hand);
}

/** What the host is, is what we say: proofs and assertions are made for an address, and anybody can send another host. */
function pass(provider: Provider, { raw }: FastifyRequest, reply: FastifyReply, pageUrl: string): void {
  reply.hijack();
  for (const [name, value] of Object.entries(reply.getHeaders()))
    if (value !== undefined) reply.raw.setHeader(name, value);
  reply.raw.setHeader("content-security-policy", oauthPolicy);
  raw.headers.host = new URL(pageUrl).host;
  Object.assign(raw, { originalUrl: raw.url, url: (raw.url ?? "").slice("/oauth".length) });
  provider.callback()(raw, reply.raw);
}

/** What apps read before they ask (SMART App Launch 2.2 §3.1.2, RFC 8414 §3). */
function registerDiscovery(server: FastifyInstance, parts: OauthParts, provider: () => Promise<Provider>): void {
  const smart = async (_request: FastifyRequest, reply: FastifyReply) => {
    reply.headers({ "access-control-allow-origin": "*", "cross-origin-resource-policy": "cross-origin" });
    return smartConfiguration(`${parts.pageUrl()}oauth`);
  };
  server.get("/oauth/.well-known/smart-configuration", anonymous, smart);
  server.get("/fhir/R4/.well-known/smart-configuration", anonymous, smart);
  server.get("/.well-known/oauth-authorization-server/oauth", anonymous, async (request, reply) => {
    Object.assign(request.raw, { url: "/oauth/.well-known/openid-configuration" });
    pass(await provider(), request, reply, parts.pageUrl());
  });
}

function smartConfiguration(issuer: string): object {
  return {
    issuer,
    jwks_uri: `${issuer}${oauthPaths.jwks}`,
    authorization_endpoint: `${issuer}${oauthPaths.authorization}`,
    token_endpoint: `${issuer}${oauthPaths.token}`,
    introspection_endpoint: `${issuer}${oauthPaths.introspection}`,
    revocation_endpoint: `${issuer}${oauthPaths.revocation}`,
    grant_types_supported: ["authorization_code", "client_credentials", "refresh_token"],
    token_endpoint_auth_methods_supported: ["none", "private_key_jwt", "self_signed_tls_client_auth"],
    token_endpoint_auth_signing_alg_values_supported: ["RS384", "ES384", "ES256", "PS256"],
    scopes_supported: scopesShown,
    response_types_supported: ["code"],
    code_challenge_methods_supported: ["S256"],
    capabilities: [
      ...["launch-ehr", "launch-standalone", "client-public", "client-confidential-asymmetric"],
      ...["sso-openid-connect", "context-banner", "context-ehr-patient", "context-standalone-patient"],
      ...[
        "permission-offline",
        "permission-online",
        "permission-patient",
        "permission-user",
        "permission-v1",
        "permission-v2",
      ],
    ],
  };
}
