import assert from "node:assert/strict";
import { createHmac, generateKeyPairSync, randomUUID } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { send } from "../house/oauth-browser.ts";
import { clientKeys, type OauthHouse, startOauthHouse } from "../house/oauth-house.ts";
import { assertionOf, clientAssertionType, proofOf, selfSigned } from "../house/oauth-proofs.ts";

const service = { role: "service", place: { kind: "tenant" }, purpose: "operations", endsAt: 0 } as const;
const keys = clientKeys();
const foreign = clientKeys();
let house: OauthHouse;
let clientId = "";
/** Where keys would be fetched from, if anything fetched what a token names. */
const fetched: string[] = [];
const keyServer = createServer((request, response) => {
  fetched.push(request.url ?? "");
  response.setHeader("content-type", "application/json").end(JSON.stringify({ keys: [foreign.jwk] }));
});
const keyAddress = () => `http://127.0.0.1:${(keyServer.address() as AddressInfo).port}/keys`;

before(async () => {
  house = await startOauthHouse();
  const proof = { kind: "keys", keys: [keys.jwk] } as const;
  clientId = (await house.add("machine", { proof, redirectUris: [], grants: [service] })).id;
  await new Promise<void>((resolve) => keyServer.listen(0, "127.0.0.1", resolve));
});
after(async () => {
  keyServer.close();
  await house?.remove();
});

const tokenWith = (assertion: string, more: Record<string, string> = {}, headers: Record<string, string> = {}) =>
  send(house, "/oauth/token", {
    headers,
    form: {
      ...{ grant_type: "client_credentials", scope: "system/ImagingStudy.rs" },
      ...{ client_assertion_type: clientAssertionType, client_assertion: assertion },
      ...more,
    },
  });
const good = () => assertionOf(clientId, house.issuer(), keys.privateKey);
const base64url = (value: object | string) =>
  Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");
const seconds = (from: number) => Math.floor(Date.now() / 1000) + from;
const claims = () => ({ iss: clientId, sub: clientId, aud: house.issuer(), jti: randomUUID(), exp: seconds(60) });
const unsigned = (header: object, body: object = claims(), signature = "") =>
  `${base64url(header)}.${base64url(body)}.${signature}`;
/** Signed by hand, so that no library stands in the way. */
const hmac = (header: object, secret: string | Buffer) => {
  const text = `${base64url(header)}.${base64url(claims())}`;
  return `${text}.${createHmac("sha256", secret).update(text).digest("base64url")}`;
};
const signedBy = (
  key: ReturnType<typeof clientKeys>,
  header: Record<string, unknown> = {},
  changed: Record<string, unknown> = {},
) => assertionOf(clientId, house.issuer(), key.privateKey, { header, claims: changed });
const rsa = () => generateKeyPairSync("rsa", { modulusLength: 2_048 }).privateKey;

const forged: Readonly<Record<string, () => string | Promise<string>>> = {
  "alg none": () => unsigned({ alg: "none" }),
  "alg None": () => unsigned({ alg: "None", kid: "one" }),
  "alg nOnE with a signature": () => unsigned({ alg: "nOnE" }, claims(), base64url("x")),
  "alg empty": () => unsigned({ alg: "" }),
  "no alg": () => unsigned({ typ: "JWT" }),
  "alg none, signed header kept": async () => unsigned({ alg: "none" }, claims(), (await good()).split(".")[2]),
  "signature cut off": async () => `${(await good()).split(".").slice(0, 2).join(".")}.`,
  "signature of another": async () => unsigned({ alg: "ES256", kid: "one" }, claims(), (await good()).split(".")[2]),
  "signature of zeros (CVE-2022-21449)": () =>
    unsigned({ alg: "ES256", kid: "one" }, claims(), Buffer.alloc(64).toString("base64url")),
  "HS256 with the public key as JSON": () => hmac({ alg: "HS256", kid: "one" }, JSON.stringify(keys.jwk)),
  "HS256 with the public key as PEM": () => hmac({ alg: "HS256", kid: "one" }, publicPem()),
  "HS256 with an empty secret": () => hmac({ alg: "HS256", kid: "one" }, ""),
  "HS256 with the client id": () => hmac({ alg: "HS256" }, clientId),
  "RS256 with a key of one's own": () => assertionOf(clientId, house.issuer(), rsa(), { header: { alg: "RS256" } }),
  "a foreign key": () => signedBy(foreign),
  "a foreign key, no kid": () => signedBy(foreign, { kid: undefined }),
  "kid that walks the disk": () => signedBy(foreign, { kid: "../../../../dev/null" }),
  "kid as SQL": () => signedBy(foreign, { kid: "' union select 'x" }),
  "kid __proto__": () => signedBy(foreign, { kid: "__proto__" }),
  "jwk in the header": () => signedBy(foreign, { jwk: foreign.jwk }),
  "jku in the header": () => signedBy(foreign, { jku: keyAddress() }),
  "x5u in the header": () => signedBy(foreign, { x5u: keyAddress() }),
  "x5c in the header": () => signedBy(foreign, { x5c: [base64url("certificate")] }),
  "crit of the unknown": () => unsigned({ alg: "ES256", kid: "one", crit: ["http://x"], "http://x": 1 }),
  "aud of another server": () => signedBy(keys, {}, { aud: "https://other.example/oauth" }),
  "no aud": () => signedBy(keys, {}, { aud: undefined }),
  "iss of another": () => signedBy(keys, {}, { iss: "f".repeat(32) }),
  "sub of another": () => signedBy(keys, {}, { sub: "f".repeat(32) }),
  "exp past": () => signedBy(keys, {}, { exp: seconds(-61) }),
  "no exp": () => signedBy(keys, {}, { exp: undefined }),
  "exp in a year": () => signedBy(keys, {}, { exp: seconds(31_536_000) }),
  "nbf to come": () => signedBy(keys, {}, { nbf: seconds(600) }),
  "no jti": () => signedBy(keys, {}, { jti: undefined }),
};

