import assert from "node:assert/strict";
import { test } from "node:test";
import { createVirtualClock } from "#base/clock";
import { systemRandom } from "#base/id";
import { createMemoryAccessStore } from "#stores/memory";
import {
  createDevices,
  createGrants,
  createPeople,
  createSetup,
  createSignIn,
  type SecretBox,
  totpCode,
} from "#trust/access";

const password = "four unrelated words here";
const given = { grants: [], invitedBy: "operator" };

/** Not sealing, only telling purposes apart: the vault's own tests show that it seals. */
const box: SecretBox = {
  seal: (purpose, secret) => Buffer.concat([Buffer.from(`${purpose}\0`), secret]),
  open(purpose, sealed) {
    const head = Buffer.from(`${purpose}\0`);
    assert.ok(Buffer.from(sealed).subarray(0, head.length).equals(head), "opened for another purpose");
    return Buffer.from(sealed).subarray(head.length);
  },
};

async function house() {
  const clock = createVirtualClock();
  const store = createMemoryAccessStore();
  const grants = await createGrants({ store, clock, random: systemRandom });
  const signIn = createSignIn({ store, grants, box, random: systemRandom, clock });
  return { clock, store, grants, signIn };
}

async function withAdministrator() {
  const parts = await house();
  const { seed, recoveryCodes } = await parts.signIn.createAccount("Admin@Example.org", password);
  const code = () => totpCode(seed, parts.clock.now());
  const check = (typed: { name?: string; password?: string; code?: string; from?: string } = {}) =>
    parts.signIn.check(
      typed.name ?? "admin@example.org",
      typed.password ?? password,
      typed.code ?? code(),
      typed.from ?? "a",
    );
  return { ...parts, seed, recoveryCodes, code, check };
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

test("a session ends after half an hour without use, after twelve hours, and when it is ended", async () => {
  const { check, signIn, clock } = await withAdministrator();
  const account = await check();
  const idle = await signIn.beginSession(account);
  assert.equal((await signIn.sessionOf(idle.secret))?.actor.id, `user:${account.id}`);
  clock.advance(31 * 60_000);
  assert.equal(await signIn.sessionOf(idle.secret), undefined);

  const long = await signIn.beginSession(account);
  for (let minutes = 0; minutes < 12 * 60 - 20; minutes += 20) {
    clock.advance(20 * 60_000);
    assert.ok(await signIn.sessionOf(long.secret), `after ${minutes + 20} minutes of use`);
  }
  clock.advance(20 * 60_000);
  assert.equal(await signIn.sessionOf(long.secret), undefined);

  const ended = await signIn.beginSession(account);
  await signIn.endSession(ended.secret);
  assert.equal(await signIn.sessionOf(ended.secret), undefined);
});

test("watching does not count as using: an open page alone does not keep a session alive", async () => {
  const { check, signIn, clock } = await withAdministrator();
  const { secret } = await signIn.beginSession(await check());
  for (let i = 0; i < 3; i++) {
    clock.advance(9 * 60_000);
    assert.ok(await signIn.sessionOf(secret, "watch"));
  }
  clock.advance(4 * 60_000);
  assert.equal(await signIn.sessionOf(secret, "watch"), undefined);
});

test("a token names its program until it ends, and the store holds no secret", async () => {
  const { signIn, store, clock } = await house();
  const { secret } = await signIn.issueToken("script", 10);
  const actor = await signIn.clientOf(secret);
  assert.equal(actor?.kind, "client");
  assert.equal(
    (await signIn.clientOf((await signIn.issueToken("script", 10)).secret))?.id,
    actor?.id,
    "one program, two tokens",
  );
  assert.equal(await signIn.clientOf(`${secret}x`), undefined);
  assert.equal(await store.token(secret), undefined);
  clock.advance(10 * 60_000);
  assert.equal(await signIn.clientOf(secret), undefined);
});

test("a short password and a name with control characters are refused with what to do", async () => {
  const { signIn } = await house();
  await assert.rejects(signIn.prepareAccount("a", "short", given), { code: "invalid", remedy: /words/ });
  await assert.rejects(signIn.prepareAccount("a\u0007", password, given), { code: "invalid" });
});

test("the first start makes one administrator, with the secret of this start only", async () => {
  const { signIn, store, grants, clock } = await house();
  const people = createPeople({ store, grants, clock, random: systemRandom });
  const setup = createSetup({ signIn, people, random: systemRandom });
  assert.ok(await setup.needed());
  await assert.rejects(setup.begin("guess", "admin", password), { code: "denied" });
  const pending = await setup.begin(setup.secret, "admin", password);
  await assert.rejects(setup.confirm(setup.secret, "000000"), { code: "invalid" });
  assert.ok(await setup.needed(), "nothing was stored by a wrong code");
  const { account } = await setup.confirm(setup.secret, totpCode(pending.seed, clock.now()));
  assert.equal(account.name, "admin");
  assert.ok(!(await setup.needed()));
  await assert.rejects(setup.begin(setup.secret, "second", password), { code: "denied" });
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
