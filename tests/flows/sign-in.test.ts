import assert from "node:assert/strict";
import { test } from "node:test";
import { createVirtualClock } from "#base/clock";
import { systemRandom } from "#base/id";
import { createLog } from "#base/log";
import { createMemoryAccessStore } from "#stores/memory";
import {
  createDevices,
  createGrants,
  createPeople,
  createPolicy,
  createWaysIn,
  operator,
  type Role,
  requireRecent,
  system,
  totpCode,
} from "#trust/access";
import { openBox } from "../../trust/access/confirmations.fixture.ts";

const password = "four unrelated words here";
const here = { userAgent: "Firefox", address: "192.0.2.1" };
const tenant = { kind: "tenant" } as const;

/** Everything around signing in, in memory; `restart` is a new process on the same store. */
async function house() {
  const clock = createVirtualClock();
  const store = createMemoryAccessStore();
  const lines: string[] = [];
  const log = createLog({ sink: (line) => lines.push(line), clock });
  const open = async () => {
    const shared = { store, box: openBox, random: systemRandom, clock, log };
    const grants = await createGrants(shared);
    const people = createPeople({ ...shared, grants });
    return { ...(await createWaysIn({ ...shared, grants, people })), grants, people, policy: createPolicy(grants) };
  };
  return { clock, store, lines, ...(await open()), restart: open };
}

async function withAdministrator() {
  const parts = await house();
  const { account, seed, recoveryCodes } = await parts.signIn.createAccount("Admin@Example.org", password);
  const code = () => totpCode(seed, parts.clock.now());
  const check = (typed: { name?: string; password?: string; code?: string; from?: string; known?: string } = {}) =>
    parts.signIn.check(typed.name ?? "admin@example.org", typed.password ?? password, typed.code ?? code(), {
      address: typed.from ?? "a",
      ...(typed.known !== undefined && { knownBrowser: typed.known }),
    });
  const begin = () => parts.sessions.begin(`user:${account.id}`, here);
  return { ...parts, account, holder: `user:${account.id}`, seed, recoveryCodes, code, check, begin };
}

test("name, password and code together let a person in, whatever case the name was typed in", async () => {
  const { check } = await withAdministrator();
  assert.equal((await check({ name: " ADMIN@example.org " })).name, "admin@example.org");
});

test("any one of the three wrong gives the same answer", async () => {
  const { check } = await withAdministrator();
  for (const wrong of [{ name: "other" }, { password: "another password" }, { code: "000000" }, { code: "" }]) {
    await assert.rejects(check(wrong), { code: "invalid", message: "name, password or code is wrong" });
  }
});

test("a code works once, and the one before the newest used one no more", async () => {
  const { check, code, clock, seed } = await withAdministrator();
  const used = code();
  await check({ code: used });
  await assert.rejects(check({ code: used }), { code: "invalid" });
  await assert.rejects(check({ code: totpCode(seed, clock.now() - 30_000) }), { code: "invalid" });
  clock.advance(30_000);
  await check();
});

test("a code of half a minute ago still works, one of two minutes ago does not", async () => {
  const { check, clock, code } = await withAdministrator();
  const old = code();
  clock.advance(30_000);
  await check({ code: old });
  const older = code();
  clock.advance(120_000);
  await assert.rejects(check({ code: older }), { code: "invalid" });
});

test("a recovery code stands in for the authenticator, once, however it is typed", async () => {
  const { check, recoveryCodes } = await withAdministrator();
  assert.equal(recoveryCodes.length, 8);
  const [first = ""] = recoveryCodes;
  await check({ code: first.toLowerCase().replaceAll("-", " ") });
  await assert.rejects(check({ code: first }), { code: "invalid" });
});

test("guessing is slowed down, and the slowing ends", async () => {
  const { check, clock } = await withAdministrator();
  for (let i = 0; i < 5; i++) await assert.rejects(check({ code: "000000" }), { code: "invalid" });
  await assert.rejects(check(), { code: "busy", remedy: /try again in \d+ s/ });
  assert.ok(await check({ from: "elsewhere" }), "the person at another address is not locked out");
  clock.advance(60_000);
  await check();
});

