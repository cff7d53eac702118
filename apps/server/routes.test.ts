import assert from "node:assert/strict";
import { test } from "node:test";
import type { HTTPMethods } from "fastify";
import { systemClock } from "#base/clock";
import { systemRandom } from "#base/id";
import { silentLog } from "#base/log";
import { createApiDoor, createTenantsDoor } from "#doors/api";
import { createDicomwebDoor } from "#doors/dicomweb";
import { createFhirDoor } from "#doors/fhir";
import { createOauth } from "#doors/oauth";
import { createMemoryAccessStore } from "#stores/memory";
import {
  anonymous,
  createGrants,
  createOauthClients,
  createOauthKeys,
  createOauthRecords,
  createPeople,
  createWaysIn,
  operator,
  type WaysIn,
} from "#trust/access";
import { createFairQueue } from "./fair-queue.ts";
import { createHttp, type Route } from "./http.ts";

/** Anything behind the doors: reaching it in these tests is the failure. */
function unreachable(reached: string[]): never {
  const trap = (path: string): unknown =>
    new Proxy(() => {}, {
      get: (_target, name) => (/^watch/.test(String(name)) ? () => () => {} : trap(`${path}.${String(name)}`)),
      apply: () => {
        reached.push(path);
        throw new Error(`${path} was reached`);
      },
    });
  return trap("behind") as never;
}

/** A trap has no members of its own: those that a door asks for are named. */
const named = (behind: Record<string, never>, names: readonly string[]) =>
  Object.fromEntries(names.map((name) => [name, behind[name]]));

/** The provider over the real records of programs, whose gate must not be reached. */
async function oauthOver(
  shared: Omit<Parameters<typeof createWaysIn>[0], "people">,
  { sessions, recovery }: WaysIn,
  behind: { readonly gate: never },
) {
  const { store } = shared;
  const records = await createOauthRecords(shared);
  const clients = await createOauthClients(shared);
  return createOauth({
    ...{ records, clients, keys: createOauthKeys({ ...shared, records }), gate: behind.gate },
    ...{ isSessionLive: sessions.isLive, grants: shared.grants, recovery },
    ...{ account: store.account, accountNamed: store.accountNamed, factsOf: async () => undefined },
    ...{ clock: systemClock, random: systemRandom, log: silentLog },
    pageUrl: () => "https://localhost/",
  });
}

async function doorsOverNothing() {
  const reached: string[] = [];
  const store = createMemoryAccessStore();
  const box = {
    seal: (_purpose: string, secret: Uint8Array) => secret,
    open: (_purpose: string, sealed: Uint8Array) => sealed,
  };
  const grants = await createGrants({ store, clock: systemClock, random: systemRandom });
  const shared = { store, grants, box, random: systemRandom, clock: systemClock, log: silentLog };
  const waysIn = await createWaysIn({ ...shared, people: createPeople(shared) });
  const oauth = await oauthOver(shared, waysIn, unreachable(reached));
  const http = await createHttp({
    ...waysIn,
    tokenActorOf: oauth.tokenActorOf,
    log: silentLog,
    random: systemRandom,
    clock: systemClock,
    queue: createFairQueue(systemClock),
    webRoot: undefined,
    ready: () => true,
  });
  const behind = unreachable(reached) as Record<string, never>;
  const setup = { needed: async () => false, secret: "", begin: behind.setup, confirm: behind.setup };
  const parts = {
    archive: behind.archive,
    intake: behind.archive,
    actorOf: http.actorOf,
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
  };
  const api = createApiDoor({
    ...http,
    ...behind,
    ...parts,
    ...waysIn,
    setup,
    ...named(behind, [
      "grants",
      "policy",
      "facilities",
      "reviews",
      "devices",
      "edges",
      "people",
      "confirmations",
      "breaker",
      "phantom",
    ]),
  } as never);
  await http.server.register(api);
  await http.server.register(createTenantsDoor({ tenants: behind.tenants as never, actorOf: http.actorOf }));
  await http.server.register(
    createDicomwebDoor({
      ...{ ...parts, pixels: behind.pixels, workItems: behind.workItems, takeUpgrade: http.takeUpgrade },
      ...{ root: "/dicom-web", isAllowedOrigin: () => false, watchEnded: () => () => {} },
    } as never),
  );
  await http.server.register(oauth.door({ ...http, endSession: waysIn.sessions.end }));
  await http.server.register(createFhirDoor({ ...parts, ...behind } as never));
  await http.server.ready();
  return { http, reached, store, grants, sessions: waysIn.sessions };
}

