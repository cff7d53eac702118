import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type {
  CredentialsView,
  IssuedLinkView,
  ProofView,
  RecoveryKit,
  SessionListing,
  SessionView,
} from "#formats/api";
import { totpCode } from "#trust/access";
import { startConfirmingHouse } from "../house/confirming-house.ts";
import { createAuthenticator } from "../people/authenticator.fixture.ts";

/* Rows 86, 87 and 90 of the attack table, as far as they are about our own sign-in: over HTTPS, against the real routes. */

type House = Awaited<ReturnType<typeof startConfirmingHouse>>;
let house: House;
const password = "four unrelated words here";

before(async () => {
  house = await startConfirmingHouse({});
});
after(() => house.remove());

/** What a browser keeps of its cookies between requests. */
function browser() {
  const cookies = new Map<string, string>();
  const send = async (method: string, path: string, body?: object, headers: Record<string, string> = {}) => {
    const answer = await house.fetch(path, {
      method,
      headers: {
        cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join("; "),
        "x-leadglass": "1",
        ...(body !== undefined && { "content-type": "application/json" }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    for (const set of answer.headers.getSetCookie()) {
      const [pair = "", ...attributes] = set.split("; ");
      const at = pair.indexOf("=");
      assert.match(pair, /^__Host-/);
      for (const wanted of ["Path=/", "Secure", "HttpOnly"]) assert.ok(attributes.includes(wanted), set);
      assert.ok(
        attributes.some((each) => each === "SameSite=Strict"),
        set,
      );
      cookies.set(pair.slice(0, at), pair.slice(at + 1));
    }
    return answer;
  };
  const ask = async <T>(method: string, path: string, body?: object): Promise<T> => {
    const answer = await send(method, path, body);
    assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${answer.ok ? "" : await answer.clone().text()}`);
    return (answer.status === 204 ? undefined : await answer.json()) as T;
  };
  return { cookies, send, ask };
}

const origin = () => `https://localhost:${house.https}`;

/** Somebody with a passkey and a session, who came by an invitation. */
async function arrived(name: string) {
  const page = browser();
  const authenticator = createAuthenticator({ origin: origin() });
  const terms = { role: "administrator", place: { kind: "tenant" }, purpose: "operations", endsAt: 0 } as const;
  if (!(await house.signIn.hasAccount())) await house.signIn.createAccount("first", password);
  const { secret } = await house.people.invite(name, [terms], { kind: "operator", id: "operator" });
  const options = await page.ask<{ challenge: string }>("POST", "/api/setup/passkey", { secret, name });
  const answer = authenticator.create(options);
  const kit = await page.ask<RecoveryKit>("POST", "/api/setup/passkey/confirm", { secret, name: "Laptop", answer });
  return { page, authenticator, kit };
}

async function signIn(page: ReturnType<typeof browser>, authenticator: ReturnType<typeof createAuthenticator>) {
  const options = await page.ask<{ challenge: string }>("POST", "/api/session/passkey/options", {});
  return page.send("POST", "/api/session/passkey", { answer: authenticator.get(options) });
}

test("a passkey signs in without a name being typed, in a browser that nobody knows", async () => {
  const { authenticator } = await arrived("ada");
  const page = browser();
  const answer = await signIn(page, authenticator);
  assert.equal(((await answer.json()) as SessionView).account.name, "ada");
  assert.ok(page.cookies.has("__Host-leadglass-known"));
});

test("87: a proof that another browser asked for signs nobody in", async () => {
  const { authenticator } = await arrived("bea");
  const [theirs, mine] = [browser(), browser()];
  const options = await theirs.ask<{ challenge: string }>("POST", "/api/session/passkey/options", {});
  for (const page of [mine, browser()]) {
    if (page === mine) await page.ask("POST", "/api/session/passkey/options", {});
    const answer = await page.send("POST", "/api/session/passkey", { answer: authenticator.get(options) });
    assert.equal(answer.status, 400);
  }
});

test("session fixation: a secret that was there before signing in opens nothing afterwards", async () => {
  const { authenticator, page } = await arrived("cleo");
  const planted = browser();
  planted.cookies.set("__Host-leadglass", "A".repeat(43));
  await signIn(planted, authenticator);
  assert.notEqual(planted.cookies.get("__Host-leadglass"), "A".repeat(43));
  const before = page.cookies.get("__Host-leadglass") ?? "";
  await signIn(page, authenticator);
  const stale = browser();
  stale.cookies.set("__Host-leadglass", before);
  assert.equal((await stale.send("GET", "/api/session")).status, 401);
});

test("login CSRF: another page signs no browser in, as anybody", async () => {
  const { authenticator } = await arrived("dora");
  const page = browser();
  const options = await page.ask<{ challenge: string }>("POST", "/api/session/passkey/options", {});
  const foreign: Record<string, string>[] = [
    { origin: "https://evil.example" },
    { origin: `https://evil.localhost:${house.https}` },
    { origin: "null" },
    { "sec-fetch-site": "cross-site" },
    { "sec-fetch-site": "same-site" },
  ];
  for (const headers of foreign) {
    const body = { answer: authenticator.get(options) };
    const answer = await page.send("POST", "/api/session/passkey", body, headers);
    assert.ok([401, 404].includes(answer.status), JSON.stringify(headers));
    assert.equal(answer.headers.getSetCookie().length, 0);
    assert.ok(
      (await page.send("POST", "/api/session", { name: "first", password, code: "000000" }, headers)).status >= 400,
    );
  }
  const asForm = { "content-type": "application/x-www-form-urlencoded" };
  const form = await house.fetch("/api/session", {
    method: "POST",
    headers: asForm,
    body: "name=first&password=x&code=1",
  });
  assert.equal(form.status, 415);
  assert.equal(page.cookies.has("__Host-leadglass"), false);
});

test("90: what must be shown again is refused to a session that is five minutes old, until it was", async () => {
  const { page, authenticator } = await arrived("eve");
  const [held] = (await page.ask<CredentialsView>("GET", "/api/credentials")).passkeys;
  assert.equal(held?.name, "Laptop");
  const session = house.sessions.of(page.cookies.get("__Host-leadglass") ?? "")?.session ?? assert.fail("no session");
  Object.assign(session, { authenticatedAt: session.authenticatedAt - 6 * 60_000 });
  const refused = await page.send("POST", "/api/credentials/recovery-codes");
  assert.equal(refused.status, 403);
  assert.equal(((await refused.json()) as { code: string }).code, "unproven");
  for (const body of [{ code: "000000" }, {}, { answer: {} }]) {
    assert.equal((await page.send("POST", "/api/session/again", body)).status, 400);
  }
  assert.equal((await page.send("POST", "/api/credentials/recovery-codes")).status, 403);
  const options = await page.ask<{ challenge: string }>("POST", "/api/session/again/options", {});
  const proof = await page.ask<ProofView>("POST", "/api/session/again", { answer: authenticator.get(options) });
  assert.ok(proof.code.length > 32);
  assert.equal((await page.ask<RecoveryKit>("POST", "/api/credentials/recovery-codes")).recoveryCodes.length, 8);
});

test("one sees one's own sessions, ends them, and not those of others", async () => {
  const { page, authenticator } = await arrived("fay");
  const elsewhere = browser();
  await signIn(elsewhere, authenticator);
  const listed = await page.ask<SessionListing[]>("GET", "/api/sessions");
  assert.deepEqual(listed.map(({ holder, isThis }) => [holder, isThis]).sort(), [
    ["fay", false],
    ["fay", true],
  ]);
  const { page: stranger } = await arrived("gail");
  const foreign = listed.find(({ isThis }) => !isThis)?.id ?? "";
  assert.equal((await stranger.send("DELETE", `/api/sessions/${foreign}`)).status, 404);
  assert.ok((await elsewhere.send("GET", "/api/session")).ok);
  await page.ask("DELETE", `/api/sessions/${foreign}`);
  assert.equal((await elsewhere.send("GET", "/api/session")).status, 401);
  assert.ok((await page.send("GET", "/api/session")).ok);
});

test("an administrator sees who is signed in and ends it; somebody else gets nothing", async () => {
  const { page } = await arrived("hana");
  const { page: other } = await arrived("ida");
  const person = await house.person("reader", "radiologist");
  const reader = browser();
  reader.cookies.set("__Host-leadglass", await person.session());
  assert.equal((await reader.send("GET", "/api/sessions/everybody")).status, 404);
  const all = await page.ask<SessionListing[]>("GET", "/api/sessions/everybody");
  const theirs = all.find(({ holder }) => holder === "ida")?.id ?? "";
  assert.equal((await reader.send("DELETE", `/api/sessions/everybody/${theirs}`)).status, 404);
  await page.ask("DELETE", `/api/sessions/everybody/${theirs}`);
  assert.equal((await other.send("GET", "/api/session")).status, 401);
});

test("another administrator gives a link to new ways in; nobody gives one to themselves; the old end at once", async () => {
  const { page: lost, authenticator } = await arrived("jane");
  const { page: other } = await arrived("kim");
  const own = await other.send("POST", "/api/accounts/recovery", { name: "kim", reason: "phone lost" });
  assert.equal(own.status, 409);
  assert.equal(
    (await other.send("POST", "/api/accounts/recovery", { name: "nobody", reason: "phone lost" })).status,
    404,
  );
  const issued = await other.ask<IssuedLinkView>("POST", "/api/accounts/recovery", {
    name: "jane",
    reason: "phone lost",
  });
  const secret = new URL(issued.link).hash.replace("#setup=", "");
  assert.equal((await lost.send("GET", "/api/session")).status, 401);
  assert.equal((await signIn(browser(), authenticator)).status, 400);
  const page = browser();
  const begun = await page.ask<{ totpSecret: string }>("POST", "/api/setup/account", { secret, name: "", password });
  const seed = Buffer.from(bitsOf(begun.totpSecret), "hex");
  await page.ask("POST", "/api/setup/confirm", { secret, code: totpCode(seed, Date.now()) });
  assert.equal((await page.ask<SessionView>("GET", "/api/session")).account.name, "jane");
  assert.equal((await page.send("POST", "/api/setup/link", { secret })).status, 404, "once");
  const entries = await house.audit.entries(0, house.audit.size());
  assert.ok(entries.some(({ act, outcome }) => act === "account.recover" && outcome === "done"));
});

test("what was wrong about a sign-in is in the log, and the answer does not tell", async () => {
  const before = house.audit.size();
  const answers = await Promise.all(
    [
      { name: "first", password: "wrong", code: "000000" },
      { name: "nobody", password, code: "000000" },
    ].map(async (body) => (await browser().send("POST", "/api/session", body)).text()),
  );
  assert.equal(answers[0], answers[1]);
  const entries = await house.audit.entries(before, house.audit.size());
  assert.equal(entries.filter(({ act, outcome }) => act === "session.begin" && outcome === "refused").length, 2);
});

/** Base32 as hexadecimal digits. */
function bitsOf(base32: string): string {
  const bits = [...base32].map((each) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(each).toString(2).padStart(5, "0"));
  return (bits.join("").match(/.{8}/g) ?? [])
    .map((byte) => Number.parseInt(byte, 2).toString(16).padStart(2, "0"))
    .join("");
}