function publicPem(): string {
  const { x: _x, ...rest } = keys.jwk as Record<string, string>;
  return `-----BEGIN PUBLIC KEY-----\n${Buffer.from(JSON.stringify(rest)).toString("base64")}\n-----END PUBLIC KEY-----\n`;
}

test("a right assertion gets a token, once", async () => {
  const assertion = await good();
  const first = await tokenWith(assertion);
  assert.equal(first.status, 200, first.text);
  const headers = { authorization: `Bearer ${first.json.access_token}` };
  assert.equal((await send(house, "/who/study.view", { headers })).json.actor, `client:${clientId}`);
  assert.equal((await tokenWith(assertion)).status, 401);
  const again = await good();
  const both = await Promise.all([tokenWith(again), tokenWith(again)]);
  assert.equal(both.filter(({ status }) => status === 200).length, 1, "of two at once one gets it");
});

for (const [name, make] of Object.entries(forged)) {
  test(`attack 84: ${name}: refused as an assertion and as a token`, async () => {
    const token = await make();
    const asked = await tokenWith(token);
    assert.equal(asked.status, 401, asked.text);
    assert.equal(asked.json.access_token, undefined);
    const { status, headers } = await send(house, "/who/study.view", { headers: { authorization: `Bearer ${token}` } });
    assert.equal(status, 401);
    assert.match(String(headers["www-authenticate"]), /^Bearer/);
  });
}

test("attack 84: nothing that a token names is fetched", () => {
  assert.deepEqual(fetched, []);
});

test("attack 84: a right assertion is no access token, and an ID token's key is nobody's secret", async () => {
  const { status } = await send(house, "/who/study.view", { headers: { authorization: `Bearer ${await good()}` } });
  assert.equal(status, 401);
  const { json, text } = await send(house, "/oauth/jwks");
  const [key] = json.keys as Record<string, unknown>[];
  assert.equal(key?.kty, "EC");
  assert.doesNotMatch(text, /"(d|p|q|k|oth)":/);
});

test("attack 84: an assertion for another host is refused, whatever host the request names", async () => {
  const assertion = await assertionOf(clientId, "https://evil.example/oauth/token", keys.privateKey);
  const asked = await tokenWith(assertion, {}, { host: "evil.example" });
  assert.equal(asked.status, 401, asked.text);
});

const dpopToken = async (key = keys) => {
  const url = `${house.issuer()}/token`;
  const answer = await tokenWith(await good(), {}, { dpop: await proofOf({ method: "POST", url }, key) });
  assert.equal(answer.status, 200, answer.text);
  assert.equal(answer.json.token_type, "DPoP");
  return String(answer.json.access_token);
};
const view = () => `${house.pageUrl()}who/study.view`;
const withProof = (token: string, proof: string, scheme = "DPoP", path = "/who/study.view", method = "GET") =>
  send(house, path, { method, headers: { authorization: `${scheme} ${token}`, ...(proof !== "" && { dpop: proof }) } });

test("a DPoP token works with a fresh proof each time", async () => {
  const token = await dpopToken();
  for (const query of ["", "?a=1"]) {
    const proof = await proofOf({ url: view(), token }, keys);
    assert.equal((await withProof(token, proof, "DPoP", `/who/study.view${query}`)).status, 200);
  }
});