test("who has signed in with a browser is let in at once, however many others guess", async () => {
  const { signIn, check, clock, account } = await withAdministrator();
  const known = await signIn.knowBrowser(account.id);
  for (let machine = 0; machine < 60; machine++) {
    await check({ code: "000000", from: `botnet ${machine}` }).catch(() => {});
  }
  await assert.rejects(
    check({ from: "a new place" }),
    { code: "busy" },
    "a browser that nobody knows waits, half a minute at most",
  );
  await check({ known, from: "botnet 1" });
  clock.advance(30_000);
  await check({ from: "a new place" });
});

test("a known browser is slowed down for its own guesses, and is known for its own account alone", async () => {
  const { signIn, check, account } = await withAdministrator();
  const known = await signIn.knowBrowser(account.id);
  for (let i = 0; i < 5; i++) await assert.rejects(check({ known, code: "000000" }), { code: "invalid" });
  await assert.rejects(check({ known }), { code: "busy" });
  assert.ok(await check({ from: "elsewhere" }), "another browser is not");
  for (let i = 0; i < 5; i++) await assert.rejects(check({ name: "other", known, from: "b" }), { code: "invalid" });
  await assert.rejects(check({ name: "other", known, from: "b" }), { code: "busy" });
});

test("many guesses at once are no way round", async () => {
  const { check } = await withAdministrator();
  const answers = await Promise.allSettled(Array.from({ length: 12 }, () => check({ code: "000000" })));
  const checked = answers.filter((each) => each.status === "rejected" && each.reason.code === "invalid");
  assert.equal(checked.length, 5);
});

const limits: readonly (readonly [Role, number, number])[] = [
  ["administrator", 15, 8],
  ["radiologist", 30, 12],
  ["patient", 15, 1],
];

for (const [role, idleMinutes, hours] of limits) {
  test(`a session of a ${role} ends after ${idleMinutes} minutes without use, and after ${hours} hours`, async () => {
    const { sessions, grants, clock } = await house();
    await grants.give("user:p", { role, place: tenant, purpose: "treatment", endsAt: 0 }, operator);
    const idle = await sessions.begin("user:p", here);
    clock.advance(idleMinutes * 60_000 - 1);
    assert.ok(sessions.of(idle.secret, "watch"));
    const actor = sessions.of(idle.secret)?.actor;
    clock.advance(idleMinutes * 60_000);
    assert.equal(sessions.of(idle.secret), undefined);
    assert.equal(actor?.isLive?.(), false, "what it had open ends with it");
    const long = await sessions.begin("user:p", here);
    const steps = Math.floor((hours * 60 - 1) / 10);
    for (let step = 0; step < steps; step++) {
      clock.advance(10 * 60_000);
      assert.ok(sessions.of(long.secret), `after ${(step + 1) * 10} minutes of use`);
    }
    clock.advance(10 * 60_000);
    assert.equal(sessions.of(long.secret), undefined);
  });
}

test("of several roles the strictest counts, also of one that was given later", async () => {
  const { sessions, grants, clock } = await house();
  const give = (role: Role) =>
    grants.give("user:p", { role, place: tenant, purpose: "treatment", endsAt: 0 }, operator);
  await give("radiologist");
  const { secret } = await sessions.begin("user:p", here);
  clock.advance(20 * 60_000);
  assert.ok(sessions.of(secret));
  await give("administrator");
  clock.advance(20 * 60_000);
  assert.equal(sessions.of(secret), undefined);
});

test("watching does not count as using: an open page alone does not keep a session alive", async () => {
  const { begin, sessions, clock } = await withAdministrator();
  const { secret } = await begin();
  for (let i = 0; i < 2; i++) {
    clock.advance(6 * 60_000);
    assert.ok(sessions.of(secret, "watch"));
  }
  clock.advance(4 * 60_000);
  assert.equal(sessions.of(secret, "watch"), undefined);
});

