import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { createVirtualClock } from "#base/clock";
import { systemRandom } from "#base/id";
import { purposes, roles } from "#formats/api";
import { createMemoryAccessStore } from "#stores/memory";
import { type PageActor, readThePage } from "./decided-by-the-page.fixture.ts";
import { grantOf } from "./grant-store.contract.ts";
import { policyWhere } from "./grants.fixture.ts";
import {
  type Actor,
  type ActorKind,
  actorOf,
  acts,
  anonymous,
  covers,
  createGrants,
  createPolicy,
  everywhere,
  type Grant,
  type Place,
  type Policy,
  ruleOf,
  type StudyFacts,
  system,
} from "./index.ts";

const page = readFileSync(join(import.meta.dirname, "../../docs/access.md"), "utf8");
const lists = acts.filter((act) => ruleOf(act).where === "lists");

/** Small numbers by a seed (mulberry32), so that a failing case can be made again. */
function dice(seed: number) {
  let state = seed;
  const next = (below: number): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296) * below);
  };
  const of = <T>(all: readonly T[]): T => all[next(all.length)] as T;
  return { next, of };
}

type Dice = ReturnType<typeof dice>;

const holders = ["user:1", "user:2", "user:3", "client:1", "share:1"];
const kinds: readonly ActorKind[] = ["device", "edge", "operator", "setup", "pair", "system", "anonymous"];

function randomPlace({ next, of }: Dice): Place {
  const kind = of(["tenant", "facility", "patient", "study", "order"] as const);
  return kind === "tenant" ? { kind } : { kind, id: `${kind}${next(3)}` };
}

function randomFacts({ next }: Dice): StudyFacts {
  const id = (name: string) => (next(5) === 0 ? "" : `${name}${next(3)}`);
  return { facility: id("facility"), patient: id("patient"), study: id("study"), order: id("order") };
}

function randomGrant(drawn: Dice, at: number): Grant {
  const { next, of } = drawn;
  return grantOf(`g${at}`, of(holders), {
    role: of(roles),
    place: randomPlace(drawn),
    purpose: of(purposes),
    givenAt: 1,
    endsAt: next(3) === 0 ? 1_000 + next(100) : 0,
    endedAt: next(6) === 0 ? 500 : 0,
  });
}

function randomActor(drawn: Dice): { readonly actor: Actor; readonly paged: PageActor } {
  const { next, of } = drawn;
  const isGranted = next(5) > 0;
  const id = isGranted ? of(holders) : of(kinds);
  const kind = (isGranted ? id.slice(0, id.indexOf(":")) : id) as ActorKind;
  const isMaskedToken = isGranted && next(6) === 0;
  const hasEnded = isGranted && next(12) === 0;
  const token =
    next(3) === 0
      ? {
          acts: acts.filter(() => next(2) === 0),
          places: Array.from({ length: next(3) }, () => randomPlace(drawn)),
        }
      : undefined;
  return {
    actor: {
      ...{ kind, id },
      ...(isMaskedToken && { sees: "masked" }),
      ...(token && { scope: token }),
      ...(hasEnded && { isLive: () => false }),
    },
    paged: { kind, id, isMaskedToken, hasEnded, ...(token && { token }) },
  };
}

test("a million decisions are those of the page that auditors read, and lists show exactly what reads allow", async () => {
  const naive = readThePage(page);
  const drawn = dice(20_261_122);
  const worlds = 2_000;
  const each = 500;
  let allowed = 0;
  for (let world = 0; world < worlds; world++) {
    const clock = createVirtualClock(1_000 + drawn.next(110));
    const store = createMemoryAccessStore();
    const all = Array.from({ length: drawn.next(40) }, (_, at) => randomGrant(drawn, at));
    await store.addGrants(all);
    const policy = createPolicy(await createGrants({ store, clock, random: systemRandom }));
    for (let n = 0; n < each; n++) {
      if (n === each / 2) clock.advance(drawn.next(60));
      const { actor, paged } = randomActor(drawn);
      const act = drawn.of(acts);
      const facts = drawn.next(4) === 0 ? undefined : randomFacts(drawn);
      const decision = policy.decide(actor, act, facts);
      const told = () => JSON.stringify({ world, n, paged, act, facts, all, now: clock.now(), decision });
      if (decision.isAllowed !== naive.isAllowed(paged, act, facts, all, clock.now())) assert.fail(told());
      if (!decision.isAllowed) continue;
      allowed++;
      const granted = paged.kind === "user" || paged.kind === "client" || paged.kind === "share";
      if (granted && (decision.sees === "masked") !== naive.isMasked(paged, act, all, clock.now())) assert.fail(told());
      if (ruleOf(act).where !== "lists") continue;
      const listed = randomFacts(drawn);
      if (covers(decision.reach, listed) !== naive.isIn(paged, act, listed, all, clock.now())) assert.fail(told());
    }
  }
  assert.ok(allowed > 100_000, `${allowed} of ${worlds * each} allowed`);
});