/** All that a caller without session or token may ask for: health, sign-in, a box that has a code, public keys, where programs prove who they are, and the pages. */
const anonymousRoutes = [
  "GET /.well-known/oauth-authorization-server/oauth",
  "GET /consent/:uid",
  "GET /fhir/R4/.well-known/smart-configuration",
  "GET /oauth/.well-known/openid-configuration",
  "GET /oauth/.well-known/smart-configuration",
  "GET /oauth/auth",
  "GET /oauth/auth/:uid",
  "GET /oauth/device",
  "GET /oauth/jwks",
  "GET /oauth/me",
  "GET /oauth/session/end",
  "GET /oauth/session/end/success",
  "OPTIONS /oauth/jwks",
  "OPTIONS /oauth/me",
  "OPTIONS /oauth/request",
  "OPTIONS /oauth/token",
  "OPTIONS /oauth/token/introspection",
  "OPTIONS /oauth/token/revocation",
  "POST /oauth/device/auth",
  "POST /oauth/me",
  "POST /oauth/request",
  "POST /oauth/session/end/confirm",
  "POST /oauth/token",
  "POST /oauth/token/introspection",
  "POST /oauth/token/revocation",
  "GET /",
  "GET /account",
  "GET /api/setup",
  "GET /api/sign-in",
  "GET /confirmations",
  "GET /devices",
  "GET /edges",
  "GET /edges/:id",
  "GET /migrations",
  "GET /messages",
  "GET /routing",
  "GET /grants",
  "GET /healthz",
  "GET /log",
  "GET /looks/:token",
  "GET /my-images",
  "GET /reviews",
  "GET /shares",
  "GET /people",
  "GET /people/:id",
  "GET /programs",
  "GET /readyz",
  "GET /roles",
  "GET /status",
  "GET /this-box",
  "GET /sign-in-with/:id",
  "GET /sign-in-with/:id/callback",
  "GET /studies/:token",
  "POST /api/edges/enrolment",
  "POST /api/session",
  "POST /api/session/passkey",
  "POST /api/session/passkey/options",
  "POST /api/session/recovery",
  "POST /api/setup/account",
  "POST /api/setup/confirm",
  "POST /api/setup/link",
  "POST /api/setup/passkey",
  "POST /api/setup/passkey/confirm",
  "POST /api/shares/open",
];

/** A browser asks without a token before it calls for a page of another origin. */
const isPreflight = ({ method, url }: Route) => method === "OPTIONS" && /^\/dicom-web(\/|$)/.test(url);

const exampleOf = (url: string) => url.replace(/:[A-Za-z]+(\([^)]*\))?/g, "1.2.3").replace("*", "x");

test("the anonymous routes are health, sign-in and the pages, no others", async () => {
  const { http } = await doorsOverNothing();
  const open = http.routes.filter((route) => route.anonymous && route.method !== "HEAD" && !isPreflight(route));
  assert.deepEqual([...new Set(open.map(({ method, url }) => `${method} ${url}`))].sort(), [...anonymousRoutes].sort());
});

test("every other route refuses an anonymous caller before anything behind the doors is reached", async () => {
  const { http, reached } = await doorsOverNothing();
  const closed = http.routes.filter((route) => !route.anonymous || isPreflight(route));
  assert.ok(closed.length > 30, `${closed.length} routes`);
  for (const { method, url } of closed) {
    const wrongProofs = [
      {},
      { authorization: "Bearer lgt_guess" },
      { cookie: "__Host-leadglass=guess", "x-leadglass": "1" },
    ];
    for (const headers of wrongProofs) {
      const answer = await http.server.inject({ method: method as HTTPMethods, url: exampleOf(url), headers });
      assert.equal(answer.statusCode, 401, `${method} ${url}`);
    }
  }
  assert.deepEqual(reached, []);
});

test("a path that is no route looks the same to an anonymous caller as one that is", async () => {
  const { http } = await doorsOverNothing();
  const [none, some] = await Promise.all(
    ["/api/nothing-here", "/api/devices"].map((url) => http.server.inject({ method: "GET", url })),
  );
  assert.equal(none?.statusCode, some?.statusCode);
});

test("a signed-in browser's request that does not come from our pages changes nothing", async () => {
  const { http, store, grants, sessions, reached } = await doorsOverNothing();
  const account = {
    id: "a".repeat(32),
    name: "a",
    passwordHash: "",
    totpSealed: new Uint8Array(),
    totpStep: 0,
    createdAt: 0,
  };
  await store.addAccount(account, []);
  const holder = `user:${account.id}`;
  await grants.give(
    holder,
    { role: "administrator", place: { kind: "tenant" }, purpose: "operations", endsAt: 0 },
    operator,
  );
  const { secret } = await sessions.begin(holder, { userAgent: "", address: "" });
  const cookie = `__Host-leadglass=${secret}`;
  const foreign = [{ cookie }, { cookie, "x-leadglass": "1", origin: "https://evil.example" }];
  for (const headers of foreign) {
    const answer = await http.server.inject({
      method: "POST",
      url: "/api/devices",
      headers: { ...headers, host: "localhost" },
      payload: { ae: "CT1", address: "127.0.0.1" },
    });
    assert.equal(answer.statusCode, 404);
  }
  assert.deepEqual(reached, []);
  assert.equal(http.actorOf({} as never), anonymous);
});

test("every answer forbids caching, framing, sniffing and foreign scripts", async () => {
  const { http } = await doorsOverNothing();
  for (const url of ["/", "/healthz", "/api/devices", "/nowhere"]) {
    const { headers } = await http.server.inject({ method: "GET", url });
    assert.equal(headers["cache-control"], "no-store", url);
    assert.equal(headers["x-content-type-options"], "nosniff", url);
    assert.match(String(headers["content-security-policy"]), /frame-ancestors 'none'/, url);
    assert.doesNotMatch(String(headers["content-security-policy"]), /script-src[^;]*unsafe-inline/, url);
    assert.match(String(headers["strict-transport-security"]), /max-age/, url);
  }
});
