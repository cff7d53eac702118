import { type Configuration, errors, interactionPolicy, type KoaContextWithOIDC, Provider } from "oidc-provider";
import { asProblem, isProblem } from "#base/problem";
import { actorOf, anonymous, type Jwk, scopesOffered, scopesShown } from "#trust/access";
import { adapterOver } from "./adapter.ts";
import { escaped, plainPage } from "./pages.ts";
import { factsOfGrant, type OauthParts } from "./parts.ts";
import { peerCertificateOf } from "./peer-certificate.ts";
import { accessTokenSeconds, grantSeconds, oauthPaths } from "./terms.ts";

const minute = 60;
const day = 24 * 60 * minute;
const refreshTokenSeconds = 14 * day;
/** SMART App Launch 2.2 §2.5: an assertion is good for five minutes at most. */
const assertionSecondsMax = 5 * minute;

/** FAPI 2.0 Security Profile §5.4.1. */
const fapiAlgorithms = ["PS256", "ES256", "EdDSA", "Ed25519"];
const assertionAlgorithms = [...fapiAlgorithms, "ES384", "PS384", "RS384"];

/** Where the provider tells of what it refused (`<name>.error`). */
const refusing = [
  "authorization",
  "grant",
  "userinfo",
  "introspection",
  "revocation",
  "pushed_authorization_request",
  "device_authorization",
  "end_session",
  "end_session_confirm",
] as const;

/** What answers under one issuer. Everything that it remembers is in the records: another one of the same issuer goes on where it was. */
export function createProvider(parts: OauthParts, jwks: readonly Jwk[]): Provider {
  const { log } = parts;
  const provider = new Provider(`${parts.pageUrl()}oauth`, {
    ...configurationOf(parts),
    adapter: adapterOver(parts),
    jwks: { keys: jwks as never },
    clientBasedCORS: (_ctx, origin, client) =>
      (client.redirectUris ?? []).some((uri) => URL.parse(uri)?.origin === origin),
  });
  // Koa tells of what no route caught by this event, or on the console when nobody listens.
  (provider as NodeJS.EventEmitter).on("error", (error) => log.error("oauth: request failed", {}, error));
  provider.on("server_error", (_ctx, error) => log.error("oauth: request failed", {}, error));
  // The gate writes the refusal down; the answer is the provider's.
  const refused = () => void parts.gate.pass(anonymous, "token.issue", undefined, async () => {}).catch(() => {});
  for (const route of refusing) (provider as NodeJS.EventEmitter).on(`${route}.error`, refused);
  provider.use(addToAnswers(parts));
  return provider;
}

function configurationOf(parts: OauthParts): Configuration {
  return {
    ...people(parts),
    features: featuresOf(parts),
    routes: { ...oauthPaths },
    scopes: [...scopesOffered],
    claims: { openid: ["sub"], profile: ["name"], fhirUser: ["fhirUser"] },
    // Apps look for `fhirUser` in the ID token (SMART App Launch 2.2 §2.0.9).
    conformIdTokenClaims: false,
    responseTypes: ["code"],
    allowOmittingSingleRegisteredRedirectUri: false,
    pkce: { required: () => true },
    subjectTypes: ["public"],
    clientAuthMethods: ["none", "private_key_jwt", "self_signed_tls_client_auth"],
    enabledJWA: {
      clientAuthSigningAlgValues: assertionAlgorithms as never,
      idTokenSigningAlgValues: ["ES256"],
      dPoPSigningAlgValues: ["ES256", "EdDSA", "Ed25519"] as never,
    },
    extraParams: {
      launch: null,
      // A token must not be asked for by a page that shows another server's address (SMART App Launch 2.2 §2.0.8).
      aud: (_ctx, value) => {
        const bare = (address: string) => address.replace(/\/$/, "");
        const ours = ["", "fhir/R4", "dicom-web", "oauth"].map((path) => bare(`${parts.pageUrl()}${path}`));
        if (value !== undefined && !ours.includes(bare(value))) {
          throw new errors.InvalidRequest("aud is not an address of this server");
        }
      },
    },
    cookies: {
      names: {
        session: "__Secure-leadglass-oauth",
        interaction: "__Secure-leadglass-ask",
        resume: "__Secure-leadglass-go-on",
      },
      long: { httpOnly: true, sameSite: "lax", secure: true, path: "/oauth" },
      short: { httpOnly: true, sameSite: "lax", secure: true },
    },
    ttl: {
      AccessToken: accessTokenSeconds,
      ClientCredentials: accessTokenSeconds,
      AuthorizationCode: minute,
      DeviceCode: 10 * minute,
      IdToken: 10 * minute,
      Interaction: 15 * minute,
      Session: 12 * 60 * minute,
      Grant: grantSeconds,
      RefreshToken: refreshTokenSeconds,
    },
    rotateRefreshToken: true,
    issueRefreshToken: async (_ctx, client, source) =>
      client.grantTypeAllowed("refresh_token") &&
      (source.scopes.has("offline_access") || source.scopes.has("online_access")),
    // What ends with our session is told by the facts of the authorization.
    expiresWithSession: async () => false,
    assertJwtClientAuthClaimsAndHeader: (ctx, claims, header) => requireAssertion(parts, ctx, claims, header),
    extraTokenClaims: (ctx, token) => enter(parts, ctx, token as never),
    renderError: (ctx, out) => {
      ctx.type = "html";
      const said = [out.error, out.error_description].filter((text) => typeof text === "string").map(escaped);
      ctx.body = plainPage(
        "This cannot go on",
        `<p>The application asked in a way that is not accepted here.</p><p>${said.join(": ")}</p>`,
      );
    },
  };
}

