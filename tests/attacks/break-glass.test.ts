import assert from "node:assert/strict";
import { before, test } from "node:test";
import { createVirtualClock } from "#base/clock";
import { systemRandom } from "#base/id";
import { isProblem } from "#base/problem";
import { createMemoryAccessStore, createMemoryDetailStore, createMemoryEntryStore } from "#stores/memory";
import {
  type Actor,
  actorOf,
  createBreakGlass,
  createGate,
  createGrants,
  createPolicy,
  createReviews,
  type EmergencyPatient,
  type GrantTerms,
  operator,
  type Session,
} from "#trust/access";
import { createAuditLog, createLogFinder } from "#trust/audit";
import { openBox } from "../../trust/access/confirmations.fixture.ts";

/*
 * Attack 90: a look in an emergency by whom, and for what, it is not meant.
 */
const patients: Readonly<Record<string, string>> = { "P-1": "1".repeat(32), "P-2": "2".repeat(32) };
const reason = "unconscious in the emergency room";
const asked = (patientId: string): EmergencyPatient => ({ patientId, issuer: "" });
const codeOf = (code: string) => (error: unknown) => isProblem(error, code as never);

async function tenant(known = patients) {
  const clock = createVirtualClock();
  const store = createMemoryAccessStore();
  const details = { store: createMemoryDetailStore(), box: openBox, random: systemRandom };
  const audit = await createAuditLog({
    ...{ store: createMemoryEntryStore(), clock, details },
    signingSeed: new Uint8Array(32),
    origin: "leadglass.log/test",
  });
  const grants = await createGrants({ store, clock, random: systemRandom });
  const policy = createPolicy(grants);
  const gate = createGate({ policy, audit, clock });
  const shared = { store, gate, audit, finder: createLogFinder(audit), box: openBox, clock, random: systemRandom };
  const reviews = createReviews(shared);
  const alarms: string[] = [];
  reviews.watch(({ kind }) => alarms.push(kind));
  let searches = 0;
  const breakGlass = createBreakGlass({
    ...{ grants, policy, gate, reviews, clock },
    minutes: 60,
    async patientsOf(one) {
      searches++;
      const found = "patientId" in one ? known[one.patientId] : undefined;
      return found === undefined ? [] : [found];
    },
  });
  const facts = (patient: string) => ({ facility: "", patient, study: "", order: "" });
  const person = async (id: string, terms: Partial<GrantTerms> = {}) => {
    const place = { kind: "study", id: "9".repeat(32) } as const;
    await grants.give(`user:${id}`, { role: "referrer", place, purpose: "treatment", endsAt: 0, ...terms }, operator);
    return actorOf("user", id);
  };
  return {
    ...{ clock, audit, grants, policy, breakGlass, alarms, person, searches: () => searches },
    session: (): Session => ({
      ...{ digest: "d", holder: "user:1", createdAt: clock.now(), authenticatedAt: clock.now() },
      ...{ lastSeenAt: clock.now(), endsAt: clock.now() + 1e9, fromSealed: new Uint8Array(0) },
    }),
    sees: (actor: Actor, patient: string) => policy.decide(actor, "study.view", facts(patient)).isAllowed,
  };
}
type Tenant = Awaited<ReturnType<typeof tenant>>;
let here: Tenant;
before(async () => {
  here = await tenant();
});

test("attack 90: without a reason, or with one that says nothing, nothing opens", async () => {
  const doctor = await here.person("reasonless");
  for (const none of ["", "         ", "because", "x".repeat(501)]) {
    await assert.rejects(here.breakGlass.begin(doctor, here.session(), asked("P-1"), none), codeOf("invalid"));
  }
  assert.equal(here.sees(doctor, "1".repeat(32)), false);
});

test("attack 90: with a stolen session that proved nothing lately, or without one, nothing opens", async () => {
  const doctor = await here.person("stolen");
  const session = here.session();
  here.clock.advance(5 * 60_000 + 1);
  for (const shown of [session, undefined]) {
    await assert.rejects(here.breakGlass.begin(doctor, shown, asked("P-1"), reason), codeOf("unproven"));
  }
  assert.equal(here.sees(doctor, "1".repeat(32)), false);
});

