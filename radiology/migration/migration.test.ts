import assert from "node:assert/strict";
import { test } from "node:test";
import { isProblem, Problem } from "#base/problem";
import { actorOf, operator } from "#trust/access";
import { imageFile, receive } from "../archive/corrections.fixture.ts";
import type { Counts } from "./index.ts";
import { administrator, type OldStudy, openHouse, pacs, reader, scanner, spec, uids } from "./old-archive.fixture.ts";

const some: readonly OldStudy[] = [
  { name: "1", date: "20240103", time: "0900", instances: 2 },
  { name: "2", date: "20240115", time: "1000", instances: 3, modality: "MR" },
  { name: "3", date: "20240131", time: "1100", instances: 1 },
  { name: "4", date: "20231231", time: "1100", instances: 1 },
  { name: "5", instances: 1 },
];

const of = (counts: Counts, ...keys: (keyof Counts)[]) => Object.fromEntries(keys.map((key) => [key, counts[key]]));

test("an old archive comes over, the newest studies first, those without a date last, nothing twice", async () => {
  const { migrations, untilStill, asked } = await openHouse(some);
  const { id } = await migrations.start(administrator, spec());
  const { state, totals } = await untilStill(id);
  assert.equal(state, "done");
  assert.deepEqual(of(totals, "found", "fetched", "waiting", "short", "failed", "instancesFetched"), {
    ...{ found: 4, fetched: 4, waiting: 0, short: 0, failed: 0, instancesFetched: 7 },
  });
  assert.ok(totals.bytes > 0);
  assert.deepEqual(
    asked.sent.map((uid) => uid.split(".").at(-3)),
    ["3", "2", "2", "2", "1", "1", "5"],
  );
  const { days, months, modalities } = await migrations.report(administrator, id);
  assert.deepEqual(
    days.map((day) => [day.of, day.counts.instancesListed]),
    [
      ["20240103", 2],
      ["20240115", 3],
      ["20240131", 1],
      ["undated", 1],
    ],
  );
  assert.deepEqual(
    months.map((month) => [month.of, month.counts.fetched]),
    [
      ["202401", 3],
      ["undated", 1],
    ],
  );
  assert.deepEqual(
    modalities.map((one) => [one.of, one.counts.found]),
    [
      ["CT", 3],
      ["MR", 1],
    ],
  );
  const again = await migrations.start(administrator, spec({ checkOnly: true }));
  const checked = await untilStill(again.id);
  assert.deepEqual(of(checked.totals, "found", "heldBefore", "fetched"), { found: 4, heldBefore: 4, fetched: 0 });
  assert.equal(asked.sent.length, 7);
});

test("what is here is not fetched: of a study that is here in part only the rest, or all where it must be", async () => {
  for (const onlyWhole of [false, true]) {
    const { migrations, untilStill, asked, manners, archive, fileOf } = await openHouse(some);
    manners.onlyWhole = onlyWhole;
    const [, second, third] = some as [OldStudy, OldStudy, OldStudy];
    await receive(archive, fileOf(second, 2), scanner);
    await receive(archive, fileOf(third, 1), scanner);
    const { id } = await migrations.start(administrator, spec());
    const { totals } = await untilStill(id);
    assert.deepEqual(of(totals, "heldBefore", "fetched", "instancesBefore", "instancesFetched", "conflicts"), {
      ...{ heldBefore: 1, fetched: 3, instancesBefore: 2, instancesFetched: 5, conflicts: 0 },
    });
    assert.equal(asked.sent.includes(`${uids}.3.9.1`), false);
    assert.equal(asked.sent.filter((uid) => uid.startsWith(`${uids}.2.`)).length, onlyWhole ? 3 : 2);
  }
});

