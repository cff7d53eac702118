import assert from "node:assert/strict";
import { test } from "node:test";
import { createVirtualClock } from "#base/clock";
import { Problem } from "#base/problem";
import { type DeviceRight, deviceRights } from "#formats/api";
import type { AuditEntry, AuditLog } from "#trust/audit";
import { policyWhere } from "./grants.fixture.ts";
import {
  type Act,
  type Actor,
  actorOf,
  acts,
  anonymous,
  createGate,
  operator,
  ruleOf,
  scopeOf,
  system,
} from "./index.ts";

type Appended = Omit<AuditEntry, "at">;

function listeningAudit(append: (entry: Appended) => Promise<number> = async () => 0) {
  const entries: Appended[] = [];
  const audit = {
    append: (entry: Appended) => {
      entries.push(entry);
      return append(entry);
    },
  } as Partial<AuditLog> as AuditLog;
  return { audit, entries };
}

const user = actorOf("user", "11");
const policy = policyWhere({ "user:11": ["radiologist"] });
const may = (actor: Actor, act: Act) => policy.decide(actor, act).isAllowed;

test("an act that is allowed is done and logged once", async () => {
  const { audit, entries } = listeningAudit();
  const gate = createGate({ policy, audit, clock: createVirtualClock() });
  assert.equal(await gate.pass(user, "study.read", { kind: "study", id: "ab" }, async () => 42), 42);
  assert.deepEqual(entries, [
    { actor: "user:11", act: "study.read", on: { kind: "study", id: "ab" }, purpose: "treatment", outcome: "done" },
  ]);
});

test("an act that is not allowed is not done, logged as refused, and looks like something absent", async () => {
  const { audit, entries } = listeningAudit();
  const gate = createGate({ policy, audit, clock: createVirtualClock() });
  let worked = false;
  const work = async () => {
    worked = true;
  };
  await assert.rejects(gate.pass(anonymous, "study.read", undefined, work), { code: "denied", message: "not found" });
  assert.equal(worked, false);
  assert.deepEqual(entries, [{ actor: "anonymous", act: "study.read", outcome: "refused" }]);
});

test("an act that cannot be logged fails, although its work was done", async () => {
  const { audit } = listeningAudit(() => Promise.reject(new Problem("no-room", "log is full")));
  const gate = createGate({ policy, audit, clock: createVirtualClock() });
  await assert.rejects(
    gate.pass(user, "study.read", undefined, async () => 42),
    { code: "no-room" },
  );
});

test("the result is held back until the entry is on stable storage", async () => {
  let store: (index: number) => void = () => {};
  const { audit } = listeningAudit(() => new Promise((resolve) => (store = resolve)));
  const gate = createGate({ policy, audit, clock: createVirtualClock() });
  let answered = false;
  const passed = gate.pass(user, "study.read", undefined, async () => 42).then(() => (answered = true));
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(answered, false);
  store(0);
  await passed;
  assert.equal(answered, true);
});

test("work that fails is logged as failed and its own error goes to the caller", async () => {
  const { audit, entries } = listeningAudit();
  const gate = createGate({ policy, audit, clock: createVirtualClock() });
  const failing = gate.pass(user, "study.read", undefined, async () => {
    throw new Problem("absent", "not found");
  });
  await assert.rejects(failing, { code: "absent" });
  assert.deepEqual(
    entries.map(({ outcome }) => outcome),
    ["done", "failed"],
  );
});

test("a flood of refusals cannot fill the log, and what was left out is counted", async () => {
  const { audit, entries } = listeningAudit();
  const clock = createVirtualClock();
  const gate = createGate({ policy, audit, clock });
  const refuse = () => gate.pass(anonymous, "study.read", undefined, async () => {}).catch(() => {});
  for (let i = 0; i < 1000; i++) await refuse();
  assert.equal(entries.length, 120);
  clock.advance(60_000);
  await refuse();
  assert.deepEqual(entries.at(-1)?.counts, { refusalsNotLogged: 880 });
});

test("an anonymous caller may do nothing, and only the system starts and stops itself", () => {
  for (const act of acts) assert.equal(may(anonymous, act), false, act);
  assert.ok(may(system, "system.start"));
  assert.ok(!may(operator, "system.start"));
});

test("a device that stores reads nothing, and one that finds sends nothing anywhere", () => {
  const actsOf = (...rights: DeviceRight[]) => {
    const device = actorOf("device", "22", { scope: scopeOf({ may: rights, facility: "" }) });
    return acts.filter((act) => may(device, act));
  };
  assert.ok(actsOf("store").includes("instance.store") && !actsOf("store").some((act) => /search|view|read/.test(act)));
  assert.deepEqual(actsOf("find"), ["association.open", "dicom.echo", "study.search", "study.view"]);
  assert.ok(actsOf("retrieve").includes("study.read"));
  const ofMachines = acts.filter((act) => ruleOf(act).who.includes("device"));
  assert.deepEqual(actsOf(...deviceRights), ofMachines, "there is a right for each act of machines");
});