test("a session ends with the last grant of its holder, at once and for what it has open", async () => {
  const { begin, sessions, grants, policy, holder, people, store } = await withAdministrator();
  const other = await grants.give(
    "user:2",
    { role: "administrator", place: tenant, purpose: "operations", endsAt: 0 },
    operator,
  );
  const { secret } = await begin();
  const actor = sessions.of(secret)?.actor;
  assert.ok(actor !== undefined && policy.decide(actor, "session.read").isAllowed);
  const told: string[] = [];
  sessions.watchEnded((each) => told.push(each));
  await grants.endAllOf(holder, operator);
  assert.equal(policy.decide(actor, "session.read").isAllowed, false);
  assert.equal(sessions.of(secret), undefined);
  assert.deepEqual(told, [holder]);
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(await store.sessions(), []);
  assert.equal(other.endedAt, 0);
  await people.remove("admin@example.org", operator);
});

test("sessions are listed with where they were begun, and ended one by one or all but this", async () => {
  const { begin, sessions, holder, store } = await withAdministrator();
  const [first, second, third] = [await begin(), await begin(), await begin()];
  assert.deepEqual(sessions.list(holder).map(({ userAgent, address }) => [userAgent, address])[0], [
    "Firefox",
    "192.0.2.1",
  ]);
  assert.ok(
    (await store.sessions()).every(({ fromSealed }) => Buffer.from(fromSealed).includes("session ")),
    "sealed",
  );
  assert.equal(await sessions.end(first.session.digest, "user:another"), false, "not somebody else's");
  assert.equal(await sessions.end(first.session.digest, holder), true);
  assert.equal(sessions.of(first.secret), undefined);
  await sessions.endAllOf(holder, third.session);
  assert.equal(sessions.of(second.secret), undefined);
  assert.ok(sessions.of(third.secret));
  assert.deepEqual(
    sessions.list().map(({ id }) => id),
    [third.session.digest],
  );
});

test("a restart goes on with the sessions there are, as they were last seen and proven", async () => {
  const { begin, restart, clock, sessions } = await withAdministrator();
  const { secret, session } = await begin();
  clock.advance(10 * 60_000);
  assert.throws(() => requireRecent(session, clock), { code: "unproven" });
  await sessions.provedAgain(session);
  clock.advance(4 * 60_000);
  const again = (await restart()).sessions.of(secret);
  assert.ok(again !== undefined);
  requireRecent(again.session, clock);
  clock.advance(15 * 60_000);
  assert.equal((await restart()).sessions.of(secret), undefined);
});

test("a session that could not be stored was never begun, and one whose end could not be stored is over all the same", async () => {
  const { begin, sessions, store, holder } = await withAdministrator();
  store.failNext(new Error("disk"), "addSession");
  await assert.rejects(begin());
  assert.deepEqual(sessions.list(holder), []);
  const { secret, session } = await begin();
  store.failNext(new Error("disk"), "endSession");
  await assert.rejects(sessions.end(session.digest));
  assert.equal(sessions.of(secret), undefined);
});

test("a token names its program until it ends, and the store holds no secret", async () => {
  const { clientTokens, store, clock } = await house();
  const { secret } = await clientTokens.issue("script", 10);
  const actor = await clientTokens.of(secret);
  assert.equal(actor?.kind, "client");
  const second = (await clientTokens.issue("script", 10)).secret;
  assert.equal((await clientTokens.of(second))?.id, actor?.id, "one program, two tokens");
  assert.equal(await clientTokens.of(`${secret}x`), undefined);
  assert.equal(await store.token(secret), undefined);
  clock.advance(10 * 60_000);
  assert.equal(await clientTokens.of(secret), undefined);
  assert.equal(actor?.isLive?.(), false);
});

