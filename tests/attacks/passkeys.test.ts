import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { createVirtualClock } from "#base/clock";
import { systemRandom } from "#base/id";
import { createLog } from "#base/log";
import { createMemoryAccessStore } from "#stores/memory";
import { createGrants, createPeople, createWaysIn } from "#trust/access";
import { openBox } from "../../trust/access/confirmations.fixture.ts";
import { createAuthenticator, type Tweaks } from "../people/authenticator.fixture.ts";

/* Row 87 of the attack table: passkeys that must not be believed. */

const origin = "https://leadglass.example.org:8443";
const place = { origin, boundTo: "browser" };

async function house() {
  const clock = createVirtualClock();
  const store = createMemoryAccessStore();
  const lines: string[] = [];
  const log = createLog({ sink: (line) => lines.push(line), clock });
  const shared = { store, box: openBox, random: systemRandom, clock, log };
  const grants = await createGrants(shared);
  const people = createPeople({ ...shared, grants });
  return { clock, store, lines, grants, people, ...(await createWaysIn({ ...shared, grants, people })) };
}

/** An administrator who has a passkey and nothing else. */
async function withPasskey() {
  const parts = await house();
  const authenticator = createAuthenticator({ origin });
  const { setup, passkeys } = parts;
  const answer = authenticator.create(await setup.beginPasskey(setup.secret, "ada", origin));
  const { account, recoveryCodes } = await setup.confirmPasskey(setup.secret, answer, "Laptop", origin);
  const proof = async (tweaks?: Tweaks) => authenticator.get(await passkeys.beginProof(place), tweaks);
  const prove = async (tweaks?: Tweaks) => passkeys.prove(place, await proof(tweaks));
  return { ...parts, authenticator, account, recoveryCodes, proof, prove };
}

const refused = { code: "invalid", message: "this passkey was not accepted" };

test("a passkey alone makes an account and signs in, and its use is noted", async () => {
  const { prove, account, store, recoveryCodes } = await withPasskey();
  assert.equal((await prove()).accountId, account.id);
  const [passkey] = await store.passkeysOf(account.id);
  assert.deepEqual([passkey?.name, passkey?.counter, recoveryCodes.length], ["Laptop", 2, 8]);
  assert.equal((await store.account(account.id))?.passwordHash, "");
});

const wrong: readonly (readonly [string, Tweaks])[] = [
  ["of another site", { origin: "https://leadglass.example.com:8443" }],
  ["of another port", { origin: "https://leadglass.example.org" }],
  ["of a subdomain", { origin: "https://evil.leadglass.example.org:8443" }],
  ["without TLS", { origin: "http://leadglass.example.org:8443" }],
  ["for another relying party", { rpId: "example.org" }],
  ["in a foreign frame", { crossOrigin: true, origin: "https://evil.example" }],
  ["of a registration", { type: "webauthn.create" }],
  ["without user verification", { isUserVerified: false }],
  ["without anybody present", { isUserPresent: false }],
  ["signed by another key", { key: generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey }],
  ["for another person", { userHandle: Buffer.from("somebody else").toString("base64url") }],
  ["for nobody", { userHandle: "" }],
  ["with a challenge of its own", { challenge: Buffer.alloc(54).toString("base64url") }],
];

for (const [what, tweaks] of wrong) {
  test(`87: a proof ${what} is refused`, async () => {
    const { prove } = await withPasskey();
    await assert.rejects(prove(tweaks), refused);
    await prove();
  });
}

test("87: a counter that went back or stood still is refused, and somebody is told", async () => {
  const { prove, lines } = await withPasskey();
  await prove({ counter: 10 });
  for (const counter of [10, 9, 1, 0]) await assert.rejects(prove({ counter }), refused);
  assert.equal(lines.filter((line) => line.includes("there may be a copy")).length, 4);
  await prove({ counter: 11 });
});

test("87: an authenticator that does not count is taken as one", async () => {
  const parts = await house();
  const authenticator = createAuthenticator({ origin });
  const options = await parts.setup.beginPasskey(parts.setup.secret, "ada", origin);
  await parts.setup.confirmPasskey(parts.setup.secret, authenticator.create(options, { counter: 0 }), "Phone", origin);
  for (let times = 0; times < 2; times++) {
    const answer = authenticator.get(await parts.passkeys.beginProof(place), { counter: 0 });
    await parts.passkeys.prove(place, answer);
  }
});

test("87: a proof is taken once, in the browser that asked for it, within five minutes", async () => {
  const { proof, passkeys, clock } = await withPasskey();
  const answer = await proof();
  await assert.rejects(passkeys.prove({ ...place, boundTo: "another browser" }, answer), refused);
  await passkeys.prove(place, answer);
  await assert.rejects(passkeys.prove(place, answer), refused, "replayed");
  const late = await proof();
  clock.advance(5 * 60_000);
  await assert.rejects(passkeys.prove(place, late), refused);
});

