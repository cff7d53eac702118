import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Clock } from "#base/clock";
import { createFaultyFiles, createTracedFiles, type Files } from "#base/io";
import { silentLog } from "#base/log";
import { isProblem, Problem } from "#base/problem";
import { createMemorySealedObjects } from "#stores/memory";
import { putObject } from "../../trust/vault/sealed-objects.fixture.ts";
import {
  judgeRetention,
  parseRetention,
  type RetainedStudy,
  type RetentionPolicy,
  type RetentionRule,
} from "./retention.ts";
import { createStudyFates, type Fact, type Facts } from "./retention-facts.ts";
import { createRetention, type Retention, type RetentionParts } from "./retention-run.ts";
import { createWitnessedTime, type WitnessedTime } from "./retention-time.ts";

const dayMs = 24 * 3600 * 1000;
const begin = Date.UTC(2026, 0, 1);

async function all<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const found: Item[] = [];
  for await (const item of items) found.push(item);
  return found;
}

const study = (part: Partial<RetainedStudy> = {}): RetainedStudy => ({
  studyToken: "a".repeat(32),
  modalities: ["CT"],
  state: "settled",
  changedAt: begin,
  ...part,
});
const policyOf = (rules: RetentionRule[], afterArrivalDays = 30): RetentionPolicy => ({ rules, afterArrivalDays });
const dueDays = (policy: RetentionPolicy, part: Partial<RetainedStudy>, studyDate?: string) => {
  const { dueAt } = judgeRetention(policy, study(part), studyDate);
  return dueAt === undefined ? undefined : (dueAt - begin) / dayMs;
};

test("a study goes when the longest of the rules that apply is over, and never without one for each of its modalities", () => {
  const ct: RetentionRule = { modalities: ["CT"], days: 100, from: "arrival" };
  const sr: RetentionRule = { modalities: ["SR", "CT"], days: 400, from: "arrival" };
  const any: RetentionRule = { days: 50, from: "arrival" };
  assert.equal(dueDays(policyOf([ct]), {}), 100);
  assert.equal(dueDays(policyOf([ct, sr]), {}), 400);
  assert.equal(dueDays(policyOf([ct]), { modalities: ["CT", "SR"] }), undefined);
  assert.equal(dueDays(policyOf([ct, any]), { modalities: ["CT", "US"] }), 100);
  assert.equal(dueDays(policyOf([any]), { modalities: [] }), undefined);
  assert.equal(dueDays(policyOf([]), {}), undefined);
});

test("a study with a conflict stays, unless a rule is meant for it", () => {
  const rule: RetentionRule = { days: 50, from: "arrival" };
  assert.equal(dueDays(policyOf([rule]), { state: "conflict" }), undefined);
  assert.equal(dueDays(policyOf([{ ...rule, states: ["conflict"] }]), { state: "conflict" }), 50);
});

test("a study date counts from its end everywhere on earth, and nothing goes soon after it came, however old it is", () => {
  const rule: RetentionRule = { days: 10, from: "studyDate" };
  assert.equal(dueDays(policyOf([rule], 1), {}, "20260201"), 31 + 1.5 + 10);
  assert.equal(dueDays(policyOf([rule], 30), {}, "19991231"), 30);
  for (const none of [undefined, "", "20260230", "2026-02-01", "99999999", "202602", "abc"]) {
    assert.equal(dueDays(policyOf([rule], 1), {}, none), 10, `${none}`);
  }
});

test("rules that are not understood are refused by name", () => {
  const rule = { modalities: ["CT"], states: ["settled", "conflict"], days: 3650, from: "studyDate" };
  assert.deepEqual(parseRetention({ rules: [rule] }), { rules: [rule], afterArrivalDays: 30 });
  const wrong: [unknown, RegExp][] = [
    [[], /retention must be an object/],
    [{}, /rules must be a list/],
    [{ rules: [], afterArrivalDays: 0 }, /afterArrivalDays/],
    [{ rules: [], grace: 3 }, /unknown field grace/],
    [{ rules: [null] }, /rules\[0\] must be an object/],
    [{ rules: [{ ...rule, days: -1 }] }, /rules\[0\]\.days/],
    [{ rules: [{ ...rule, days: "10" }] }, /days/],
    [{ rules: [{ ...rule, from: "birth" }] }, /from/],
    [{ rules: [{ ...rule, modalities: [] }] }, /modalities/],
    [{ rules: [{ ...rule, modalities: ["ct"] }] }, /modalities/],
    [{ rules: [{ ...rule, states: ["read"] }] }, /states/],
    [{ rules: [{ ...rule, modality: "CT" }] }, /unknown field modality/],
  ];
  for (const [value, message] of wrong) {
    assert.throws(
      () => parseRetention(value),
      (error) => isProblem(error, "invalid") && message.test(error.message),
    );
  }
});