test("attack 90: roles that may not are refused before anything is looked for, whether the patient is there or not", async () => {
  const roles = [
    "front-desk",
    "administrator",
    "auditor",
    "researcher",
    "patient",
    "service",
    "guest",
    "recipient",
  ] as const;
  const began = here.searches();
  for (const role of roles) {
    const actor = await here.person(`role ${role}`, { role, place: { kind: "tenant" } });
    for (const number of ["P-1", "none"]) {
      await assert.rejects(here.breakGlass.begin(actor, here.session(), asked(number), reason), codeOf("denied"));
    }
  }
  await assert.rejects(here.breakGlass.begin(operator, here.session(), asked("P-1"), reason), codeOf("denied"));
  assert.equal(here.searches(), began);
});

test("attack 90: an open look ends by itself after its hour, and begins no next one by itself", async () => {
  const doctor = await here.person("hourly", { endsAt: here.clock.now() + 30 * 60_000 });
  const grant = await here.breakGlass.begin(doctor, here.session(), asked("P-1"), reason);
  assert.equal(here.sees(doctor, "1".repeat(32)), true);
  assert.equal(here.sees(doctor, "2".repeat(32)), false, "one patient, no other");
  here.clock.advance(31 * 60_000);
  // The standing grant is over, the look is not: from a look alone nothing more is opened.
  assert.equal(here.sees(doctor, "1".repeat(32)), true);
  await assert.rejects(here.breakGlass.begin(doctor, here.session(), asked("P-2"), reason), codeOf("denied"));
  here.clock.advance(29 * 60_000);
  assert.equal(here.clock.now() >= grant.endsAt, true);
  assert.equal(here.sees(doctor, "1".repeat(32)), false);
});

test("attack 90: a look is no way to pass the patient on, to everything, or to what is not looking", async () => {
  const doctor = await here.person("greedy", { role: "technologist" });
  await here.breakGlass.begin(doctor, here.session(), asked("P-1"), reason);
  const facts = { facility: "", patient: "1".repeat(32), study: "", order: "" };
  const making = here.policy.decide(doctor, "share.make", facts);
  assert.equal(making.isAllowed && making.purpose, "break-glass", "what share links are refused by");
  for (const act of [
    "patient.merge",
    "study.move",
    "patient.correct",
    "device.read",
    "audit.read",
    "review.read",
  ] as const) {
    assert.equal(here.policy.decide(doctor, act, facts).isAllowed, false, act);
  }
});

test("attack 90: numbers are not guessed: five that stand for nobody, then a pause and an alarm", async () => {
  const own = await tenant();
  const doctor = await own.person("guesser");
  for (let guess = 0; guess < 5; guess++) {
    await assert.rejects(own.breakGlass.begin(doctor, own.session(), asked(`G-${guess}`), reason), codeOf("absent"));
  }
  const began = own.searches();
  for (let guess = 0; guess < 3; guess++) {
    await assert.rejects(own.breakGlass.begin(doctor, own.session(), asked("P-1"), reason), codeOf("busy"));
  }
  assert.equal(own.searches(), began);
  assert.deepEqual(own.alarms, ["guessing"]);
  const other = await own.person("other");
  await own.breakGlass.begin(other, own.session(), asked("P-1"), reason);
  own.clock.advance(60 * 60_000);
  await own.breakGlass.begin(doctor, own.session(), asked("P-1"), reason);
});

test("attack 90: every use sounds, also the tenth of a day, and is in the log with its reason sealed", async () => {
  const own = await tenant();
  const doctor = await own.person("busy");
  for (let use = 0; use < 10; use++) {
    const { id } = await own.breakGlass.begin(doctor, own.session(), asked("P-1"), reason);
    await own.breakGlass.end(doctor, id);
  }
  assert.deepEqual(own.alarms, Array(10).fill("break-glass"));
  const entries = await own.audit.entries(0, own.audit.size());
  assert.equal(entries.filter(({ act, on }) => act === "glass.break" && on?.id === patients["P-1"]).length, 10);
  assert.doesNotMatch(JSON.stringify(entries), /unconscious/);
});

test("attack 90: another tenant's patient is nobody here, and a look here is none there", async () => {
  const there = await tenant({ "T-1": "3".repeat(32) });
  const doctor = await here.person("abroad");
  await assert.rejects(here.breakGlass.begin(doctor, here.session(), asked("T-1"), reason), codeOf("absent"));
  await here.breakGlass.begin(doctor, here.session(), asked("P-1"), reason);
  assert.equal(there.sees(doctor, "1".repeat(32)), false);
  await assert.rejects(there.breakGlass.begin(doctor, there.session(), asked("T-1"), reason), codeOf("denied"));
});