test("a token is read from the store once: after that a request costs no read", async () => {
  const { clientTokens, restart, store } = await house();
  const { secret } = await clientTokens.issue("script", 10);
  const { clientTokens: later } = await restart();
  assert.ok(await later.of(secret));
  store.failNext(new Error("disk"), "token");
  assert.ok(await later.of(secret));
});

test("a common password and a name with control characters are refused with what to do", async () => {
  const { signIn } = await house();
  await assert.rejects(signIn.createAccount("a", "short"), { code: "invalid", remedy: /words/ });
  await assert.rejects(signIn.createAccount("a", "password1234"), { code: "invalid", remedy: /words/ });
  await assert.rejects(signIn.createAccount("a\u0007", password), { code: "invalid" });
});

test("the first start makes one administrator, with the secret of this start only", async () => {
  const { signIn, setup, clock } = await house();
  assert.ok(await setup.needed());
  await assert.rejects(setup.begin("guess", "admin", password), { code: "denied" });
  const pending = await setup.begin(setup.secret, "admin", password);
  await assert.rejects(setup.confirm(setup.secret, "000000"), { code: "invalid" });
  assert.ok(await setup.needed(), "nothing was stored by a wrong code");
  const { account, kind, recoveryCodes } = await setup.confirm(setup.secret, totpCode(pending.seed, clock.now()));
  assert.deepEqual([account.name, kind, recoveryCodes.length], ["admin", "first", 8]);
  assert.ok(await signIn.hasAccount());
  await assert.rejects(setup.begin(setup.secret, "second", password), { code: "denied" });
});

test("another administrator's link ends all ways in at once, and leads to new ones; grants stay", async () => {
  const house = await withAdministrator();
  const { recovery, setup, sessions, grants, begin, check, clock, account, holder, signIn, recoveryCodes } = house;
  const by = { ...system, id: "user:second" };
  const { secret: signedIn } = await begin();
  const known = await signIn.knowBrowser(account.id);
  const held = grants.liveOf(holder).length;
  await assert.rejects(recovery.begin(account.id, "", by), { code: "invalid" }, "with a reason");
  await assert.rejects(recovery.begin(account.id, "lost", { ...by, id: holder }), { code: "conflict" }, "not oneself");
  await assert.rejects(recovery.begin("nobody", "lost", by), { code: "absent" });
  const told: string[] = [];
  recovery.watch((accountId, issuedBy) => told.push(`${accountId} ${issuedBy}`));
  const { secret } = await recovery.begin(account.id, "phone lost", by);
  assert.deepEqual(told, [`${account.id} user:second`]);
  assert.equal(sessions.of(signedIn), undefined);
  await assert.rejects(check({ known }), { code: "invalid" });
  await assert.rejects(check({ code: recoveryCodes[0] ?? "" }), { code: "invalid" });
  assert.deepEqual((await setup.linkOf(secret)).kind, "recover");
  const pending = await setup.begin(secret, "a name that is not heeded", "another four unrelated words");
  clock.advance(60_000);
  const arrival = await setup.confirm(secret, totpCode(pending.seed, clock.now()));
  assert.equal(arrival.account.id, account.id);
  await assert.rejects(setup.linkOf(secret), { code: "denied" }, "once");
  clock.advance(60_000);
  const typed = { password: "another four unrelated words", code: totpCode(pending.seed, clock.now()), from: "home" };
  assert.equal((await check(typed)).id, account.id);
  assert.equal(grants.liveOf(holder).length, held);
});

test("a recovery link holds a day, and a later one takes its place", async () => {
  const { recovery, setup, clock, account } = await withAdministrator();
  const by = { ...system, id: "user:second" };
  const first = await recovery.begin(account.id, "phone lost", by);
  const second = await recovery.begin(account.id, "link lost", by);
  await assert.rejects(setup.linkOf(first.secret), { code: "denied" });
  clock.advance(24 * 3_600_000 - 1);
  assert.equal((await setup.linkOf(second.secret)).name, "admin@example.org");
  clock.advance(1);
  await assert.rejects(setup.linkOf(second.secret), { code: "denied" });
});

