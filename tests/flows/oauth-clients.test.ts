import assert from "node:assert/strict";
import { createPublicKey } from "node:crypto";
import { after, before, test } from "node:test";
import * as oauth from "oauth4webapi";
import * as oidc from "openid-client";
import { operator } from "#trust/access";
import { newPkce, openPlainBrowser, send } from "../house/oauth-browser.ts";
import { clientKeys, type OauthHouse, patientToken, startOauthHouse, studyToken } from "../house/oauth-house.ts";
import { selfSigned } from "../house/oauth-proofs.ts";
import { fetchTrusting } from "../house/trusting-fetch.ts";

/*
 * The provider as client libraries that know nothing of us use it: openid-client and oauth4webapi.
 */
const redirect = "https://viewer.example/callback";
const service = { role: "service", place: { kind: "tenant" }, purpose: "operations", endsAt: 0 } as const;
let house: OauthHouse;
let ada: Awaited<ReturnType<OauthHouse["person"]>>;

before(async () => {
  house = await startOauthHouse();
  ada = await house.person("ada");
});
after(() => house?.remove());

const overTls = (url: string, init: object) => {
  const { body, ...more } = init as RequestInit;
  return fetchTrusting(url, { ...more, ...(body != null && { body: String(body) }) }, house.caFile);
};
const discover = (id: string, authentication?: oidc.ClientAuth) =>
  oidc.discovery(new URL(house.issuer()), id, undefined, authentication ?? oidc.None(), {
    [oidc.customFetch]: overTls,
  });
const view = (token: string) => send(house, "/who/study.view", { headers: { authorization: `Bearer ${token}` } });
const pathOf = (url: URL) => url.pathname + url.search;
const keyOf = async (keys: ReturnType<typeof clientKeys>) =>
  (await crypto.subtle.importKey(
    "jwk",
    keys.privateKey.export({ format: "jwk" }),
    { name: "ECDSA", namedCurve: "P-256" },
    true,
    ["sign"],
  )) as CryptoKey;

async function authorize(
  config: oidc.Configuration,
  scope: string,
  more: Record<string, string> = {},
  decision?: object,
) {
  const { verifier, challenge } = newPkce();
  const state = oidc.randomState();
  const nonce = oidc.randomNonce();
  const asked = oidc.buildAuthorizationUrl(config, {
    ...{ redirect_uri: redirect, scope, state, nonce, code_challenge: challenge, code_challenge_method: "S256" },
    ...more,
  });
  const back = await openPlainBrowser(house, ada.secret).allow(pathOf(asked), decision);
  const checks = { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce };
  return oidc.authorizationCodeGrant(config, back, checks);
}

test("openid-client signs a person in: ID token, userinfo, revocation, introspection of nobody else's", async () => {
  const client = await house.add("viewer");
  const config = await discover(client.id);
  const tokens = await authorize(config, "openid profile fhirUser user/ImagingStudy.rs");
  const claims = tokens.claims();
  assert.equal(claims?.sub, ada.id);
  assert.equal(claims?.fhirUser, `${house.pageUrl()}fhir/R4/Practitioner/${ada.id}`);
  assert.equal((await oidc.fetchUserInfo(config, tokens.access_token, ada.id)).name, "ada");
  assert.equal((await view(tokens.access_token)).status, 200);
  await oidc.tokenRevocation(config, tokens.access_token);
  assert.equal((await view(tokens.access_token)).status, 401);
});

test("a token renewed again and again goes on without the browser, until what it came from is taken back", async () => {
  const client = await house.add("phone");
  const config = await discover(client.id);
  const asked = { prompt: "consent" };
  let tokens = await authorize(config, "openid offline_access user/ImagingStudy.rs", asked);
  await house.sessions.end(ada.session.digest);
  ada = { ...ada, ...(await house.sessions.begin(`user:${ada.id}`, { userAgent: "", address: "" })) };
  for (let time = 0; time < 3; time++) {
    assert.equal((await view(tokens.access_token)).status, 200);
    tokens = await oidc.refreshTokenGrant(config, tokens.refresh_token ?? "");
  }
  const own = openPlainBrowser(house, ada.secret);
  const apps = JSON.parse((await own.go("/api/apps")).text) as { id: string; permissions: string[] }[];
  assert.deepEqual(apps.find(({ id }) => id === client.id)?.permissions, [
    "know-you",
    "search",
    "view",
    "read",
    "stay",
  ]);
  assert.equal((await own.go(`/api/apps/${client.id}`, { method: "DELETE" })).status, 204);
  assert.equal((await view(tokens.access_token)).status, 401);
  await assert.rejects(oidc.refreshTokenGrant(config, tokens.refresh_token ?? ""));
});

