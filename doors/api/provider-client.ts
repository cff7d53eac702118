import * as client from "openid-client";
import type { Clock } from "#base/clock";
import { Problem } from "#base/problem";
import type { IdentityProvider, ProvidedClaims } from "#trust/access";

/** What one sign-in is bound to: all of it comes from a secret of the browser. */
export interface ProviderRound {
  readonly state: string;
  readonly nonce: string;
  /** PKCE (RFC 7636). */
  readonly verifier: string;
  readonly redirectUri: string;
}

/** Asks an identity provider (OpenID Connect Core): code flow with PKCE, state and nonce. */
export interface ProviderClient {
  /** Where the browser goes. Problem `unavailable` when the provider does not answer. */
  begin(provider: IdentityProvider, secret: string, round: ProviderRound): Promise<URL>;
  /** What the provider says of who came back. Problem `invalid` when the answer must not be believed. */
  finish(
    provider: IdentityProvider,
    secret: string,
    round: ProviderRound,
    query: URLSearchParams,
  ): Promise<ProvidedClaims>;
}

const answerSeconds = 5;
const remembersMs = 10 * 60_000;

export function createProviderClient(clock: Clock): ProviderClient {
  /** What each provider says about itself, asked for again after a while, and whenever its settings change. */
  const known = new Map<string, { readonly until: number; readonly configuration: Promise<client.Configuration> }>();

  const discover = ({ issuer, clientId }: IdentityProvider, secret: string): Promise<client.Configuration> =>
    client.discovery(
      new URL(issuer),
      clientId,
      undefined,
      secret === "" ? client.None() : client.ClientSecretBasic(secret),
      {
        timeout: answerSeconds,
        // Settings take such an issuer in tests alone.
        ...(issuer.startsWith("http:") && { execute: [client.allowInsecureRequests] }),
      },
    );
  const configurationOf = async (provider: IdentityProvider, secret: string): Promise<client.Configuration> => {
    const key = JSON.stringify([provider.id, provider.issuer, provider.clientId, secret]);
    const found = known.get(key);
    if (found !== undefined && found.until > clock.monotonicMs()) return found.configuration;
    const configuration = discover(provider, secret);
    known.set(key, { until: clock.monotonicMs() + remembersMs, configuration });
    if (known.size > 64) known.delete(known.keys().next().value ?? "");
    configuration.catch(() => known.delete(key));
    return configuration;
  };

  return {
    async begin(provider, secret, { state, nonce, verifier, redirectUri }) {
      const configuration = await configurationOf(provider, secret).catch((error) => throwUnavailable(provider, error));
      return client.buildAuthorizationUrl(configuration, {
        redirect_uri: redirectUri,
        scope: ["openid", ...provider.scopes].join(" "),
        ...{ state, nonce, code_challenge_method: "S256" },
        code_challenge: await client.calculatePKCECodeChallenge(verifier),
        ...(provider.strongAcr.length > 0 && { acr_values: provider.strongAcr.join(" ") }),
      });
    },
    async finish(provider, secret, { state, nonce, verifier, redirectUri }, query) {
      const configuration = await configurationOf(provider, secret).catch((error) => throwUnavailable(provider, error));
      const current = new URL(redirectUri);
      current.search = query.toString();
      const checks = { expectedState: state, expectedNonce: nonce, pkceCodeVerifier: verifier, idTokenExpected: true };
      const tokens = await client
        .authorizationCodeGrant(configuration, current, checks)
        .catch((error: unknown) => throwRefused(provider, error));
      const claims = tokens.claims();
      if (claims === undefined) throw notBelieved();
      const more = await moreClaims(configuration, tokens.access_token, claims.sub, provider.groupsClaim in claims);
      return claimsOf(provider, { ...more, ...claims });
    },
  };
}

/** Many providers tell groups only where they are asked for them. */
async function moreClaims(
  configuration: client.Configuration,
  accessToken: string,
  subject: string,
  hasAll: boolean,
): Promise<object> {
  if (hasAll || configuration.serverMetadata().userinfo_endpoint === undefined) return {};
  return client.fetchUserInfo(configuration, accessToken, subject).catch((error: unknown) => {
    throw notBelieved(error);
  });
}

function claimsOf(provider: IdentityProvider, claims: Readonly<Record<string, unknown>>): ProvidedClaims {
  const { iss, sub, preferred_username: preferred, email, acr } = claims;
  const called = [preferred, email].find((each) => typeof each === "string");
  return {
    issuer: typeof iss === "string" ? iss : "",
    subject: typeof sub === "string" ? sub : "",
    name: typeof called === "string" ? called.slice(0, 100) : "",
    groups: textsIn(claims[provider.groupsClaim]),
    ...(typeof acr === "string" && { acr }),
    amr: textsIn(claims.amr),
  };
}

function textsIn(claim: unknown): string[] {
  return [claim].flat().filter((each): each is string => typeof each === "string");
}

function throwUnavailable({ label }: IdentityProvider, cause: unknown): never {
  throw new Problem("unavailable", `${label} does not answer`, { remedy: "try again, or sign in another way", cause });
}

/** What the provider refused is the caller's; what did not come through is nobody's. */
function throwRefused(provider: IdentityProvider, error: unknown): never {
  const isUnanswered =
    (error instanceof Error && (error.name === "TimeoutError" || error.name === "AbortError")) ||
    (error instanceof client.ClientError && error.code === "OAUTH_TIMEOUT") ||
    (error instanceof TypeError && "cause" in error);
  if (isUnanswered) throwUnavailable(provider, error);
  throw notBelieved(error);
}

function notBelieved(cause?: unknown): Problem {
  return new Problem("invalid", "the identity provider's answer was not accepted", {
    remedy: "begin again",
    ...(cause !== undefined && { cause }),
  });
}
