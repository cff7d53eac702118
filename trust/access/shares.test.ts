import assert from "node:assert/strict";
import { test } from "node:test";
import { createVirtualClock } from "#base/clock";
import { systemRandom } from "#base/id";
import { silentLog } from "#base/log";
import { isProblem } from "#base/problem";
import { createMemoryAccessStore } from "#stores/memory";
import { openBox } from "./confirmations.fixture.ts";
import { actorOf, createGate, createGrants, createPolicy, createShares, type GrantTerms, operator } from "./index.ts";
import { createSessions } from "./sessions.ts";

const study = "5".repeat(32);
const facts = { facility: "", patient: "6".repeat(32), study, order: "" };
const here = { userAgent: "Firefox", address: "192.0.2.1" };
const terms = { study, mode: "view", days: 3, purpose: "treatment", recipient: "Dr. Out", note: "" } as const;
const maker = actorOf("user", "1");
const codeOf = (code: string) => (error: unknown) => isProblem(error, code as never);
const settled = () => new Promise((resolve) => setImmediate(resolve));

async function withMaker(more: Partial<GrantTerms> = {}) {
  const clock = createVirtualClock();
  const store = createMemoryAccessStore();
  const shared = { store, clock, random: systemRandom, box: openBox };
  const open = async () => {
    const grants = await createGrants(shared);
    const policy = createPolicy(grants);
    const gate = createGate({ policy, audit: { append: async () => 0 } as never, clock });
    const sessions = await createSessions({ ...shared, grants });
    const subjectOf = async (token: string) =>
      token === study ? ({ kind: "study", id: study, facts } as const) : undefined;
    return {
      grants,
      sessions,
      shares: await createShares({ ...shared, grants, policy, gate, sessions, subjectOf, log: silentLog }),
    };
  };
  const house = await open();
  const place = { kind: "study", id: study } as const;
  await house.grants.give(maker.id, { role: "radiologist", place, purpose: "treatment", endsAt: 0, ...more }, operator);
  return { clock, store, restart: open, ...house };
}

test("of a link nothing rests that opens it, and it holds over a restart until its days are over", async () => {
  const { clock, store, shares, restart } = await withMaker();
  const { secret, code } = await shares.make(maker, terms);
  const kept = JSON.stringify(await store.shares());
  assert.ok(!kept.includes(secret) && !kept.includes(code));
  const again = (await restart()).shares;
  assert.equal((await again.open(secret, ` ${code.slice(0, 4)} ${code.slice(4)}`, here)).share.study, study);
  clock.advance(3 * 86_400_000 - 1);
  await again.open(secret, code, here);
  clock.advance(1);
  await assert.rejects(again.open(secret, code, here), codeOf("absent"));
  assert.deepEqual(
    (await again.list(operator)).map(({ isLive, uses, recipient }) => [isLive, uses, recipient]),
    [[false, 2, "Dr. Out"]],
  );
});

test("whose own access runs out by time takes the link along within half a minute, and who opened it is out", async () => {
  const { clock, shares, sessions } = await withMaker({ endsAt: createVirtualClock().now() + 60_000 });
  const { share, secret, code } = await shares.make(maker, terms);
  const opened = await shares.open(secret, code, here);
  assert.ok(sessions.of(opened.secret));
  clock.advance(60_000);
  for (let turn = 0; turn < 5; turn++) await settled();
  clock.advance(30_000);
  for (let turn = 0; turn < 5; turn++) await settled();
  assert.equal(sessions.of(opened.secret), undefined);
  const [ended] = await shares.list(operator);
  assert.deepEqual([ended?.id, ended?.isLive, ended?.endedBy], [share.id, false, "system"]);
});

test("what was opened in an emergency is not passed on", async () => {
  const { shares } = await withMaker({ purpose: "break-glass" });
  await assert.rejects(shares.make(maker, terms), codeOf("conflict"));
});

test("after five wrong codes the link waits, longer each time, and opens again", async () => {
  const { clock, shares } = await withMaker();
  const { secret, code } = await shares.make(maker, terms);
  for (let guess = 0; guess < 5; guess++) await assert.rejects(shares.open(secret, "1", here), codeOf("invalid"));
  await assert.rejects(shares.open(secret, code, here), codeOf("busy"));
  clock.advance(2_001);
  await assert.rejects(shares.open(secret, "1", here), codeOf("invalid"));
  clock.advance(2_001);
  await assert.rejects(shares.open(secret, code, here), codeOf("busy"));
  clock.advance(2_001);
  assert.ok(await shares.open(secret, code, here));
});

test("a link that cannot be kept is none: neither it nor its grant is there", async () => {
  const { store, shares, grants } = await withMaker();
  store.failNext(new Error("no room"), "addShare");
  await assert.rejects(shares.make(maker, terms));
  assert.deepEqual(await store.shares(), []);
  assert.equal((await grants.list()).filter(({ holder }) => holder.startsWith("share:")).length, 0);
});