test("an instance that is here with other bytes is kept beside and counted as a conflict", async () => {
  const { migrations, untilStill, index, archive, asked } = await openHouse(some);
  for (const name of ["2", "3"]) {
    const uidsOfOther = { StudyInstanceUID: `${uids}.77`, SeriesInstanceUID: `${uids}.77.1` };
    await receive(archive, imageFile(uidsOfOther, { study: name }), scanner);
  }
  const { id } = await migrations.start(administrator, spec());
  const { totals } = await untilStill(id);
  assert.deepEqual(of(totals, "fetched", "heldBefore", "short", "conflicts"), {
    ...{ fetched: 4, heldBefore: 0, short: 0, conflicts: 2 },
  });
  assert.equal((await index.conflicts()).length, 4);
  const again = await migrations.start(administrator, spec());
  assert.equal((await untilStill(again.id)).totals.heldBefore, 4);
  assert.equal(asked.sent.length, 7);
});

test("what is short is tried again, set aside with its reason, and holds up nothing", async () => {
  const { migrations, untilStill, manners, asked } = await openHouse(some);
  manners.sends.set("2", 1);
  const { id } = await migrations.start(administrator, spec({ associations: 3 }));
  const { state, totals } = await untilStill(id);
  assert.equal(state, "done");
  // One more came with each attempt: the third brought the last.
  assert.deepEqual(of(totals, "fetched", "short"), { fetched: 4, short: 0 });
  assert.equal(new Set(asked.sent).size, asked.sent.length);

  const other = await openHouse(some);
  other.manners.sends.set("2", 0);
  const { id: second } = await other.migrations.start(administrator, spec());
  const done = await other.untilStill(second);
  assert.deepEqual(of(done.totals, "fetched", "short", "instancesMissing"), {
    fetched: 3,
    short: 1,
    instancesMissing: 3,
  });
  const [wrong, ...more] = await other.migrations.wrong(administrator, second, { limit: 9, identified: false });
  assert.equal(more.length, 0);
  assert.deepEqual([wrong?.state, wrong?.missing, wrong?.attempts, wrong?.month], ["short", 3, 5, "202401"]);
  assert.equal(wrong?.problem?.message, "the association was lost");
  assert.doesNotMatch(JSON.stringify(wrong), /P-2|Doe|1561/);
  const [known] = await other.migrations.wrong(reader, second, { limit: 9, identified: true });
  assert.equal(known?.identity?.patientId, "P-2");
  await assert.rejects(other.migrations.wrong(administrator, second, { limit: 9, identified: true }), (error) =>
    isProblem(error, "denied"),
  );
  other.manners.sends.clear();
  await other.migrations.resume(administrator, second);
  assert.deepEqual(of((await other.untilStill(second)).totals, "fetched", "short"), { fetched: 4, short: 0 });
});

test("while an archive is away no study is blamed; it goes on when it is back", async () => {
  const { migrations, until, untilStill, standingOf, manners } = await openHouse(some);
  manners.isAway = true;
  const { id } = await migrations.start(administrator, spec());
  await until(async () => (await standingOf(migrations, id)).waitsFor === "archive");
  await until(async () => (await standingOf(migrations, id)).trouble?.code === "unavailable", 600_000);
  manners.isAway = false;
  let steps = 0;
  manners.step = (what) => {
    if (what === "send") manners.isAway = ++steps === 2;
    else if (what === "contents" && steps === 2) manners.isAway = false;
  };
  await until(async () => steps === 2);
  await until(async () => (await standingOf(migrations, id)).waitsFor === "archive");
  manners.isAway = false;
  const { totals } = await untilStill(id);
  assert.deepEqual(of(totals, "fetched", "failed", "short"), { fetched: 4, failed: 0, short: 0 });
});