type Came = RetainedStudy & { readonly date: string; readonly cameAt: number };

/** A world with a true time, a wall clock that may be wrong, and a server that is stopped now and then. */
function createWorld() {
  const recorded: Fact[] = [];
  const world = {
    trueMs: begin,
    wallOffsetMs: 0,
    disk: createTracedFiles(),
    studies: new Map<string, Came>(),
    held: new Set<string>(),
    gone: [] as { readonly token: string; readonly atMs: number }[],
  };
  const clock: Clock = {
    now: () => world.trueMs + world.wallOffsetMs,
    monotonicMs: () => world.trueMs - begin,
    after: () => ({ stop() {} }),
    sleep: async () => {},
  };
  const facts: Facts = {
    async record(fact) {
      recorded.push(fact);
    },
    async *all() {
      yield* [...recorded].reverse();
    },
  };
  return Object.assign(world, { clock, facts });
}

type World = ReturnType<typeof createWorld>;

interface Server {
  readonly retention: Retention;
  readonly time: WitnessedTime;
  readonly fates: ReturnType<typeof createStudyFates>;
}

async function startServer(
  world: World,
  policy: RetentionPolicy,
  parts: Partial<RetentionParts> = {},
): Promise<Server> {
  const { clock } = world;
  const time = createWitnessedTime({ clock, files: world.disk.files, folder: "home", log: silentLog });
  await time.load();
  const fates = createStudyFates({ facts: world.facts, now: clock.now });
  await fates.load();
  const retention = createRetention({
    policy,
    time,
    fates,
    log: silentLog,
    stores: [],
    async *studies() {
      yield* [...world.studies.values()];
    },
    studyDate: async (token) => world.studies.get(token)?.date,
    async removeFromIndex(token) {
      world.studies.delete(token);
      return [];
    },
    async shred(token) {
      world.gone.push({ token, atMs: world.trueMs });
    },
    ...parts,
  });
  await retention.resume();
  return { retention, time, fates };
}

const modality = fc.constantFrom("CT", "MR", "SR");
const someRule: fc.Arbitrary<RetentionRule> = fc.record(
  {
    modalities: fc.uniqueArray(modality, { minLength: 1, maxLength: 3 }),
    states: fc.uniqueArray(fc.constantFrom("settled" as const, "conflict" as const), { minLength: 1, maxLength: 2 }),
    days: fc.integer({ min: 1, max: 40 }),
    from: fc.constantFrom("arrival" as const, "studyDate" as const),
  },
  { requiredKeys: ["days", "from"] },
);
const years = (from: number, to: number) => fc.integer({ min: from * 365 * dayMs, max: to * 365 * dayMs });
const happening = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ what: fc.constant("time" as const), ms: fc.integer({ min: 0, max: 20 * dayMs }) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      what: fc.constant("arrival" as const),
      modalities: fc.uniqueArray(modality, { minLength: 0, maxLength: 2 }),
      state: fc.constantFrom("settled" as const, "conflict" as const),
      ageDays: fc.integer({ min: -5, max: 90 }),
    }),
  },
  { weight: 5, arbitrary: fc.constant({ what: "run" as const }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant("jump" as const), ms: years(-3, 20) }) },
  { weight: 2, arbitrary: fc.constant({ what: "right" as const }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constantFrom("hold" as const, "release" as const), nth: fc.nat(20) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      what: fc.constantFrom("stop" as const, "crash" as const),
      downMs: fc.integer({ min: 0, max: 30 * dayMs }),
    }),
  },
);