/** Signing in and consent: our own session and pages, anew for every authorization. */
function people(parts: OauthParts): Configuration {
  const { records } = parts;
  const policy = interactionPolicy.base();
  const { Check } = interactionPolicy;
  policy
    .get("login")
    ?.checks.add(
      new Check("each_time", "who is there is asked each time", "login_required", (ctx) =>
        ctx.oidc.result?.login === undefined ? Check.REQUEST_PROMPT : Check.NO_NEED_TO_PROMPT,
      ),
    );
  return {
    interactions: { policy, url: (_ctx, { uid }) => `/consent/${uid}` },
    loadExistingGrant: async ({ oidc }) => {
      const id = oidc.result?.consent?.grantId;
      return typeof id === "string" ? oidc.provider.Grant.find(id) : undefined;
    },
    async findAccount(_ctx, id, token) {
      const account = await parts.account(id);
      const grantId = (token as { grantId?: string } | undefined)?.grantId;
      const facts = grantId === undefined ? undefined : factsOfGrant(records, grantId);
      const isOver = facts !== undefined && facts.sessionId !== "" && !parts.isSessionLive(facts.sessionId);
      if (account === undefined || isOver) return undefined;
      const fhirUser = `${parts.pageUrl()}fhir/R4/Practitioner/${id}`;
      return { accountId: id, claims: async () => ({ sub: id, name: account.name, fhirUser }) };
    },
  };
}

function featuresOf(parts: OauthParts): Configuration["features"] {
  const isOwn = (client: { clientId: string }, token: { clientId?: string | undefined }) =>
    token.clientId === client.clientId;
  return {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    // Its pages are ours: the provider's own are never reached.
    deviceFlow: { enabled: true, charset: "base-20", mask: "****-****", deviceInfo: () => ({}) },
    dPoP: { enabled: true },
    fapi: {
      enabled: true,
      profile: (_ctx, client) =>
        (client !== undefined && parts.clients.get(client.clientId)?.isFapi ? "2.0" : undefined) as "2.0",
    },
    introspection: { enabled: true, allowedPolicy: (_ctx, client, token) => isOwn(client, token) },
    revocation: { enabled: true, allowedPolicy: (_ctx, client, token) => isOwn(client, token) },
    mTLS: {
      enabled: true,
      certificateBoundAccessTokens: true,
      selfSignedTlsClientAuth: true,
      getCertificate: (ctx) => peerCertificateOf(ctx.req)?.toString(),
    },
    pushedAuthorizationRequests: { enabled: true },
    resourceIndicators: { enabled: false },
    userinfo: { enabled: true },
    rpInitiatedLogout: {
      enabled: true,
      logoutSource: (ctx, form) => {
        ctx.body = plainPage(
          "Sign out?",
          `<p>You are signed out of Leadglass and of the applications that you opened with it.</p>${form}
           <button autofocus type="submit" form="op.logoutForm" value="yes" name="logout">Sign out</button>
           <button type="submit" form="op.logoutForm">Stay signed in</button>`,
        );
      },
      postLogoutSuccessSource: (ctx) => {
        ctx.body = plainPage("You are signed out", "<p>You can close this page.</p>");
      },
    },
  };
}

/** Beyond what the provider checks itself: short, and under an algorithm of the profile. */
function requireAssertion(
  { clock, clients }: OauthParts,
  ctx: KoaContextWithOIDC,
  claims: Record<string, unknown>,
  header: Record<string, unknown>,
): void {
  const seconds = Number(claims.exp) - clock.now() / 1000;
  if (!(seconds <= assertionSecondsMax)) throw new errors.InvalidClientAuth("exp is too far away");
  if (!ctx.oidc.client || !clients.get(ctx.oidc.client.clientId)?.isFapi) return;
  if (!fapiAlgorithms.includes(String(header.alg))) throw new errors.InvalidClientAuth("alg is not one of the profile");
  if (claims.aud !== ctx.oidc.issuer) throw new errors.InvalidClientAuth("aud must be the issuer");
}

/** A token is given through the gate: to who holds a grant now, and logged or not given. */
async function enter(
  { gate }: OauthParts,
  { oidc }: KoaContextWithOIDC,
  token: { readonly accountId?: string; readonly clientId: string; readonly scope?: string },
): Promise<undefined> {
  if (token.scope === undefined || token.scope === "") throw new errors.InvalidScope("name at least one scope", "");
  const { accountId, clientId } = token;
  const actor = accountId === undefined ? actorOf("client", clientId) : actorOf("user", accountId);
  try {
    await gate.pass(actor, "token.issue", { kind: "client", id: clientId }, async () => {});
  } catch (error) {
    if (!isProblem(error, "denied")) throw asProblem(error, "giving a token");
    throw oidc.route === "token" ? new errors.InvalidGrant("nothing is granted to who asks") : error;
  }
}

/** What SMART App Launch adds to the answer with a token, and fewer scopes in discovery than every way to write them. */
function addToAnswers({ records }: OauthParts) {
  return async (ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> => {
    await next();
    const { oidc } = ctx as { oidc?: KoaContextWithOIDC["oidc"] };
    if (oidc === undefined || typeof ctx.body !== "object" || ctx.body === null) return;
    const body = ctx.body as Record<string, unknown>;
    if (oidc.route === "discovery") {
      body.scopes_supported = scopesShown;
      body.response_modes_supported = ["query"];
    }
    const { AccessToken: token } = oidc.entities;
    if (oidc.route !== "token" || body.access_token === undefined || token?.grantId === undefined) return;
    const facts = factsOfGrant(records, token.grantId);
    if (facts === undefined) return;
    if (facts.patient !== "") Object.assign(body, { patient: facts.patient, need_patient_banner: true });
    if (facts.study !== "") body.fhirContext = [{ reference: `ImagingStudy/${facts.study}` }];
  };
}
