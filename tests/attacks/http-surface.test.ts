// Rows 70 to 73 of the attack table on a fresh install: what it offers to whom, and what its answers give away.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type AttackedHouse, type AttackedRoute, startAttackedHouse } from "./attacked-house.fixture.ts";

let house: AttackedHouse;
let routes: readonly AttackedRoute[];
before(async () => {
  house = await startAttackedHouse();
  const seen = new Set<string>();
  routes = (await house.routes()).filter(({ method, url }) => {
    const isNew = !seen.has(`${method} ${url}`);
    seen.add(`${method} ${url}`);
    return isNew && method !== "HEAD";
  });
});
after(() => house?.remove());

/** The route with something in the place of each parameter. */
const exampleOf = (url: string, value: string) =>
  url.replace(/:[A-Za-z]+(\([^)]*\))?/g, encodeURIComponent(value)).replace("*", encodeURIComponent(value));
const open = () => routes.filter(({ isAnonymous }) => isAnonymous);
const closed = () => routes.filter(({ isAnonymous }) => !isAnonymous);
const ask = (route: AttackedRoute, init: RequestInit & { anonymous?: boolean } = {}, value = "1.2.3", query = "") =>
  house.fetch(`${exampleOf(route.url, value)}${query}`, { ...init, method: route.method });
const nameOf = ({ method, url }: AttackedRoute) => `${method} ${url}`;

/** Applications in browsers read these, with a token of their own or none; a browser's cookies go with none of them (no …-credentials). */
const publicToPages = /^\/oauth\/|\.well-known\//;

test("attack 70: no answer lets the pages of another origin read it, and none may ask beforehand", async () => {
  for (const route of routes) {
    for (const origin of [
      "https://evil.example",
      "null",
      `https://localhost:${house.https + 1}`,
      "https://localhost.evil.example",
    ]) {
      const answer = await ask(route, { anonymous: true, headers: { origin } });
      await answer.arrayBuffer();
      const isPublic = publicToPages.test(route.url);
      for (const name of answer.headers.keys())
        if (!isPublic) assert.doesNotMatch(name, /^access-control-/, `${nameOf(route)} ${origin}`);
      assert.equal(answer.headers.get("access-control-allow-credentials"), null, nameOf(route));
      assert.equal(answer.headers.get("x-frame-options"), "DENY");
      assert.match(answer.headers.get("content-security-policy") ?? "", /frame-ancestors 'none'/);
    }
    const headers = { origin: "https://evil.example", "access-control-request-method": route.method };
    const preflight = await house.fetch(exampleOf(route.url, "1.2.3"), { method: "OPTIONS", headers, anonymous: true });
    if (!publicToPages.test(route.url))
      assert.equal(preflight.headers.get("access-control-allow-origin"), null, nameOf(route));
    assert.equal(preflight.headers.get("access-control-allow-credentials"), null, nameOf(route));
    await preflight.arrayBuffer();
  }
});

test("attack 71: a token in the address, a body or a cookie of another name lets nobody in", async () => {
  const token = house.token();
  const queries = [
    "access_token",
    "token",
    "bearer",
    "authorization",
    "api_key",
    "key",
    "jwt",
    "session",
    "code",
    "sid",
  ];
  await house.under({ tells: /refused( again)?: a token or session that is none/ }, async () => {
    for (const route of closed()) {
      for (const name of queries) {
        const answer = await ask(route, { anonymous: true }, "1.2.3", `?${name}=${encodeURIComponent(token)}`);
        assert.equal(answer.status, 401, `${nameOf(route)} ${name}`);
        assert.doesNotMatch(await answer.text(), /lgt_/);
      }
    }
    const route = closed().find(({ url }) => url === "/dicom-web/studies");
    assert.ok(route);
    for (const headers of [
      { cookie: `access_token=${token}` },
      { cookie: `__Host-leadglass=${token}` },
      { "x-access-token": token },
      { authorization: token },
      { authorization: `Basic ${Buffer.from(`:${token}`).toString("base64")}` },
      { authorization: `Token ${token}` },
      { authorization: `Bearer  ${token} ${token}` },
      { "proxy-authorization": `Bearer ${token}` },
    ])
      assert.equal((await ask({ ...route, method: "GET" }, { anonymous: true, headers })).status, 401);
  });
  for (const route of routes) {
    const answer = await ask(route, { anonymous: true });
    await answer.arrayBuffer();
    assert.equal(answer.headers.get("referrer-policy"), "no-referrer", nameOf(route));
  }
});