test("what the same person allowed before is not asked again; more is", async () => {
  const client = await house.add("asked-once");
  const config = await discover(client.id);
  const ask = async (scope: string) => {
    const url = oidc.buildAuthorizationUrl(config, {
      redirect_uri: redirect,
      scope,
      code_challenge: newPkce().challenge,
      code_challenge_method: "S256",
    });
    const own = openPlainBrowser(house, ada.secret);
    const { headers } = await own.go(pathOf(url));
    return (await own.go(`${headers.location}/request`)).json;
  };
  const scope = "openid user/ImagingStudy.rs";
  assert.deepEqual(await ask(scope), {
    ...{ client: "asked-once", isFirstParty: false, permissions: ["know-you", "search", "view", "read"] },
    ...{ needsPatient: false, isSettled: false, goesTo: "https://viewer.example", lastsSeconds: 30 * 86_400 },
  });
  await authorize(config, scope);
  assert.equal((await ask(scope)).isSettled, true);
  assert.equal((await ask(`${scope} dicomweb.write`)).isSettled, false);
  const ours = await house.add("ours", { isFirstParty: true });
  const config2 = await discover(ours.id);
  const url = oidc.buildAuthorizationUrl(config2, {
    redirect_uri: redirect,
    scope,
    code_challenge: newPkce().challenge,
    code_challenge_method: "S256",
  });
  const own = openPlainBrowser(house, ada.secret);
  const { headers } = await own.go(pathOf(url));
  assert.equal((await own.go(`${headers.location}/request`)).json.isSettled, true);
});

test("a patient app is told its patient and reaches nobody else", async () => {
  const client = await house.add("patient-app");
  const config = await discover(client.id);
  const tokens = await authorize(
    config,
    "openid launch/patient patient/ImagingStudy.rs",
    {},
    { allow: true, study: studyToken },
  );
  assert.equal(tokens.patient, patientToken);
  assert.deepEqual((await view(tokens.access_token)).json.reach, [[{ kind: "patient", id: patientToken }]]);
  const none = await authorize(config, "openid launch/patient patient/ImagingStudy.rs");
  assert.equal((await view(none.access_token)).status, 404, "without a patient there is nothing to see");
});

test("a token ends with the session, the grant, the client: open streams too, at once", async () => {
  const eve = await house.person("eve");
  const from = async (name: string) => {
    const client = await house.add(name);
    const config = await discover(client.id);
    const before = ada;
    ada = eve;
    const { access_token: token } = await authorize(config, "openid user/ImagingStudy.rs");
    ada = before;
    const stream = await send(house, "/stream", { headers: { authorization: `Bearer ${token}` } });
    const actor = house.streams[Number(stream.json.at)];
    assert.equal(actor?.isLive?.(), true);
    return { client, token, isLive: () => actor?.isLive?.() };
  };
  const removed = await from("removed-client");
  await house.clients.remove(removed.client.id, operator);
  assert.equal(removed.isLive(), false);
  assert.equal((await view(removed.token)).status, 401);
  const ended = await from("ended-session");
  const other = await from("other-session");
  await house.sessions.end(eve.session.digest);
  for (const each of [ended, other]) {
    assert.equal(each.isLive(), false);
    assert.equal((await view(each.token)).status, 401);
  }
});

test("who leaves and comes back finds nothing that acts for them", async () => {
  const zoe = await house.person("zoe");
  const client = await house.add("goes-on");
  const config = await discover(client.id);
  const before = ada;
  ada = zoe;
  const scope = "openid offline_access user/ImagingStudy.rs";
  const tokens = await authorize(config, scope, { prompt: "consent" });
  ada = before;
  await house.grants.endAllOf(`user:${zoe.id}`, operator);
  await house.grants.give(`user:${zoe.id}`, { ...service, role: "radiologist" }, operator);
  assert.equal((await view(tokens.access_token)).status, 401);
  await assert.rejects(oidc.refreshTokenGrant(config, tokens.refresh_token ?? ""));
});

test("who is given new ways in has nothing left that acts for whoever had the old ones", async () => {
  const yves = await house.person("yves");
  const config = await discover((await house.add("had-by-another")).id);
  const before = ada;
  ada = yves;
  const tokens = await authorize(config, "openid offline_access user/ImagingStudy.rs", { prompt: "consent" });
  ada = before;
  assert.equal((await view(tokens.access_token)).status, 200);
  await house.recovery.begin(yves.id, "the phone was stolen", operator);
  assert.equal((await view(tokens.access_token)).status, 401);
  await assert.rejects(oidc.refreshTokenGrant(config, tokens.refresh_token ?? ""));
});