test("87: two uses of one proof at once are one sign-in", async () => {
  const { proof, passkeys } = await withPasskey();
  const answer = await proof();
  const both = await Promise.allSettled([passkeys.prove(place, answer), passkeys.prove(place, answer)]);
  assert.deepEqual(both.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
});

test("87: a credential that nobody registered, or of another account, proves nothing", async () => {
  const { passkeys, account } = await withPasskey();
  const foreign = createAuthenticator({ origin });
  const options = await passkeys.beginProof(place);
  await assert.rejects(passkeys.prove(place, foreign.get(options)), refused);
  const { authenticator, passkeys: theirs } = await withPasskey();
  const asked = await theirs.beginProof(place, account.id);
  await assert.rejects(theirs.prove(place, authenticator.get(asked), account.id), refused, "asked of another account");
});

test("87: a proof for showing again who it is does not sign in, nor the other way round", async () => {
  const { passkeys, authenticator, account } = await withPasskey();
  const again = authenticator.get(await passkeys.beginProof(place, account.id));
  await assert.rejects(passkeys.prove(place, again), refused);
  const signIn = authenticator.get(await passkeys.beginProof(place));
  await assert.rejects(passkeys.prove(place, signIn, account.id), refused);
});

const wrongNew: readonly (readonly [string, Tweaks])[] = [
  ["of another site", { origin: "https://evil.example" }],
  ["for another relying party", { rpId: "evil.example" }],
  ["without user verification", { isUserVerified: false }],
  ["of a sign-in", { type: "webauthn.get" }],
  ["with a challenge of its own", { challenge: "AAAA" }],
];

for (const [what, tweaks] of wrongNew) {
  test(`87: a new passkey ${what} is refused and nothing is made`, async () => {
    const { setup, signIn } = await house();
    const options = await setup.beginPasskey(setup.secret, "ada", origin);
    const answer = createAuthenticator({ origin }).create(options, tweaks);
    await assert.rejects(setup.confirmPasskey(setup.secret, answer, "Laptop", origin), refused);
    assert.equal(await signIn.hasAccount(), false);
  });
}

test("87: whatever an authenticator answers, it is refused as a wrong one, never a fault", async () => {
  const { passkeys, authenticator } = await withPasskey();
  const good = authenticator.get(await passkeys.beginProof(place));
  const json = fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)) as unknown);
  const part = fc.constantFrom("clientDataJSON", "authenticatorData", "signature", "userHandle");
  await fc.assert(
    fc.asyncProperty(part, fc.oneof(json, fc.base64String()), async (name, value) => {
      const answer = { ...good, response: { ...good.response, [name]: value } };
      await assert.rejects(passkeys.prove(place, answer), refused);
    }),
    { numRuns: 300 },
  );
  await fc.assert(
    fc.asyncProperty(fc.dictionary(fc.constantFrom("id", "rawId", "type", "response"), json), async (odd) => {
      await assert.rejects(passkeys.prove(place, { ...odd }), refused);
      await assert.rejects(passkeys.prove(place, { id: good.id, ...odd }), refused);
    }),
  );
});

test("a passkey is not made twice for an account, and pages at a numeric address have none", async () => {
  const { passkeys, account, authenticator } = await withPasskey();
  const { excludeCredentials = [] } = await passkeys.beginRegistration(account, place);
  assert.deepEqual(
    excludeCredentials.map(({ id }) => id),
    [authenticator.id],
  );
  for (const numeric of ["https://192.0.2.1:8443", "https://[2001:db8::1]"]) {
    assert.equal(passkeys.isOffered(numeric), false);
    await assert.rejects(passkeys.beginProof({ origin: numeric, boundTo: "b" }), { code: "unsupported" });
  }
});

test("the last passkey is never taken away; beside another one it is", async () => {
  const { passkeys, credentials, sessions, account, authenticator } = await withPasskey();
  const { session } = await sessions.begin(`user:${account.id}`, { userAgent: "", address: "" });
  const gone = credentials.removePasskey(session, account.id, authenticator.id);
  await assert.rejects(gone, { code: "conflict", message: /last way in/ });
  const second = createAuthenticator({ origin });
  const options = await passkeys.beginRegistration(account, place);
  await credentials.addPasskey(session, await passkeys.register(account, place, second.create(options), "Key"));
  await credentials.removePasskey(session, account.id, authenticator.id);
  await assert.rejects(passkeys.prove(place, authenticator.get(await passkeys.beginProof(place))), refused);
  const answer = second.get(await passkeys.beginProof(place));
  assert.equal((await passkeys.prove(place, answer)).name, "Key");
});

test("a recovery code of who has passkeys alone signs nobody in: it leads to new ways in, and the old end", async () => {
  const { signIn, recovery, setup, prove, account, recoveryCodes } = await withPasskey();
  const caller = { address: "a" };
  const [code = ""] = recoveryCodes;
  await assert.rejects(signIn.check("ada", "", code, caller), { code: "invalid" });
  await assert.rejects(signIn.checkRecoveryCode("ada", "0000", caller), { code: "invalid" });
  assert.equal((await signIn.checkRecoveryCode("ADA ", code.toLowerCase(), caller)).id, account.id);
  const { secret } = await recovery.beginWithCode(account.id);
  await assert.rejects(prove(), refused);
  const fresh = createAuthenticator({ origin });
  const arrival = await setup.confirmPasskey(
    secret,
    fresh.create(await setup.beginPasskey(secret, "", origin)),
    "New phone",
    origin,
  );
  assert.equal(arrival.account.id, account.id);
  assert.equal(arrival.recoveryCodes.length, 8);
});

test("a link that adds a passkey leaves the ways in there are, and makes no password", async () => {
  const { recovery, setup, prove, account, store } = await withPasskey();
  const { secret } = await recovery.enrol(account.id);
  await assert.rejects(setup.begin(secret, "", "four unrelated words here"), { code: "invalid" });
  const second = createAuthenticator({ origin });
  await setup.confirmPasskey(secret, second.create(await setup.beginPasskey(secret, "", origin)), "Phone", origin);
  assert.equal((await store.passkeysOf(account.id)).length, 2);
  await prove();
});

test("who has a password is not let in by a recovery code alone", async () => {
  const { signIn } = await house();
  const { recoveryCodes } = await signIn.createAccount("bob", "four unrelated words here");
  await assert.rejects(signIn.checkRecoveryCode("bob", recoveryCodes[0] ?? "", { address: "a" }), { code: "invalid" });
});
