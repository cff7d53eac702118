import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { createVirtualClock } from "#base/clock";
import { systemRandom } from "#base/id";
import { silentLog } from "#base/log";
import { isProblem, Problem } from "#base/problem";
import type { RoutingRuleRequest } from "#formats/api";
import type { Arriving, HeldInstance } from "#radiology/archive";
import { createMemoryRecordStore } from "#stores/memory";
import { actorOf, operator } from "#trust/access";
import { createRecords } from "#trust/vault";
import { openArchive } from "../archive/archive.fixture.ts";
import { imageFile, receive, tokenOf } from "../archive/corrections.fixture.ts";
import { keeping, machineA, machineB, openRouting } from "../routing/routing.fixture.ts";
import { createRelay, type Peers, type SendingAnswer } from "./index.ts";

const scanner = actorOf("device", "c".repeat(32));
const absent = async (): Promise<never> => Promise.reject(new Problem("absent", "not asked here"));

/** A home with one rule, and what machines were sent: by machine, UIDs. */
async function home(rule: Partial<RoutingRuleRequest> = {}) {
  const clock = createVirtualClock();
  let arriving: Arriving | undefined;
  const parts = await openArchive({ clock, arriving: (instance) => (arriving as Arriving)(instance) });
  const records = createRecords({ store: createMemoryRecordStore(), vault: parts.vault });
  const sent: string[] = [];
  let answer: SendingAnswer | "lost" = "taken";
  const peers: Peers = {
    ...{ report: absent, ask: absent, announce: absent, fetch: absent, find: absent },
    titleOf: async () => "PACS1",
    async send(to, held: readonly HeldInstance[], { answered }) {
      if (answer === "lost") throw new Problem("unavailable", "the association was lost");
      for (const instance of held) {
        const read = await instance
          .open()
          .then((received) => instance.current(received))
          .catch(() => undefined);
        const said = read === undefined ? "refused" : answer;
        if (said === "taken") sent.push(`${to.slice(0, 1)} ${instance.sopUid}`);
        if (!answered(instance.sopUid, said)) return;
      }
    },
  };
  const started = async () => {
    const { routing } = await openRouting({ ...parts, records });
    arriving = routing.arriving;
    const shared = { ...parts, records, peers, routing, clock, random: systemRandom, log: silentLog };
    const relay = createRelay({ ...shared, notified: async () => [] });
    await relay.begin();
    return { routing, relay };
  };
  const { routing, relay } = await started();
  await routing.add(operator, { ...keeping, machines: [machineA], ...rule });
  const advance = async (ms: number) => {
    for (let left = ms; left > 0; left -= 500) {
      for (let turn = 0; turn < 30; turn++) await setImmediate();
      clock.advance(500);
    }
    for (let turn = 0; turn < 30; turn++) await setImmediate();
  };
  const answering = (says: typeof answer) => {
    answer = says;
  };
  const comes = (number: number, by = scanner) => receive(parts.archive, imageFile({}, { number }), by);
  return { ...parts, routing, relay, sent, advance, answering, comes, restarted: started };
}

test("a series is sent when it has come to rest, each instance once, and what comes later for itself", async () => {
  const { comes, advance, sent, relay, entries } = await home();
  await comes(1);
  await advance(2_000);
  await comes(2);
  await advance(2_000);
  assert.deepEqual(sent, []);
  await advance(3_000);
  assert.equal(sent.length, 2);
  await comes(2);
  await comes(3);
  await advance(6_000);
  assert.equal(sent.length, 3);
  assert.equal(new Set(sent).size, 3);
  assert.ok((await relay.list(operator)).every(({ kind, state }) => kind === "route" && state === "done"));
  assert.ok(entries.some(({ act, outcome }) => act === "study.route" && outcome === "done"));
});

test("what was queued before a stop goes on after it, and what comes then is sent once", async () => {
  const { comes, advance, sent, relay, restarted } = await home();
  await comes(1);
  await relay.close();
  await advance(1_000);
  await restarted();
  await comes(2);
  await advance(8_000);
  assert.deepEqual([sent.length, new Set(sent).size], [2, 2]);
});

test("a machine that is gone gets it when it is back; nothing goes back to the one that sent it", async () => {
  const { comes, advance, sent, answering } = await home({ machines: [machineA, machineB] });
  answering("lost");
  await comes(1, actorOf("device", machineA));
  await advance(6_000);
  answering("taken");
  await advance(60_000);
  assert.deepEqual(
    sent.map((one) => one[0]),
    ["b"],
  );
});

test("what is held back is counted and listed, and is no failure", async () => {
  const deidentify = { options: [] };
  const { comes, advance, sent, routing, relay, archive } = await home({ changes: { coercions: [], deidentify } });
  const stored = await comes(1);
  await advance(6_000);
  assert.deepEqual(sent, []);
  const { held, rules } = await routing.view(operator);
  const study = await tokenOf(archive, stored);
  assert.deepEqual(
    held.map((one) => [one.reason, one.count, one.study, one.to]),
    [["pixels", 1, study, machineA]],
  );
  assert.deepEqual([rules[0]?.counts.held, rules[0]?.counts.sent, rules[0]?.counts.matched], [1, 0, 1]);
  assert.deepEqual(
    (await relay.list(operator)).map(({ state }) => state),
    ["done"],
  );
  await routing.forget(operator, held[0]?.id ?? "");
  assert.deepEqual((await routing.view(operator)).held, []);
});

test("rules are ordered, changed and removed; a machine that takes nothing is refused, and who may not", async () => {
  const { routing } = await home();
  const second = await routing.add(operator, { ...keeping, name: "Second" });
  const [first] = (await routing.view(operator)).rules;
  const ids = [second.id, first?.id ?? ""];
  assert.deepEqual(
    (await routing.order(operator, ids)).rules.map(({ id }) => id),
    ids,
  );
  await assert.rejects(routing.order(operator, [second.id]), (error) => isProblem(error, "invalid"));
  await assert.rejects(routing.add(operator, { ...keeping, machines: ["d".repeat(32)] }), (error) =>
    isProblem(error, "invalid"),
  );
  await assert.rejects(routing.add(scanner, keeping), (error) => isProblem(error, "denied"));
  await assert.rejects(routing.view(scanner), (error) => isProblem(error, "denied"));
  assert.equal((await routing.tryOut(operator, { modality: "CT" })).rule?.name, "Second");
  await routing.put(operator, second.id, { ...keeping, name: "Second", isPaused: true });
  assert.equal((await routing.tryOut(operator, { modality: "CT" })).rule?.id, first?.id);
  await routing.remove(operator, second.id);
  await assert.rejects(routing.remove(operator, second.id), (error) => isProblem(error, "absent"));
});