test("attack 72: answers are not to be kept, tell no version of what they are, and repeat nothing of the request", async () => {
  const canary = "canary-7f3a-O'Neill";
  const traces = /canary-7f3a|\bat [\w.]+ \(|node:internal|\.ts:\d|\/node_modules\/|\/apps\/|SQLITE|postgres|Error:/;
  for (const route of routes) {
    for (const body of [
      undefined,
      "{",
      `{"name":"${canary}"}`,
      `"${canary}"`,
      "[]",
      "null",
      `{"__proto__":{"a":1}}`,
      `{"${canary}":1}`,
    ]) {
      if (body !== undefined && route.method === "GET") continue;
      const headers: Record<string, string> = { "x-canary": canary, "user-agent": canary, accept: "application/json" };
      if (body !== undefined) {
        headers["content-type"] = "application/json";
        headers["content-length"] = String(Buffer.byteLength(body));
      }
      const answer = await ask(route, { headers, ...(body !== undefined && { body }) }, canary, `?limit=${canary}`);
      const text = answer.headers.get("content-type")?.startsWith("text/event-stream") ? "" : await answer.text();
      if (answer.status >= 400) assert.doesNotMatch(text, traces, `${nameOf(route)} ${body}: ${answer.status}`);
      assert.notEqual(answer.status, 500, `${nameOf(route)} ${body}: ${text}`);
      assert.equal(answer.headers.get("server"), null);
      assert.equal(answer.headers.get("x-powered-by"), null);
      if (route.url.startsWith("/assets")) continue;
      assert.equal(answer.headers.get("cache-control"), "no-store", nameOf(route));
      for (const name of ["etag", "last-modified"]) assert.equal(answer.headers.get(name), null, nameOf(route));
    }
  }
});

test("attack 72: what is kept elsewhere cannot be asked for by its validators", async () => {
  const validators = [
    { "if-none-match": "*" },
    { "if-match": "*" },
    { "if-none-match": 'W/"1"' },
    { "if-modified-since": new Date(0).toUTCString() },
    { "if-unmodified-since": new Date(0).toUTCString() },
    { range: "bytes=0-0" },
  ];
  for (const route of closed().filter(({ method }) => method === "GET")) {
    for (const headers of validators) {
      const answer = await ask(route, { anonymous: true, headers });
      assert.equal(answer.status, 401, `${nameOf(route)} ${Object.keys(headers)}`);
      await answer.arrayBuffer();
    }
  }
});

/** All that answers somebody who is nobody, and why it does. */
const anonymousOnly: Readonly<Record<string, RegExp>> = {
  "whether it lives": /^GET \/(healthz|readyz)$/,
  "the browser application, the same bytes whatever it is asked to show": /^GET \/([a-z-]+(\/:[a-z]+)?)?$/,
  "its files": /^GET \/assets\/\*$/,
  "ways in": /^(GET|POST) \/api\/(session|setup|sign-in|passkeys|identity-providers|shares\/open)[^ ]*$/,
  "a box that has a code, which is asked for first": /^POST \/api\/edges\/enrolment$/,
  "the way through a customer's identity provider": /^GET \/sign-in-with\/:id(\/callback)?$/,
  "OAuth, which asks each caller itself": /^[A-Z]+ \/oauth\//,
  "public keys, and where things are": /^GET \/(fhir\/R4\/)?\.well-known\/[a-z/-]+$/,
  "what a browser asks before a request": /^OPTIONS \/(dicom-web|fhir)(\/|$)/,
};

/** What scanners ask of a server that they do not know. */
const knownPaths = [
  ..."/instances /studies /patients /series /system /tools/find /app/explorer.html /wado /wado?requestType=WADO /orthanc".split(
    " ",
  ),
  ..."/dcm4chee-arc/aets /dcm4chee-arc/ui2 /rs/studies /dicomweb/studies /pacs /viewer /ohif /api /api/v1 /api/users".split(
    " ",
  ),
  ..."/metrics /debug /debug/pprof /debug/vars /actuator /actuator/env /env /config /console /admin /phpmyadmin /login".split(
    " ",
  ),
  ..."/.env /.git/config /.git/HEAD /.svn/entries /.DS_Store /server-status /trace /swagger /swagger.json /openapi.json".split(
    " ",
  ),
  ..."/graphql /jolokia /manager/html /solr /wp-admin /cgi-bin/ /backup.zip /dump.sql /leadglass.json /package.json".split(
    " ",
  ),
  ..."/fhir/R4/Patient /fhir/R4/metadata /oauth/clients /api/audit /api/status /api/devices /api/events /dicom-web/studies".split(
    " ",
  ),
  ..."/assets/../index.html /assets/..%2f..%2fpackage.json /assets/%2e%2e/%2e%2e/etc/passwd /assets/ /assets//etc/passwd".split(
    " ",
  ),
];

test("attack 73: on a fresh install health, sign-in and public keys are all that answers anonymously", async () => {
  const known = Object.values(anonymousOnly);
  const odd = open().filter((route) => !known.some((pattern) => pattern.test(nameOf(route))));
  assert.deepEqual(odd.map(nameOf), []);
  const page = /^GET \/[a-z-]*(\/:[a-z]+)?$/;
  for (const route of open().filter(
    (each) => page.test(nameOf(each)) && !/healthz|readyz|sign-in-with/.test(each.url),
  )) {
    const [one, other] = await Promise.all(
      ["a".repeat(32), "b".repeat(32)].map((id) => ask(route, { anonymous: true }, id)),
    );
    const texts = await Promise.all([one?.text(), other?.text()]);
    const [page = "", same = ""] = texts.map((text) => text?.replaceAll(/[0-9a-f]{32}/g, "nonce"));
    assert.match(page, /^<!doctype html>/, nameOf(route));
    assert.equal(page, same, nameOf(route));
  }
  assert.ok(closed().length > 40, `${closed().length} routes`);
  for (const route of closed()) {
    const answer = await ask(route, { anonymous: true });
    assert.equal(answer.status, 401, nameOf(route));
    await answer.arrayBuffer();
  }
  for (const path of knownPaths) {
    const answer = await house.fetch(path, { anonymous: true });
    const text = await answer.text();
    assert.ok(
      [400, 401, 404].includes(answer.status) || text.startsWith("<!doctype html>"),
      `${path}: ${answer.status}`,
    );
    assert.doesNotMatch(text, /dependencies|root:|\[core\]|PRIVATE KEY/);
  }
  for (const method of ["TRACE", "CONNECT", "PROPFIND", "PURGE", "DEBUG", "SEARCH"]) {
    const answer = await house.raw(`${method} / HTTP/1.1\r\nHost: localhost\r\nX-Canary: canary-of-trace\r\n\r\n`, {
      quietMs: 300,
    });
    assert.doesNotMatch(answer, /^HTTP\/1\.1 2|canary-of-trace/, method);
  }
});

test("attack 73: no name or password that products ship with lets anybody in", async () => {
  const names = ["admin", "administrator", "root", "orthanc", "leadglass", "pacs", "dicom", "demo", "test", "guest"];
  const post = (name: string, password: string) =>
    house.fetch("/api/session", {
      anonymous: true,
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ name, password, code: "000000" }),
    });
  const statuses = new Set<number>();
  for (const name of names)
    for (const password of [name, "", "password", "admin"]) statuses.add((await post(name, password)).status);
  for (const status of statuses) assert.ok(status === 400 || status === 429, `${status}`);
});
