import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { IdentityProviderRequest, RecoveryKit, SessionView } from "#formats/api";
import { operator } from "#trust/access";
import { startConfirmingHouse } from "../house/confirming-house.ts";
import { type DirectoryPerson, startCustomerProvider, walkThrough } from "../house/customer-provider.ts";
import { createAuthenticator } from "../people/authenticator.fixture.ts";

/* Sign-in through a customer's own identity provider (oidc-provider plays it), and row 86 of the attack table as far as it is about that. */

let house: Awaited<ReturnType<typeof startConfirmingHouse>>;
let provider: Awaited<ReturnType<typeof startCustomerProvider>>;
const people = new Map<string, DirectoryPerson>();
const origin = () => `https://localhost:${house.https}`;

const settings = (more: Partial<IdentityProviderRequest> = {}): IdentityProviderRequest => ({
  ...{ id: "hospital", label: "Hospital", issuer: provider.issuer, clientId: "leadglass" },
  clientSecret: provider.clientSecret,
  ...{ scopes: ["profile"], groupsClaim: "groups", strongAcr: ["phr"], strongAmr: ["mfa"] },
  rules: [
    { group: "rad", role: "radiologist", place: { kind: "tenant" }, purpose: "treatment" },
    { group: "it", role: "administrator", place: { kind: "tenant" }, purpose: "operations" },
  ],
  ...more,
});

before(async () => {
  house = await startConfirmingHouse({});
  provider = await startCustomerProvider(people, () => `${origin()}/sign-in-with/hospital/callback`);
  await house.identityProviders.put(settings());
  await house.signIn.createAccount("first", "four unrelated words here");
});
after(async () => {
  await house.remove();
  await provider.close();
});

function person(sub: string, more: Partial<DirectoryPerson> = {}): DirectoryPerson {
  const one = { sub, name: `${sub}@hospital.example`, groups: ["rad"], amr: ["mfa"], ...more };
  people.set(sub, one);
  return one;
}

