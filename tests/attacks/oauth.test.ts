import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { OauthClient } from "#trust/access";
import { authorizationPath, newPkce, openPlainBrowser, send } from "../house/oauth-browser.ts";
import { clientKeys, type OauthHouse, patientToken, startOauthHouse } from "../house/oauth-house.ts";
import { assertionOf, clientAssertionType } from "../house/oauth-proofs.ts";

const redirect = "https://viewer.example/callback";
let house: OauthHouse;
let ada: Awaited<ReturnType<OauthHouse["person"]>>;
let client: OauthClient;
let other: OauthClient;

before(async () => {
  house = await startOauthHouse();
  ada = await house.person("ada");
  client = await house.add("viewer");
  other = await house.add("other", { redirectUris: ["https://other.example/callback"] });
});
after(() => house?.remove());

const browser = (secret = ada.secret) => openPlainBrowser(house, secret);
const exchange = (code: string, verifier: string | undefined, changes: Record<string, string> = {}) =>
  send(house, "/oauth/token", {
    form: {
      ...{ grant_type: "authorization_code", client_id: client.id, code, redirect_uri: redirect },
      ...(verifier !== undefined && { code_verifier: verifier }),
      ...changes,
    },
  });
const refresh = (token: unknown, clientId = client.id) =>
  send(house, "/oauth/token", {
    form: { grant_type: "refresh_token", client_id: clientId, refresh_token: String(token) },
  });
const view = (token: unknown) => send(house, "/who/study.view", { headers: { authorization: `Bearer ${token}` } });
const offline = { scope: "openid offline_access user/ImagingStudy.rs", prompt: "consent" };
/** A code that ada's consent gave. */
const codeFor = async (changes: Record<string, string> = {}) => {
  const { verifier, challenge } = newPkce();
  const back = await browser().allow(authorizationPath(client.id, challenge, changes));
  return { verifier, code: back.searchParams.get("code") ?? "" };
};
const tokensFor = async (changes: Record<string, string> = {}) => {
  const { verifier, code } = await codeFor(changes);
  const answer = await exchange(code, verifier);
  assert.equal(answer.status, 200, answer.text);
  return { ...answer.json, code, verifier } as Record<string, string>;
};

const tricks: Readonly<Record<string, string>> = {
  "another host": "https://evil.example/callback",
  "a host that begins the same": "https://viewer.example.evil.example/callback",
  "a host that ends the same": "https://evilviewer.example/callback",
  "a subdomain": "https://a.viewer.example/callback",
  "user info": "https://viewer.example@evil.example/callback",
  "user info before the right host": "https://evil@viewer.example/callback",
  "a backslash": "https://evil.example\\@viewer.example/callback",
  "a longer path": "https://viewer.example/callback/more",
  "a path that walks": "https://viewer.example/callback/../other",
  "a path that walks, encoded": "https://viewer.example/callback/%2e%2e/other",
  "a slash at the end": "https://viewer.example/callback/",
  "another case of the path": "https://viewer.example/Callback",
  "another case of the host": "https://VIEWER.example/callback",
  "a query": "https://viewer.example/callback?next=https://evil.example",
  "a fragment": "https://viewer.example/callback#token",
  "a port": "https://viewer.example:8443/callback",
  "the usual port, named": "https://viewer.example:443/callback",
  "no TLS": "http://viewer.example/callback",
  "a script": "javascript:alert(1)//https://viewer.example/callback",
  "a data address": "data:text/html,https://viewer.example/callback",
  "no scheme": "//evil.example/callback",
  "a line break": "https://viewer.example/callback\r\nLocation: https://evil.example",
  "a null byte": "https://viewer.example/callback\0.evil.example",
  "a wildcard": "https://*.example/callback",
  "the address of another client": "https://other.example/callback",
};
for (const [name, uri] of Object.entries(tricks)) {
  test(`attack 86: a redirect to ${name} sends nobody anywhere`, async () => {
    const answer = await browser().go(authorizationPath(client.id, newPkce().challenge, { redirect_uri: uri }));
    assert.equal(answer.status, 400);
    assert.equal(answer.headers.location, undefined);
    assert.match(answer.text, /This cannot go on/);
    assert.doesNotMatch(answer.text, /evil\.example|<script>alert/);
  });
}