test("a token never allows more than the grants of its holder at this moment", async () => {
  const desk = await house.person("desk", "front-desk");
  const client = await house.add("desk-app");
  const config = await discover(client.id);
  const before = ada;
  ada = desk;
  const { access_token: token } = await authorize(config, "openid user/*.cruds");
  ada = before;
  assert.equal((await view(token)).status, 404, "front desk opens no images, whatever it asks for");
  const search = () => send(house, "/who/study.search", { headers: { authorization: `Bearer ${token}` } });
  assert.equal((await search()).status, 200);
  await house.grants.endAllOf(`user:${desk.id}`, operator);
  assert.ok((await search()).status >= 400);
});

test("a machine with keys gets its own token, without a scope none, and with DPoP one that is bound", async () => {
  const keys = clientKeys();
  const proof = { kind: "keys", keys: [keys.jwk] } as const;
  const client = await house.add("machine", { proof, redirectUris: [], grants: [service] });
  const config = await discover(client.id, oidc.PrivateKeyJwt({ key: await keyOf(keys), kid: "one" }));
  const tokens = await oidc.clientCredentialsGrant(config, { scope: "system/ImagingStudy.rs" });
  assert.equal((await view(tokens.access_token)).json.actor, `client:${client.id}`);
  assert.equal((await oidc.tokenIntrospection(config, tokens.access_token)).active, true);
  await assert.rejects(oidc.clientCredentialsGrant(config, {}));
  const handle = oidc.getDPoPHandle(config, await oidc.randomDPoPKeyPair("ES256"));
  const bound = await oidc.clientCredentialsGrant(config, { scope: "dicomweb.read" }, { DPoP: handle });
  assert.equal(bound.token_type, "dpop");
  const url = new URL(`${house.pageUrl()}who/study.view`);
  const answer = await oidc.fetchProtectedResource(config, bound.access_token, url, "GET", null, undefined, {
    DPoP: handle,
  });
  assert.equal(answer.status, 200);
  await house.grants.endAllOf(`client:${client.id}`, operator);
  await assert.rejects(oidc.clientCredentialsGrant(config, { scope: "system/ImagingStudy.rs" }));
});

test("FAPI 2.0: pushed request, private key, bound token, as openid-client does it", async () => {
  const keys = clientKeys();
  const proof = { kind: "keys", keys: [keys.jwk] } as const;
  const client = await house.add("fapi", { proof, isFapi: true });
  const config = await discover(client.id, oidc.PrivateKeyJwt({ key: await keyOf(keys), kid: "one" }));
  const handle = oidc.getDPoPHandle(config, await oidc.randomDPoPKeyPair("ES256"));
  const { verifier, challenge } = newPkce();
  const asked = await oidc.buildAuthorizationUrlWithPAR(
    config,
    {
      redirect_uri: redirect,
      scope: "openid user/ImagingStudy.rs",
      code_challenge: challenge,
      code_challenge_method: "S256",
      state: "s",
    },
    { DPoP: handle },
  );
  assert.deepEqual([...asked.searchParams.keys()].sort(), ["client_id", "request_uri"]);
  const back = await openPlainBrowser(house, ada.secret).allow(pathOf(asked));
  const checks = { pkceCodeVerifier: verifier, expectedState: "s", idTokenExpected: true };
  const tokens = await oidc.authorizationCodeGrant(config, back, checks, undefined, { DPoP: handle });
  assert.equal(tokens.token_type, "dpop");
  assert.ok(
    (await openPlainBrowser(house, ada.secret).go(pathOf(asked))).status >= 400,
    "a pushed request is used once",
  );
});

test("a machine with a certificate, as oauth4webapi discovers it", async () => {
  const certificate = await selfSigned("machine");
  const proof = { kind: "certificate", certificate: certificate.cert } as const;
  const client = await house.add("tls", { proof, redirectUris: [], grants: [service] });
  const found = await oauth.discoveryRequest(new URL(house.issuer()), { [oauth.customFetch]: overTls });
  const server = await oauth.processDiscoveryResponse(new URL(house.issuer()), found);
  assert.ok(server.token_endpoint_auth_methods_supported?.includes("self_signed_tls_client_auth"));
  const form = { grant_type: "client_credentials", client_id: client.id, scope: "system/ImagingStudy.rs" };
  const issued = await send(house, new URL(server.token_endpoint ?? "").pathname, { form, certificate });
  assert.equal(issued.status, 200, issued.text);
});