test("an archive that refuses ten studies one after the other, or does not list its days, is left alone until somebody looks", async () => {
  const many = Array.from({ length: 14 }, (_, at) => ({ name: `${at + 1}`, date: "20240131", instances: 1 }));
  const { migrations, untilStill, manners } = await openHouse(many);
  for (const { name } of many) manners.sends.set(name, 0);
  const { id } = await migrations.start(administrator, spec());
  const paused = await untilStill(id);
  assert.equal(paused.state, "paused");
  assert.match(paused.trouble?.remedy ?? "", /resume/);
  manners.sends.clear();
  await migrations.resume(administrator, id);
  assert.deepEqual(of((await untilStill(id)).totals, "fetched", "waiting", "short"), {
    fetched: 14,
    waiting: 0,
    short: 0,
  });

  const refusing = await openHouse(some);
  refusing.manners.step = (what) => {
    if (what === "list") throw new Problem("invalid", "the peer refused a C-FIND with status 0xc000");
  };
  const second = await refusing.migrations.start(administrator, spec());
  const left = await refusing.untilStill(second.id);
  assert.deepEqual([left.state, left.unsureDays], ["paused", 3]);
});

test("archives that cut, repeat, or do not look at dates are listed whole all the same", async () => {
  const day = Array.from({ length: 130 }, (_, at) => {
    const time = `${String(7 + (at % 12)).padStart(2, "0")}${String(at % 60).padStart(2, "0")}00`;
    return { name: `${at + 1}`, date: "20240131", time, instances: 1 };
  });
  const cutting = await openHouse(day);
  Object.assign(cutting.manners, { bound: 50, repeats: true });
  const dates = { from: "20240130", to: "20240131", order: "newest", undated: false } as const;
  const { id } = await cutting.migrations.start(administrator, spec({ dates, associations: 4 }));
  const { totals, unsureDays } = await cutting.untilStill(id);
  assert.deepEqual([totals.found, totals.fetched, unsureDays], [130, 130, 1], "those without a time may be missing");
  const ignoring = await openHouse(some);
  ignoring.manners.ignoresDates = true;
  const second = await ignoring.migrations.start(administrator, spec());
  const all = await ignoring.untilStill(second.id);
  assert.deepEqual([all.totals.found, all.totals.fetched, all.ignoresDates], [4, 4, true]);
  assert.equal(ignoring.asked.windows.length, 1);
});

test("where instances are not listed, numbers are compared; an archive that says it has more than it lists differs", async () => {
  const outcomes: unknown[] = [];
  for (const [lists, boasts] of [
    ["series", 0],
    ["counts", 0],
    ["nothing", 0],
    ["instances", 2],
    ["counts", 2],
  ] as const) {
    const { migrations, untilStill, manners } = await openHouse(some.slice(0, 3));
    Object.assign(manners, { lists, boasts });
    const { id } = await migrations.start(administrator, spec());
    const { totals } = await untilStill(id);
    outcomes.push([lists, boasts, totals.fetched, totals.differs, totals.short, totals.instancesFetched]);
  }
  assert.deepEqual(outcomes, [
    ["series", 0, 3, 0, 0, 6],
    ["counts", 0, 3, 0, 0, 6],
    ["nothing", 0, 0, 3, 0, 6],
    ["instances", 2, 0, 3, 0, 6],
    ["counts", 2, 0, 0, 3, 6],
  ]);
});

test("only the modalities that were asked for come, by day or in a certain pass", async () => {
  const { migrations, untilStill, asked } = await openHouse(some);
  const { id } = await migrations.start(administrator, spec({ modalities: ["MR"] }));
  const { totals } = await untilStill(id);
  assert.deepEqual([totals.found, totals.fetched], [1, 1]);
  assert.ok(asked.windows.every(({ ModalitiesInStudy }) => ModalitiesInStudy === "MR"));
});

test("it keeps to its hours and its pace, and says what it waits for", async () => {
  const noon = Date.UTC(2024, 5, 1, 12);
  const { migrations, until, untilStill, standingOf, asked, clock } = await openHouse(some, { startMs: noon });
  const { id } = await migrations.start(administrator, spec({ hours: { from: 19, to: 6 }, studiesPerMinute: 1 }));
  await until(async () => (await standingOf(migrations, id)).waitsFor === "hours");
  assert.equal(asked.windows.length, 0);
  clock.advance(6.5 * 3_600_000);
  const beganAt = clock.now();
  await until(async () => asked.sent.length > 0);
  assert.equal(new Date(clock.now()).getUTCHours(), 19);
  await untilStill(id);
  assert.ok(clock.now() - beganAt >= 3 * 60_000);
});