test("attack 86: two redirect addresses, or none, send nobody anywhere", async () => {
  const path = authorizationPath(client.id, newPkce().challenge);
  for (const asked of [`${path}&redirect_uri=https%3A%2F%2Fevil.example`, path.replace(/redirect_uri=[^&]+&/, "")]) {
    const answer = await browser().go(asked);
    assert.equal(answer.status, 400, asked);
    assert.equal(answer.headers.location, undefined);
  }
});

test("attack 86: a redirect address that could mean more than one place cannot be registered", async () => {
  const wrong = [
    "https://*.example/a",
    "https://a.example/#b",
    "https://u@a.example/",
    "http://a.example/",
    "app://callback",
    "a",
  ];
  for (const uri of [...wrong, "javascript:alert(1)", "https://a.example\\b"]) {
    await assert.rejects(house.add("wrong", { redirectUris: [uri] }), { code: "invalid" }, uri);
  }
});

test("attack 86: the answer names who gave it, errors too, so that one server's code goes to no other (RFC 9207)", async () => {
  const back = await browser().allow(authorizationPath(client.id, newPkce().challenge));
  assert.equal(back.searchParams.get("iss"), house.issuer());
  const refused = await browser().allow(authorizationPath(client.id, newPkce().challenge), { allow: false });
  assert.deepEqual(
    [refused.searchParams.get("error"), refused.searchParams.get("iss"), refused.searchParams.get("code")],
    ["access_denied", house.issuer(), null],
  );
  const { json } = await send(house, "/oauth/.well-known/openid-configuration");
  assert.equal(json.authorization_response_iss_parameter_supported, true);
});

const downgrades: Readonly<Record<string, Record<string, string | undefined>>> = {
  "no challenge": { code_challenge: undefined, code_challenge_method: undefined },
  "the method plain": { code_challenge_method: "plain" },
  "no method": { code_challenge_method: undefined },
  "an unknown method": { code_challenge_method: "S512" },
  "an empty challenge": { code_challenge: "" },
};
for (const [name, changes] of Object.entries(downgrades)) {
  test(`attack 86: PKCE with ${name} is refused`, async () => {
    const { challenge } = newPkce();
    const { headers } = await browser().go(authorizationPath(client.id, challenge, changes));
    const back = new URL(String(headers.location));
    assert.deepEqual([back.origin, back.searchParams.get("error")], ["https://viewer.example", "invalid_request"]);
  });
}

test("attack 86: a code without its verifier, or with another's, gets nothing", async () => {
  for (const verifier of [undefined, "", newPkce().verifier]) {
    const { code } = await codeFor();
    const answer = await exchange(code, verifier);
    assert.equal(answer.status, 400);
    assert.equal(answer.json.access_token, undefined);
  }
});

test("attack 86: responses with tokens in the address, passwords and other grants are not offered", async () => {
  for (const response_type of ["token", "id_token", "code token", "code id_token", "id_token token"]) {
    const { headers } = await browser().go(
      authorizationPath(client.id, newPkce().challenge, { response_type, nonce: "n" }),
    );
    const { searchParams, hash } = new URL(String(headers.location));
    const error = searchParams.get("error") ?? new URLSearchParams(hash.slice(1)).get("error");
    assert.match(String(error), /unsupported_response_type|unauthorized_client|invalid_request/);
    assert.doesNotMatch(String(headers.location), /access_token|id_token=/);
  }
  for (const grant_type of ["password", "implicit", "urn:ietf:params:oauth:grant-type:jwt-bearer"]) {
    const form = { grant_type, client_id: client.id, username: "ada", password: "x", assertion: "x" };
    assert.equal((await send(house, "/oauth/token", { form })).status, 400);
  }
  for (const path of ["/oauth/reg", "/oauth/register", "/oauth/device", "/oauth/interaction/x"]) {
    assert.ok((await send(house, path, { json: { redirect_uris: [redirect] } })).status >= 400, path);
  }
});