test("one's password is changed with the rules kept, and one's other sessions end", async () => {
  const { credentials, sessions, begin, check, account } = await withAdministrator();
  const [mine, other] = [await begin(), await begin()];
  await assert.rejects(credentials.changePassword(mine.session, account.id, "password1234"), { code: "invalid" });
  await credentials.changePassword(mine.session, account.id, "river otter lamp seven");
  assert.ok(sessions.of(mine.secret));
  assert.equal(sessions.of(other.secret), undefined);
  await assert.rejects(check(), { code: "invalid" });
  assert.ok(await check({ password: "river otter lamp seven", from: "b" }));
});

test("the last way in is never taken away, and new recovery codes void the old ones", async () => {
  const { credentials, begin, check, account, recoveryCodes } = await withAdministrator();
  const { session } = await begin();
  await assert.rejects(credentials.removePassword(session, account.id), { code: "conflict", message: /last way in/ });
  const [fresh = ""] = await credentials.newRecoveryCodes(account.id);
  await assert.rejects(check({ code: recoveryCodes[0] ?? "" }), { code: "invalid" });
  assert.ok(await check({ code: fresh }));
  assert.equal((await credentials.of(account.id)).recoveryCodesLeft, 7);
});

test("a new authenticator takes the old one's place when its code was shown, not before", async () => {
  const { credentials, begin, check, clock, code, account } = await withAdministrator();
  const { session } = await begin();
  const drawn = await credentials.beginAuthenticator(account.id, undefined);
  await assert.rejects(credentials.confirmAuthenticator(session, account.id, "000000"), { code: "invalid" });
  assert.ok(await check({ code: code() }));
  await credentials.confirmAuthenticator(session, account.id, totpCode(drawn.seed, clock.now()));
  clock.advance(60_000);
  await assert.rejects(check({ code: code() }), { code: "invalid" });
  assert.ok(await check({ code: totpCode(drawn.seed, clock.now()) }));
});

test("a proof stands for a code once, for its own account, within five minutes", async () => {
  const { signIn, clock, account } = await withAdministrator();
  const proof = signIn.proofOf(account.id);
  assert.equal(await signIn.secondFactorIs("another", proof), false);
  assert.equal(await signIn.secondFactorIs(account.id, proof), true);
  assert.equal(await signIn.secondFactorIs(account.id, proof), false);
  const late = signIn.proofOf(account.id);
  clock.advance(5 * 60_000);
  assert.equal(await signIn.secondFactorIs(account.id, late), false);
});

test("a machine is known by AE title and address together; another that calls waits to be admitted", async () => {
  const { store, clock } = await house();
  const devices = createDevices({ store, clock, random: systemRandom });
  const told: string[] = [];
  devices.watchWaiting(({ ae, address, attempts }) => told.push(`${ae} ${address} ${attempts}`));
  assert.equal(await devices.admit("CT1", "10.0.0.7"), undefined);
  assert.equal(await devices.admit("CT1", "::ffff:10.0.0.7"), undefined);
  assert.deepEqual(told, ["CT1 10.0.0.7 1", "CT1 10.0.0.7 2"]);
  await devices.add("CT1", "10.0.0.7");
  assert.deepEqual(await devices.waiting(), []);
  assert.equal((await devices.admit("CT1", "::ffff:10.0.0.7"))?.ae, "CT1");
  assert.equal(await devices.admit("CT1", "10.0.0.8"), undefined);
  assert.equal(await devices.admit("ct1", "10.0.0.7"), undefined);
  await assert.rejects(devices.add("CT\\2", "10.0.0.7"), { code: "invalid" });
  await assert.rejects(devices.add("CT2", "ct2.example.org"), { code: "invalid" });
  await devices.remove({ ae: "CT1" });
  assert.equal(await devices.admit("CT1", "10.0.0.7"), undefined);
});