test("nothing goes early: not by any rules, holds, stops and crashes, and not by any jump of the clock", async () => {
  let deletions = 0;
  const property = fc.asyncProperty(
    fc.array(someRule, { minLength: 1, maxLength: 4 }),
    fc.integer({ min: 1, max: 20 }),
    fc.array(happening, { minLength: 20, maxLength: 60, size: "max" }),
    async (rules, afterArrivalDays, happenings) => {
      const world = createWorld();
      const policy = policyOf(rules, afterArrivalDays);
      let server = await startServer(world, policy);
      const came = new Map<string, Came>();
      for (const each of happenings) {
        if (each.what === "time") world.trueMs += each.ms;
        if (each.what === "jump") world.wallOffsetMs += each.ms;
        if (each.what === "right") world.wallOffsetMs = 0;
        if (each.what === "arrival") {
          const token = String(came.size).padStart(32, "0");
          const { modalities, state, ageDays } = each;
          const date = new Date(world.trueMs - ageDays * dayMs).toISOString().slice(0, 10).replaceAll("-", "");
          const arrived = {
            studyToken: token,
            modalities,
            state,
            changedAt: server.time.stamp(),
            date,
            cameAt: world.trueMs,
          };
          world.studies.set(token, arrived);
          came.set(token, arrived);
        }
        if (each.what === "hold" || each.what === "release") {
          const token = [...came.keys()][each.nth % Math.max(1, came.size)];
          if (token === undefined) continue;
          await server.fates[each.what](token);
          if (each.what === "hold") world.held.add(token);
          else world.held.delete(token);
        }
        if (each.what === "stop" || each.what === "crash") {
          if (each.what === "stop") await server.retention.close();
          world.trueMs += each.downMs;
          server = await startServer(world, policy);
        }
        if (each.what !== "run") continue;
        const before = world.gone.length;
        await server.retention.run();
        for (const { token, atMs } of world.gone.slice(before)) {
          const gone = came.get(token);
          assert.ok(gone !== undefined && !world.held.has(token), "a study under hold went");
          const { dueAt } = judgeRetention(policy, { ...gone, changedAt: gone.cameAt }, gone.date);
          assert.ok(dueAt !== undefined && dueAt <= atMs, `${((dueAt ?? 0) - atMs) / dayMs} days early`);
          deletions++;
        }
      }
    },
  );
  await fc.assert(property, { numRuns: 300 });
  assert.ok(deletions > 30, `only ${deletions} deletions were looked at`);
});

test("what is due goes, once, and a clock that was set back and forth delays it only", async () => {
  const world = createWorld();
  const policy = policyOf([{ days: 10, from: "arrival" }], 1);
  const server = await startServer(world, policy);
  world.studies.set("one", { ...study({ studyToken: "one" }), date: "20260101", cameAt: begin });
  world.wallOffsetMs = 3650 * dayMs;
  assert.equal((await server.retention.run()).deleted, 0, "the clock jumped ahead");
  world.wallOffsetMs = -100 * dayMs;
  world.trueMs += 11 * dayMs;
  assert.equal((await server.retention.run()).deleted, 0, "the clock is behind");
  world.wallOffsetMs = 0;
  assert.deepEqual(await server.retention.run(), { studies: 1, deleted: 1, held: 0, failed: 0 });
  assert.deepEqual(await server.retention.run(), { studies: 0, deleted: 0, held: 0, failed: 0 });
  assert.deepEqual(world.gone, [{ token: "one", atMs: world.trueMs }]);
  assert.ok(server.fates.isDeleted("one"));
});

test("a hold outlives a stop, keeps a study from being deleted by anybody, and can be released", async () => {
  const world = createWorld();
  const policy = policyOf([{ days: 1, from: "arrival" }], 1);
  const first = await startServer(world, policy);
  world.studies.set("one", { ...study({ studyToken: "one" }), date: "20260101", cameAt: begin });
  await first.fates.hold("one");
  await first.retention.close();
  const second = await startServer(world, policy);
  world.trueMs += 5 * dayMs;
  assert.deepEqual(second.fates.held(), [{ studyToken: "one", since: begin }]);
  assert.deepEqual(await second.retention.run(), { studies: 1, deleted: 0, held: 1, failed: 0 });
  await assert.rejects(second.retention.remove("one"), (error) => isProblem(error, "conflict"));
  await second.fates.release("one");
  assert.equal((await second.retention.run()).deleted, 1);
});