const wrongProofs: Readonly<Record<string, (token: string) => Promise<string> | string>> = {
  "no proof": () => "",
  "htm of another method": (token) => proofOf({ url: view(), token, method: "POST" }, keys),
  "htu of another path": (token) => proofOf({ url: `${house.pageUrl()}who/study.read`, token }, keys),
  "htu of another host": (token) => proofOf({ url: "https://evil.example/who/study.view", token }, keys),
  "htu of another port": (token) => proofOf({ url: "https://localhost:1/who/study.view", token }, keys),
  "htu that is none": (token) => proofOf({ url: "who/study.view", token }, keys),
  "ath of another token": () => proofOf({ url: view(), token: "another" }, keys),
  "no ath": () => proofOf({ url: view() }, keys),
  "another key": (token) => proofOf({ url: view(), token }, foreign),
  "another key under our jwk": (token) =>
    proofOf({ url: view(), token }, { jwk: keys.jwk, privateKey: foreign.privateKey }),
  "no jti": (token) => proofOf({ url: view(), token }, keys, { claims: { jti: undefined } }),
  "no iat": (token) => proofOf({ url: view(), token }, keys, { claims: { iat: undefined } }),
  "iat of two minutes ago": (token) => proofOf({ url: view(), token }, keys, { claims: { iat: seconds(-120) } }),
  "iat to come": (token) => proofOf({ url: view(), token }, keys, { claims: { iat: seconds(120) } }),
  "typ of another kind": (token) => proofOf({ url: view(), token }, keys, { header: { typ: "JWT" } }),
  "alg none": (token) =>
    unsigned(
      { alg: "none", typ: "dpop+jwt", jwk: keys.jwk },
      { htm: "GET", htu: view(), ath: token, jti: "x", iat: seconds(0) },
    ),
  "a private key in the header": (token) =>
    proofOf({ url: view(), token }, keys, { header: { jwk: keys.privateKey.export({ format: "jwk" }) } }),
};
for (const [name, make] of Object.entries(wrongProofs)) {
  test(`attack 85: DPoP with ${name}: refused`, async () => {
    const token = await dpopToken();
    const answer = await withProof(token, await make(token));
    assert.equal(answer.status, 401);
    assert.match(String(answer.headers["www-authenticate"]), /^DPoP error="invalid_dpop_proof", algs="/);
  });
}

test("attack 85: a proof is good once, also sent twice at the same moment", async () => {
  const token = await dpopToken();
  const proof = await proofOf({ url: view(), token }, keys);
  const both = await Promise.all([withProof(token, proof), withProof(token, proof)]);
  assert.deepEqual(both.map(({ status }) => status).sort(), [200, 401]);
  assert.equal((await withProof(token, proof)).status, 401);
});

test("attack 85: a DPoP token as Bearer, with or without a proof, and a bearer token as DPoP", async () => {
  const token = await dpopToken();
  assert.equal((await withProof(token, "", "Bearer")).status, 401);
  assert.equal((await withProof(token, await proofOf({ url: view(), token }, keys), "Bearer")).status, 401);
  const bearer = String((await tokenWith(await good())).json.access_token);
  assert.equal((await withProof(bearer, await proofOf({ url: view(), token: bearer }, keys))).status, 401);
});

test("attack 85: a proof for the token endpoint is good once, for this method and address", async () => {
  const url = `${house.issuer()}/token`;
  const proof = await proofOf({ method: "POST", url }, keys);
  assert.equal((await tokenWith(await good(), {}, { dpop: proof })).status, 200);
  assert.ok((await tokenWith(await good(), {}, { dpop: proof })).status >= 400);
  const elsewhere = await proofOf({ method: "POST", url: "https://evil.example/oauth/token" }, keys);
  assert.ok((await tokenWith(await good(), {}, { dpop: elsewhere, host: "evil.example" })).status >= 400);
});

test("attack 85: a token of a certificate is good on a connection of that certificate alone", async () => {
  const [shown, wrong] = await Promise.all([selfSigned("machine"), selfSigned("machine")]);
  const proof = { kind: "certificate", certificate: shown.cert } as const;
  const client = await house.add("tls-machine", { proof, redirectUris: [], grants: [service] });
  const form = { grant_type: "client_credentials", scope: "system/ImagingStudy.rs", client_id: client.id };
  const issued = await send(house, "/oauth/token", { form, certificate: shown });
  assert.equal(issued.status, 200, issued.text);
  const headers = { authorization: `Bearer ${issued.json.access_token}` };
  assert.equal((await send(house, "/who/study.view", { headers, certificate: shown })).status, 200);
  assert.equal((await send(house, "/who/study.view", { headers, certificate: wrong })).status, 401);
  assert.equal((await send(house, "/who/study.view", { headers })).status, 401);
  assert.equal((await send(house, "/oauth/token", { form, certificate: wrong })).status, 401);
  assert.equal((await send(house, "/oauth/token", { form })).status, 401);
});