test("attack 86: a code that comes twice is refused, and what it gave is ended", async () => {
  const tokens = await tokensFor(offline);
  assert.equal((await view(tokens.access_token)).status, 200);
  assert.equal((await exchange(tokens.code ?? "", tokens.verifier)).status, 400);
  assert.equal((await view(tokens.access_token)).status, 401);
  assert.equal((await refresh(tokens.refresh_token)).status, 400);
});

test("attack 86: a code that comes twice at the same moment is worth one token at most, which does not last", async () => {
  const { code, verifier } = await codeFor();
  const both = await Promise.all([exchange(code, verifier), exchange(code, verifier)]);
  assert.ok(both.filter(({ status }) => status === 200).length <= 1);
  for (const { json } of both) assert.equal((await view(json.access_token)).status, 401);
});

test("attack 86: a code is for the client and the address that it was given for", async () => {
  for (const changes of [{ client_id: other.id }, { redirect_uri: "https://viewer.example/other" }]) {
    const { code, verifier } = await codeFor();
    assert.equal((await exchange(code, verifier, changes)).status, 400);
  }
});

test("attack 86: a refresh token that comes again ends its whole family", async () => {
  const first = await tokensFor(offline);
  const second = await refresh(first.refresh_token);
  assert.equal(second.status, 200, second.text);
  const third = await refresh(second.json.refresh_token);
  assert.equal(third.status, 200);
  assert.equal((await view(third.json.access_token)).status, 200);
  assert.equal((await refresh(first.refresh_token)).status, 400);
  for (const { access_token, refresh_token } of [first, second.json, third.json]) {
    assert.equal((await view(access_token)).status, 401);
    assert.equal((await refresh(refresh_token)).status, 400);
  }
});

test("attack 86: a refresh token that comes twice at the same moment ends its family too", async () => {
  const first = await tokensFor(offline);
  const both = await Promise.all([refresh(first.refresh_token), refresh(first.refresh_token)]);
  assert.ok(both.filter(({ status }) => status === 200).length <= 1);
  for (const { json } of both) {
    assert.equal((await view(json.access_token)).status, 401);
    if (json.refresh_token !== undefined) assert.equal((await refresh(json.refresh_token)).status, 400);
  }
});

test("attack 86: a refresh token is its client's, and gives no more than was allowed", async () => {
  const { refresh_token: token } = await tokensFor(offline);
  assert.equal((await refresh(token, other.id)).status, 400);
  const form = { grant_type: "refresh_token", client_id: client.id, refresh_token: token ?? "", scope: "user/*.cruds" };
  assert.equal((await send(house, "/oauth/token", { form })).status, 400);
  assert.equal((await refresh(token)).status, 200);
});

test("attack 86: what one browser began another cannot allow, nor a page without our header or a session", async () => {
  const mallory = await house.person("mallory");
  const attacker = browser(mallory.secret);
  const asked = await attacker.go(authorizationPath(client.id, newPkce().challenge));
  const path = `${asked.headers.location}/request`;
  assert.equal((await browser().go(path)).status, 404);
  assert.equal((await browser().go(path, { json: { allow: true } })).status, 404);

  assert.equal(
    (await attacker.go(path, { json: { allow: true }, headers: { origin: "https://evil.example" } })).status,
    404,
  );
  assert.equal((await send(house, path, { json: { allow: true } })).status, 401);
  const [name, value] = [...attacker.cookies].find(([each]) => each.includes("ask")) ?? [];
  assert.ok(value?.path.startsWith("/consent/"), `${name} goes to its own path alone`);
});

test("attack 86: consent is given once, and a request is over when it was answered", async () => {
  const own = browser();
  const asked = await own.go(authorizationPath(client.id, newPkce().challenge));
  const path = `${asked.headers.location}/request`;
  const first = await own.go(path, { json: { allow: true } });
  assert.equal(first.status, 200);
  assert.equal((await own.go(path, { json: { allow: true } })).status, 404);
  assert.equal((await own.go(String(first.json.goTo))).status, 303);
  assert.ok((await own.go(String(first.json.goTo))).status >= 400, "nor is the way back taken twice");
});