test("a hold that could not be kept holds until the next start all the same, and says that it failed", async () => {
  const world = createWorld();
  const failing: Facts = { ...world.facts, record: () => Promise.reject(new Problem("no-room", "made to fail")) };
  const fates = createStudyFates({ facts: failing, now: () => begin });
  await assert.rejects(fates.hold("one"), (error) => isProblem(error, "no-room"));
  assert.ok(fates.isHeld("one"));
  await assert.rejects(fates.release("one"), (error) => isProblem(error, "no-room"));
  assert.ok(fates.isHeld("one"));
});

test("a deletion that stops at any step is ended later, and nothing of the study is left to be found", async () => {
  for (let failing = 0; failing < 6; failing++) {
    const world = createWorld();
    const objects = createMemorySealedObjects();
    const put = await putObject(objects, 1000);
    const { studyToken } = (await all(objects.scan(put.pack, 0)))[0] as { studyToken: string };
    world.studies.set(studyToken, { ...study({ studyToken }), date: "20260101", cameAt: begin });
    let step = 0;
    const mayFail = () => {
      if (step++ === failing) throw new Problem("fault", "made to fail");
    };
    const parts: Partial<RetentionParts> = {
      stores: [objects],
      async removeFromIndex(token) {
        mayFail();
        const had = world.studies.delete(token);
        mayFail();
        return had
          ? [
              {
                objects: {
                  ...objects,
                  discard: async (ranges) => {
                    mayFail();
                    await objects.discard(ranges);
                    mayFail();
                  },
                },
                place: put,
              },
            ]
          : [];
      },
      async shred(token) {
        mayFail();
        world.gone.push({ token, atMs: world.trueMs });
        mayFail();
      },
    };
    const policy = policyOf([{ days: 1, from: "arrival" }], 1);
    const first = await startServer(world, policy, parts);
    world.trueMs += 3 * dayMs;
    assert.equal((await first.retention.run()).failed, 1, `step ${failing}`);
    const second = await startServer(world, policy, parts);
    assert.deepEqual(await all(objects.scan(put.pack, 0)), [], `step ${failing}`);
    assert.ok(second.fates.isDeleted(studyToken) && world.gone.length > 0 && !world.studies.has(studyToken));
    assert.deepEqual(second.fates.unfinished(), []);
  }
});

test("witnessed time that was lost or cannot be read deletes nothing until somebody confirms the clock", async () => {
  const world = createWorld();
  const policy = policyOf([{ days: 1, from: "arrival" }], 1);
  await startServer(world, policy);
  const file = await world.disk.files.open("home/witnessed-time.json", "update");
  await file.write([Buffer.from("xxxx")], 0);
  world.studies.set("one", { ...study({ studyToken: "one" }), date: "20260101", cameAt: begin });
  const server = await startServer(world, policy);
  world.trueMs += 100 * dayMs;
  assert.equal((await server.retention.run()).deleted, 0);
  assert.equal(server.time.stamp(), world.clock.now());
  await server.time.confirmWallClock();
  assert.equal((await server.retention.run()).deleted, 1);
});

test("a disk on which witnessed time cannot be kept fails the run and deletes nothing", async () => {
  const world = createWorld();
  const policy = policyOf([{ days: 1, from: "arrival" }], 1);
  await startServer(world, policy);
  const full: Files = createFaultyFiles(world.disk.files, ({ kind }) =>
    kind === "write" ? { code: "ENOSPC" } : undefined,
  );
  const time = createWitnessedTime({ clock: world.clock, files: full, folder: "home", log: silentLog });
  await time.load();
  const { retention } = await startServer(world, policy, { time });
  world.studies.set("one", { ...study({ studyToken: "one" }), date: "20260101", cameAt: begin });
  world.trueMs += 100 * dayMs;
  await assert.rejects(retention.run());
  assert.deepEqual(world.gone, []);
});