test("a box without a browser is let in by a person who types its code", async () => {
  const client = await house.add("edge", { redirectUris: [], byCode: true });
  const config = await discover(client.id);
  const asked = await oidc.initiateDeviceAuthorization(config, { scope: "offline_access dicomweb.write" });
  assert.match(asked.user_code, /^[A-Z]{4}-[A-Z]{4}$/);
  assert.equal(asked.verification_uri, `${house.issuer()}/device`);
  const own = openPlainBrowser(house, ada.secret);
  const wrong = await own.go("/api/app-codes", { json: { code: "AAAA-AAAA" } });
  assert.equal(wrong.status, 404);
  const shown = await own.go("/api/app-codes", { json: { code: asked.user_code.toLowerCase() } });
  assert.deepEqual([shown.json.client, shown.json.permissions], ["edge", ["store", "stay"]]);
  const decided = await own.go("/api/app-codes/decision", { json: { code: asked.user_code, allow: true } });
  assert.equal(decided.status, 204, decided.text);
  const tokens = await oidc.pollDeviceAuthorizationGrant(config, { ...asked, interval: 0.01 });
  const stored = await send(house, "/who/instance.store", {
    headers: { authorization: `Bearer ${tokens.access_token}` },
  });
  assert.deepEqual([stored.status, stored.json.actor], [200, `user:${ada.id}`]);
  assert.ok(tokens.refresh_token);
  assert.equal(
    (await own.go("/api/app-codes", { json: { code: asked.user_code } })).status,
    404,
    "a code is used once",
  );
  const refused = await oidc.initiateDeviceAuthorization(config, { scope: "dicomweb.write" });
  await own.go("/api/app-codes/decision", { json: { code: refused.user_code, allow: false } });
  await assert.rejects(oidc.pollDeviceAuthorizationGrant(config, { ...refused, interval: 0.01 }));
});

test("keys change, and what the former signed still verifies", async () => {
  const client = await house.add("keys-change");
  const config = await discover(client.id);
  const before = await authorize(config, "openid user/ImagingStudy.rs");
  const keysOf = async () => (await send(house, "/oauth/jwks")).json.keys as { kid: string }[];
  const former = await keysOf();
  const administrator = openPlainBrowser(house, (await house.person("root", "administrator")).secret);
  const rotated = await administrator.go("/api/clients/keys", { method: "POST" });
  assert.equal(rotated.status, 204);
  const now = await keysOf();
  assert.equal(now.length, former.length + 1);
  assert.ok(former.every(({ kid }) => now.some((key) => key.kid === kid)));
  for (const key of now) createPublicKey({ key: key as never, format: "jwk" });
  assert.equal((await view(before.access_token)).status, 200);
  const after = await authorize(await discover(client.id), "openid user/ImagingStudy.rs");
  const kidOf = (token = "") => JSON.parse(Buffer.from(token.split(".")[0] ?? "", "base64url").toString()).kid;
  assert.notEqual(kidOf(after.id_token), kidOf(before.id_token));
});

test("signing out at a client ends the browser's session and its tokens, and leads back to the client", async () => {
  const max = await house.person("max");
  const client = await house.add("leaves");
  const config = await discover(client.id);
  const own = openPlainBrowser(house, max.secret);
  const { verifier, challenge } = newPkce();
  const asked = oidc.buildAuthorizationUrl(config, {
    redirect_uri: redirect,
    scope: "openid user/ImagingStudy.rs",
    code_challenge: challenge,
    code_challenge_method: "S256",
  });
  const tokens = await oidc.authorizationCodeGrant(config, await own.allow(pathOf(asked)), {
    pkceCodeVerifier: verifier,
    idTokenExpected: true,
  });
  const leave = oidc.buildEndSessionUrl(config, {
    id_token_hint: tokens.id_token ?? "",
    post_logout_redirect_uri: redirect,
    state: "bye",
  });
  const page = await own.go(pathOf(leave));
  assert.match(page.text, /Sign out\?/);
  assert.match(String(page.headers["content-security-policy"]), /default-src 'none'/);
  const xsrf = /name="xsrf" value="([^"]+)"/.exec(page.text)?.[1] ?? "";
  const gone = await own.go("/oauth/session/end/confirm", { form: { xsrf, logout: "yes" } });
  assert.equal(gone.headers.location, `${redirect}?state=bye`);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(house.sessions.of(max.secret), undefined);
  assert.equal((await view(tokens.access_token)).status, 401);
});

test("what an app reads first says what there is", async () => {
  for (const path of ["/oauth/.well-known/smart-configuration", "/fhir/R4/.well-known/smart-configuration"]) {
    const { json, headers } = await send(house, path, { headers: { origin: "https://anywhere.example" } });
    assert.equal(json.token_endpoint, `${house.issuer()}/token`);
    assert.deepEqual(json.code_challenge_methods_supported, ["S256"]);
    assert.equal(headers["access-control-allow-origin"], "*");
  }
  const { json } = await send(house, "/.well-known/oauth-authorization-server/oauth");
  assert.equal(json.issuer, house.issuer());
  assert.ok((json.scopes_supported as string[]).length < 40);
  assert.equal(json.registration_endpoint, undefined);
});