const facts: StudyFacts = { facility: "f1", patient: "p1", study: "s1", order: "o1" };
const allows = (policy: Policy, actor: Actor, act: Parameters<Policy["decide"]>[1], on?: StudyFacts) =>
  policy.decide(actor, act, on).isAllowed;

test("a list of studies is shown to whoever may read one of them, and covers no other", () => {
  const referrer = grantOf("g", "user:1", { role: "referrer", place: { kind: "patient", id: "p1" } });
  const policy = policyWhere({ "user:1": [referrer] });
  const user = actorOf("user", "1");
  for (const act of lists) {
    const decision = policy.decide(user, act);
    if (!decision.isAllowed) continue;
    assert.ok(covers(decision.reach, facts) && !covers(decision.reach, { ...facts, patient: "p2" }), act);
  }
  assert.ok(allows(policy, user, "study.view", facts));
  assert.ok(!allows(policy, user, "study.view", { ...facts, patient: "p2" }));
  assert.ok(!allows(policy, user, "study.view"), "a study that is not there is refused as one that is not theirs");
});

test("a fact that is missing lies in no place: two studies without a facility are not in the same one", () => {
  const nowhere = grantOf("g", "user:1", { role: "referrer", place: { kind: "facility", id: "" } });
  const policy = policyWhere({ "user:1": [nowhere] });
  assert.ok(!allows(policy, actorOf("user", "1"), "study.view", { ...facts, facility: "" }));
});

test("who holds no grant may do nothing, not even sign in, and what is fixed for machines no grant widens", () => {
  const policy = policyWhere({ "device:1": ["radiologist"] });
  for (const act of acts) {
    assert.ok(!allows(policy, actorOf("user", "9"), act, facts), act);
    assert.ok(!allows(policy, anonymous, act, facts), act);
  }
  const machine = policy.actsOf(actorOf("device", "1", { scope: { acts: ["dicom.echo", "share.make"], places: [] } }));
  assert.deepEqual(machine, ["dicom.echo"]);
  assert.ok(policy.actsOf(system).includes("system.start"));
});

test("a machine may do what it was let do, on the studies of the facility that it stands in", () => {
  const policy = policyWhere();
  const places: Place[] = [{ kind: "facility", id: "f1" }];
  const machine = actorOf("device", "1", { scope: { acts: ["study.search", "study.read", "instance.store"], places } });
  assert.deepEqual(policy.actsOf(machine), ["instance.store", "study.search", "study.read"]);
  assert.ok(allows(policy, machine, "study.read", facts));
  assert.ok(!allows(policy, machine, "study.read", { ...facts, facility: "f2" }));
  assert.ok(!allows(policy, machine, "study.read"), "a study that is not there is refused as one that is elsewhere");
  const searching = policy.decide(machine, "study.search");
  assert.ok(searching.isAllowed && covers(searching.reach, facts));
  assert.ok(searching.isAllowed && !covers(searching.reach, { ...facts, facility: "" }));
  assert.ok(allows(policy, machine, "instance.store"), "what it stores will lie in its facility");
});

test("a token narrows what its holder's grants give, by acts and by places, and never widens it", () => {
  const policy = policyWhere({ "user:1": ["radiologist"] });
  const withToken = (places: readonly Place[]) => actorOf("user", "1", { scope: { acts: ["study.view"], places } });
  const ofPatient = withToken([{ kind: "patient", id: "p1" }]);
  assert.ok(allows(policy, ofPatient, "study.view", facts));
  assert.ok(!allows(policy, ofPatient, "study.view", { ...facts, patient: "p2" }));
  assert.ok(!allows(policy, ofPatient, "study.read", facts), "the token was not given for it");
  const decision = policy.decide(withToken([]), "study.view", facts);
  assert.deepEqual(decision.isAllowed && decision.reach, everywhere);
});