function browser() {
  const cookies = new Map<string, string>();
  const send = async (method: string, path: string, body?: object) => {
    const answer = await house.fetch(path, {
      method,
      headers: {
        cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join("; "),
        "x-leadglass": "1",
        ...(body !== undefined && { "content-type": "application/json" }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    for (const set of answer.headers.getSetCookie()) {
      const [pair = ""] = set.split(";");
      const at = pair.indexOf("=");
      if (pair.endsWith("=")) cookies.delete(pair.slice(0, at));
      else cookies.set(pair.slice(0, at), pair.slice(at + 1));
    }
    return answer;
  };
  return { cookies, send };
}

type Page = ReturnType<typeof browser>;
const pathOf = (url: string) => `${new URL(url).pathname}${new URL(url).search}`;

/** To the provider and back to the callback's address, which is not yet asked for. */
async function comeBack(page: Page, sub: string | undefined): Promise<string> {
  if (sub === undefined) delete provider.at.person;
  else provider.at.person = sub;
  const sent = await page.send("GET", "/sign-in-with/hospital");
  assert.equal(sent.status, 303);
  const back = await walkThrough(sent.headers.get("location") ?? "");
  assert.equal(new URL(back).origin, origin());
  return pathOf(back);
}

async function signIn(page: Page, sub: string | undefined): Promise<string> {
  const answer = await page.send("GET", await comeBack(page, sub));
  assert.equal(answer.status, 303);
  return answer.headers.get("location") ?? "";
}

const sessionOf = async (page: Page) => {
  const answer = await page.send("GET", "/api/session");
  return answer.ok ? ((await answer.json()) as SessionView) : undefined;
};

test("who the provider vouches for with two factors is signed in, with what their groups are worth", async () => {
  person("s1");
  const page = browser();
  assert.equal(await signIn(page, "s1"), "/");
  const { account } = (await sessionOf(page)) ?? assert.fail("no session");
  assert.deepEqual([account.name, account.roles], ["hospital/s1@hospital.example", ["radiologist"]]);
});

test("groups are brought in line at each sign-in; what others gave stays", async () => {
  const one = person("s2");
  const page = browser();
  await signIn(page, "s2");
  const { account } = (await sessionOf(page)) ?? assert.fail("no session");
  const holder = `user:${account.id}`;
  await house.grants.give(
    holder,
    { role: "auditor", place: { kind: "tenant" }, purpose: "operations", endsAt: 0 },
    operator,
  );
  const rolesHeld = () =>
    house.grants
      .liveOf(holder)
      .map(({ role }) => role)
      .sort();
  one.groups = ["it", "unknown group"];
  assert.equal(await signIn(browser(), "s2"), "/");
  assert.deepEqual(rolesHeld(), ["administrator", "auditor"]);
  one.groups = [];
  assert.equal(await signIn(browser(), "s2"), "/#sign-in=nothing-granted");
  assert.deepEqual(rolesHeld(), ["auditor"]);
});

test("who leaves at the provider loses access here with the next sign-in, and their sessions end", async () => {
  const one = person("s3");
  const page = browser();
  await signIn(page, "s3");
  assert.ok(await sessionOf(page));
  one.groups = [];
  assert.equal(await signIn(browser(), "s3"), "/#sign-in=nothing-granted");
  assert.equal(await sessionOf(page), undefined);
});

test("an account is the issuer's subject: a name that comes back is somebody else", async () => {
  person("s4", { name: "shared" });
  person("s5", { name: "shared" });
  person("s6", { name: "first" });
  const names = [];
  for (const sub of ["s4", "s5", "s4", "s6"]) {
    const page = browser();
    await signIn(page, sub);
    names.push((await sessionOf(page))?.account.name ?? "");
  }
  assert.equal(names[0], names[2]);
  assert.notEqual(names[0], names[1]);
  assert.equal(names[3], "hospital/first", "never the local account of that name");
});

test("a single factor there asks for a passkey of ours beside it, from the first sign-in on", async () => {
  person("s7", { amr: ["pwd"] });
  const page = browser();
  const link = await signIn(page, "s7");
  assert.equal(await sessionOf(page), undefined);
  const secret = /^\/#setup=(.+)$/.exec(link)?.[1] ?? assert.fail(link);
  const authenticator = createAuthenticator({ origin: origin() });
  const options = (await (await page.send("POST", "/api/setup/passkey", { secret, name: "" })).json()) as {
    challenge: string;
  };
  const made = { secret, name: "Laptop", answer: authenticator.create(options) };
  const kit = (await (await page.send("POST", "/api/setup/passkey/confirm", made)).json()) as RecoveryKit;
  assert.deepEqual(kit.recoveryCodes, []);
  assert.ok(await sessionOf(page));

  const later = browser();
  assert.equal(await signIn(later, "s7"), "/#sign-in=passkey");
  assert.equal(await sessionOf(later), undefined);
  const prove = async (with_: Page) => {
    const asked = (await (await with_.send("POST", "/api/session/passkey/options", {})).json()) as {
      challenge: string;
    };
    return with_.send("POST", "/api/session/passkey", { answer: authenticator.get(asked) });
  };
  assert.equal((await prove(later)).status, 200);
  const alone = await prove(browser());
  assert.equal(alone.status, 409, "the passkey alone is no way round the provider");
  assert.match(((await alone.json()) as { message: string }).message, /signs in through Hospital/);
});

test("declined there, nobody is signed in here", async () => {
  const page = browser();
  assert.equal(await signIn(page, undefined), "/#sign-in=declined");
  assert.equal(await sessionOf(page), undefined);
});

test("86: an answer is taken once, by the browser that asked, for what it asked", async () => {
  person("s8");
  const page = browser();
  const back = await comeBack(page, "s8");
  const stranger = browser();
  assert.equal((await stranger.send("GET", back)).headers.get("location"), "/#sign-in=again", "no cookie");
  await stranger.send("GET", "/sign-in-with/hospital");
  assert.equal((await stranger.send("GET", back)).headers.get("location"), "/#sign-in=again", "another browser's");
  assert.equal(await sessionOf(stranger), undefined);
  const kept = new Map(page.cookies);
  assert.equal((await page.send("GET", back)).headers.get("location"), "/");
  const again = browser();
  for (const [name, value] of kept) again.cookies.set(name, value);
  assert.equal((await again.send("GET", back)).headers.get("location"), "/#sign-in=again", "replayed");
});

test("86: state, nonce, code, issuer and PKCE that do not belong together sign nobody in", async () => {
  person("s9");
  const tricks: readonly ((query: URLSearchParams, other: URLSearchParams) => void)[] = [
    (query) => query.set("state", "A".repeat(72)),
    (query) => query.delete("state"),
    (query) => query.append("state", query.get("state") ?? ""),
    (query, other) => query.set("state", other.get("state") ?? ""),
    (query) => query.set("code", "guess"),
    (query) => query.delete("code"),
    (query) => query.append("code", query.get("code") ?? ""),
    // A code of another round: its PKCE verifier and nonce are not this browser's (injection, RFC 9700 §4.5).
    (query, other) => query.set("code", other.get("code") ?? ""),
    // Another server's answer (mix-up, RFC 9207).
    (query) => query.set("iss", "https://evil.example"),
    (query) => query.delete("iss"),
    (query) => query.append("iss", "https://evil.example"),
    (query) => query.set("error", "server_error"),
    (query) => query.set("response", "eyJhbGciOiJub25lIn0.e30."),
    (query) => query.set("id_token", "eyJhbGciOiJub25lIn0.e30."),
  ];
  for (const [index, trick] of tricks.entries()) {
    const [page, other] = [browser(), browser()];
    const [mine, theirs] = [await comeBack(page, "s9"), await comeBack(other, "s9")];
    const url = new URL(mine, origin());
    trick(url.searchParams, new URL(theirs, origin()).searchParams);
    const answer = await page.send("GET", pathOf(url.href));
    assert.match(answer.headers.get("location") ?? "", /^\/#sign-in=/, `trick ${index}`);
    assert.equal(await sessionOf(page), undefined, `trick ${index}`);
  }
});

test("86: an answer of one provider is not taken at another's address", async () => {
  person("s10");
  await house.identityProviders.put(settings({ id: "other", label: "Other", clientId: "other" }));
  const page = browser();
  const back = await comeBack(page, "s10");
  const moved = back.replace("/hospital/", "/other/");
  assert.equal((await page.send("GET", moved)).headers.get("location"), "/#sign-in=again");
  assert.equal(await sessionOf(page), undefined);
  await house.identityProviders.remove("other", operator);
});

const redirectTricks = [
  ...[
    "?return=https://evil.example",
    "?next=//evil.example",
    "?redirect=https:evil.example",
    "?redirect_uri=https://evil.example",
  ],
  ...[
    "?url=%2F%2Fevil.example",
    "?continue=/\\evil.example",
    "?returnTo=javascript:alert(1)",
    "?target=data:text/html,x",
  ],
  ...[
    "?dest=https%3A%2F%2Fevil.example",
    "?r=%0d%0aLocation:%20https://evil.example",
    "?goto=http://localhost.evil.example",
  ],
  ...["?state=https://evil.example", "?iss=https://evil.example", "?login_hint=%22%3E%3Cscript%3E", "#@evil.example"],
  ...[
    "?target_link_uri=https://evil.example",
    "/%2f..%2f%2fevil.example",
    "/..;/evil.example",
    "?u=//evil.example/%2e%2e",
  ],
  "?RelayState=https://evil.example",
];

test(`86: ${redirectTricks.length} redirect tricks lead to the provider or to our own first page, nowhere else`, async () => {
  assert.equal(redirectTricks.length, 20);
  const wanted = `${origin()}/sign-in-with/hospital/callback`;
  for (const trick of redirectTricks) {
    for (const path of [`/sign-in-with/hospital${trick}`, `/sign-in-with/hospital/callback${trick}`]) {
      const answer = await browser().send("GET", path);
      const location = answer.headers.get("location");
      if (location === null) {
        assert.ok([400, 401, 404].includes(answer.status), `${path}: ${answer.status}`);
        continue;
      }
      const url = new URL(location, origin());
      if (url.origin === origin()) assert.equal(url.pathname, "/", path);
      else {
        assert.equal(url.origin, new URL(provider.issuer).origin, path);
        assert.equal(url.searchParams.get("redirect_uri"), wanted, path);
      }
    }
  }
});

test("what a provider may be is checked, its secret is sealed, and its issuer does not change", async () => {
  const bad: Partial<IdentityProviderRequest>[] = [
    { issuer: "http://idp.example.org" },
    { issuer: "https://idp.example.org/?x" },
    { issuer: "https://user:pass@idp.example.org" },
    { issuer: "javascript:alert(1)" },
    { id: "../x" },
    { label: " " },
    { clientId: "" },
    { rules: [{ group: "", role: "radiologist", place: { kind: "tenant" }, purpose: "treatment" }] },
  ];
  for (const more of bad) {
    await assert.rejects(
      house.identityProviders.put(settings({ id: "checked", ...more })),
      { code: "invalid" },
      JSON.stringify(more),
    );
  }
  await assert.rejects(house.identityProviders.put(settings({ issuer: "https://other.example" })), {
    code: "conflict",
  });
  const [kept] = await house.identityProviders.list();
  assert.ok(kept !== undefined && Buffer.from(kept.clientSecretSealed).includes("identity provider hospital"));
  const { clientSecret: _, ...unchanged } = settings();
  const put = await house.identityProviders.put(unchanged);
  assert.equal(house.identityProviders.secretOf(put), provider.clientSecret);
});

test("only an administrator configures providers, and the secret never comes back", async () => {
  const administrator = await house.person("boss");
  const reader = await house.person("reader", "radiologist");
  const theirs = await house.call(await administrator.session(), "GET", "/api/identity-providers");
  const text = await theirs.text();
  assert.ok(text.includes('"hasSecret":true') && !text.includes(provider.clientSecret));
  assert.equal((await house.call(await reader.session(), "GET", "/api/identity-providers")).status, 404);
  assert.equal((await house.call(await reader.session(), "PUT", "/api/identity-providers", settings())).status, 404);
  assert.equal((await house.call(await reader.session(), "DELETE", "/api/identity-providers/hospital")).status, 404);
});

test("a provider that does not answer is said to be unavailable, and is not waited for long", async () => {
  await house.identityProviders.put(settings({ id: "gone", label: "Gone", issuer: "http://127.0.0.1:9" }));
  const answer = await browser().send("GET", "/sign-in-with/gone");
  assert.equal(answer.headers.get("location"), "/#sign-in=unavailable");
  assert.equal((await browser().send("GET", "/sign-in-with/none")).headers.get("location"), "/#sign-in=absent");
  person("s11");
  const page = browser();
  const back = await comeBack(page, "s11");
  provider.silence();
  assert.equal((await page.send("GET", back)).headers.get("location"), "/#sign-in=unavailable");
});

test("what a provider gave ends when it is removed", async () => {
  const given = house.grants.holdersOf("radiologist").length;
  assert.ok(given > 0);
  await house.identityProviders.remove("hospital", operator);
  const left = (await house.grants.list()).filter(
    ({ givenBy, endedAt }) => givenBy === "provider:hospital" && endedAt === 0,
  );
  assert.deepEqual(left, []);
});