test("attack 86: a token is asked for this server's address, or not given", async () => {
  for (const aud of ["https://evil.example/fhir", `${house.pageUrl().replace("https", "http")}fhir/R4`]) {
    const { headers } = await browser().go(authorizationPath(client.id, newPkce().challenge, { aud }));
    assert.equal(new URL(String(headers.location)).searchParams.get("error"), "invalid_request");
  }
  await browser().allow(authorizationPath(client.id, newPkce().challenge, { aud: `${house.pageUrl()}fhir/R4` }));
});

test("attack 86: FAPI clients push their request and bind their tokens; the same in the address is refused", async () => {
  const keys = clientKeys();
  const proof = { kind: "keys", keys: [keys.jwk] } as const;
  const strict = await house.add("strict", { proof, isFapi: true });
  const { headers } = await browser().go(authorizationPath(strict.id, newPkce().challenge));
  assert.equal(new URL(String(headers.location)).searchParams.get("error"), "invalid_request");
  const client_assertion = await assertionOf(strict.id, house.issuer(), keys.privateKey);
  const form = {
    grant_type: "client_credentials",
    scope: "dicomweb.read",
    client_assertion_type: clientAssertionType,
    client_assertion,
  };
  const unbound = await send(house, "/oauth/token", { form });
  assert.equal(unbound.status, 400, unbound.text);
  const toEndpoint = await assertionOf(strict.id, `${house.issuer()}/token`, keys.privateKey);
  assert.equal((await send(house, "/oauth/token", { form: { ...form, client_assertion: toEndpoint } })).status, 401);
});

test("attack 71: launch codes are good once, for one person, and give access to their patient alone", async () => {
  const made = await browser().go("/api/launches", { json: { patient: patientToken } });
  assert.equal(made.status, 200, made.text);
  const launch = String(made.json.launch);
  const asked = { scope: "openid launch patient/ImagingStudy.rs", launch };
  const mallory = await house.person("mallory-2");
  await assert.rejects(browser(mallory.secret).allow(authorizationPath(client.id, newPkce().challenge, asked)), /404/);
  const tokens = await tokensFor(asked);
  assert.equal(tokens.patient, patientToken);
  assert.deepEqual((await view(tokens.access_token)).json.reach, [[{ kind: "patient", id: patientToken }]]);
  await assert.rejects(browser().allow(authorizationPath(client.id, newPkce().challenge, asked)), /404/);
});

test("attack 71: no token is taken from an address or a body, and none stands in one", async () => {
  const { access_token: token = "", refresh_token: renewal = "x" } = await tokensFor(offline);
  assert.equal((await send(house, `/who/study.view?access_token=${token}`)).status, 401);
  assert.equal((await send(house, "/who/study.view", { form: { access_token: token } })).status, 401);
  assert.ok((await send(house, `/oauth/me?access_token=${token}`)).status >= 400);
  const own = browser();
  const { challenge } = newPkce();
  const back = await own.allow(authorizationPath(client.id, challenge));
  assert.equal(back.hash, "");
  assert.deepEqual([...back.searchParams.keys()].sort(), ["code", "iss", "state"]);
  assert.doesNotMatch(back.href, new RegExp(`${token}|${renewal}`));
  const { headers } = await send(house, "/oauth/.well-known/openid-configuration");
  assert.equal(headers["x-frame-options"] ?? "DENY", "DENY");
});

test("attack 86: a page of a stranger's origin is told nothing", async () => {
  const origin = "https://evil.example";
  const { verifier, code } = await codeFor();
  const form = {
    grant_type: "authorization_code",
    client_id: client.id,
    code,
    redirect_uri: redirect,
    code_verifier: verifier,
  };
  const answer = await send(house, "/oauth/token", { form, headers: { origin } });
  assert.equal(answer.status, 400);
  assert.equal(answer.headers["access-control-allow-origin"], undefined);
  const own = await send(house, "/oauth/token", { form, headers: { origin: "https://viewer.example" } });
  assert.equal(own.status, 200, own.text);
  assert.equal(own.headers["access-control-allow-origin"], "https://viewer.example");
  assert.equal(own.headers["access-control-allow-credentials"], undefined);
});