test("paused, resumed, stopped, one at a time of a machine, and only by who may", async () => {
  const { migrations, until, untilStill, manners, asked } = await openHouse(some);
  const { id } = await migrations.start(administrator, spec());
  await assert.rejects(migrations.start(administrator, spec()), (error) => isProblem(error, "conflict"));
  await assert.rejects(migrations.start(reader, spec()), (error) => isProblem(error, "denied"));
  await assert.rejects(migrations.list(actorOf("user", "stranger")), (error) => isProblem(error, "denied"));
  manners.step = (what) => {
    if (what === "send" && asked.sent.length === 2) return new Promise<void>((resolve) => setImmediate(resolve));
  };
  await until(async () => asked.sent.length >= 2);
  assert.equal((await migrations.pause(administrator, id)).state, "paused");
  const sent = asked.sent.length;
  await assert.rejects(migrations.pause(administrator, id), (error) => isProblem(error, "conflict"));
  await until(async () => true);
  assert.equal(asked.sent.length, sent);
  await migrations.resume(administrator, id);
  assert.equal((await untilStill(id)).totals.fetched, 4);
  assert.equal(new Set(asked.sent).size, asked.sent.length);
  const second = await migrations.start(administrator, spec());
  assert.equal((await migrations.stop(administrator, second.id)).state, "stopped");
  await assert.rejects(migrations.resume(administrator, second.id), (error) => isProblem(error, "conflict"));
  await migrations.remove(administrator, second.id);
  assert.equal((await migrations.list(administrator)).length, 1);
  for (const bad of [
    { from: "b".repeat(32) },
    { associations: 5 },
    { hours: { from: 3, to: 3 } },
    { dates: { from: "20240201", to: "20240131", order: "newest", undated: false } },
    { studiesPerMinute: 0 },
  ] as const) {
    await assert.rejects(migrations.start(administrator, spec(bad)), (error) => isProblem(error));
  }
});

test("a server that ends between any two steps goes on where it was: nothing is lost, twice, or counted wrong", async () => {
  for (let end = 1; end <= 24; end++) {
    const first = await openHouse(some);
    let steps = 0;
    const ended = Promise.withResolvers<void>();
    first.manners.step = async () => {
      if (++steps < end) return;
      ended.resolve();
      // What a killed process would have done next never happens.
      await new Promise(() => {});
    };
    const { id } = await first.migrations.start(administrator, spec());
    await first.until(async () => steps >= end);
    await ended.promise;
    first.manners.step = () => {};
    const next = first.open();
    await next.begin();
    const { totals, state } = await first.untilStill(id, next);
    assert.equal(state, "done", `ended at step ${end}`);
    const expected = { found: 4, fetched: 4, heldBefore: 0, short: 0, failed: 0, waiting: 0, instancesFetched: 7 };
    assert.deepEqual(of(totals, ...(Object.keys(expected) as (keyof Counts)[])), expected, `ended at step ${end}`);
    assert.equal(new Set(first.asked.sent).size, first.asked.sent.length, `ended at step ${end}`);
  }
});

test("each step is an act of who started it; where they may no more it pauses, and goes on in the name of who resumes it", async () => {
  const { migrations, until, untilStill, entries, asked, ended } = await openHouse(some);
  const { id } = await migrations.start(administrator, spec());
  await until(async () => asked.sent.length >= 1);
  ended.add(administrator.id);
  await until(async () => (await migrations.list(operator))[0]?.state === "paused");
  const [paused] = await migrations.list(operator);
  assert.match(paused?.trouble?.remedy ?? "", /resume/);
  await migrations.resume(operator, id);
  ended.clear();
  assert.equal((await untilStill(id)).totals.fetched, 4);
  const carried = entries.filter(({ act }) => act === "migration.carry");
  assert.deepEqual([...new Set(carried.map(({ actor }) => actor))], ["user:administrator", "operator"]);
  assert.ok(carried.every(({ on }) => on?.id === pacs));
});
