import assert from "node:assert/strict";
import { test } from "node:test";
import { createVirtualClock } from "#base/clock";
import { silentLog } from "#base/log";
import { createMemoryAccessStore } from "#stores/memory";
import { openBox } from "./confirmations.fixture.ts";
import { foldedName } from "./folded-names.ts";
import { policyWhere } from "./grants.fixture.ts";
import {
  actorOf,
  createGate,
  createUnusualAccess,
  createWatchedPeople,
  type LookedHour,
  type Noticed,
  operator,
  type ShownIdentity,
  usualLimits,
} from "./index.ts";

const hourMs = 3_600_000;
const user = actorOf("user", "1");
const study = (number: number) => number.toString(16).padStart(32, "0");
const patient = "a".repeat(32);

/** Today at this hour of the day, here. */
function clockAt(hour: number) {
  const today = new Date(2026, 5, 15, hour, 10);
  return createVirtualClock(today.getTime());
}

async function watching(options: { hour?: number; hours?: readonly LookedHour[]; fails?: boolean } = {}) {
  const clock = clockAt(options.hour ?? 12);
  const store = createMemoryAccessStore();
  const audit = { append: async () => 0 } as never;
  const gate = createGate({ policy: policyWhere(), audit, clock });
  const people = await createWatchedPeople({ store, gate, box: openBox, clock, nameKey: new Uint8Array(32) });
  const noticed: Noticed[] = [];
  const unusual = createUnusualAccess({
    reviews: {
      async notice(one) {
        if (options.fails) throw new Error("no room");
        noticed.push(one);
      },
    },
    people,
    patientOf: async () => patient,
    hoursOf: async () => options.hours ?? [],
    clock,
    log: silentLog,
    limits: { ...usualLimits, studiesFloor: 10 },
  });
  const show = async (more: Partial<ShownIdentity> = {}, values: Readonly<Record<string, string>> = {}) => {
    unusual.watch({
      actor: user,
      act: "study.view",
      purpose: "read",
      rows: [{ studyToken: study(1), values }],
      ...more,
    });
    await unusual.settled();
    return noticed.splice(0).map(({ kind, count }) => (count === undefined ? kind : `${kind} ${count}`));
  };
  return { clock, people, show, unusual, noticed };
}

test("two spellings of one family name meet, whatever the script, the case, the accents and the width", () => {
  const pairs = [
    ["Müller^Eva", "MUELLER^Jan"],
    ["Müller^Eva", "Muller^Jan"],
    ["Søren­sen^A", "Soerensen^B"],
    ["Yamada^Tarou=山田^太郎=やまだ^たろう", "山田^花子"],
    ["YAMADA^Hanako", "Ｙａｍａｄａ^Tarou=山田^太郎"],
    ["García López^Ana", "López^Luis"],
    ["O'Neill^P", "Oneill^Q"],
    ["Meyer-Ruiz^A", "Ruiz^B"],
  ];
  for (const [a = "", b = ""] of pairs) {
    const [first, second] = [foldedName(a).families, foldedName(b).families];
    assert.ok(
      [...first].some((name) => second.has(name)),
      `${a} and ${b}`,
    );
  }
  for (const [a, b] of [
    ["Doe^Jane", "Dow^Jane"],
    ["van Dyck^A", "van Gogh^B"],
    ["", ""],
    ["^Jane", "^Jane"],
  ] as const) {
    const second = foldedName(b).families;
    assert.equal(
      [...foldedName(a).families].some((name) => second.has(name)),
      false,
      `${a} and ${b}`,
    );
  }
});

test("a relative, oneself and a marked patient are noticed, once in a minute; a stranger and a list are not", async () => {
  const { clock, people, show } = await watching();
  const shown = { PatientName: "DOE^JANE", PatientBirthDate: "19700101" };
  assert.deepEqual(await show({}, shown), []);
  await people.describe(operator, "1", { fullName: "Doe^John", birthDate: "19800101", patient: "" });
  assert.deepEqual(await show({}, shown), ["same-surname"]);
  assert.deepEqual(await show({}, shown), []);
  clock.advance(61_000);
  assert.deepEqual(await show({ purpose: "search" }, shown), []);
  assert.deepEqual(await show({ actor: actorOf("client", "1") }, shown), []);
  assert.deepEqual(await show({}, { PatientName: "Roe^Jane" }), []);
  await people.describe(operator, "1", { fullName: "Doe^Jane", birthDate: "19700101", patient: "" });
  assert.deepEqual(await show({}, shown), ["own-record"]);
  await people.describe(operator, "1", { fullName: "", birthDate: "", patient });
  clock.advance(61_000);
  assert.deepEqual(await show({}, { PatientName: "Roe^Jane" }), ["own-record"]);
  await people.describe(operator, "1", { fullName: "", birthDate: "", patient: "" });
  await people.mark(operator, patient, "works here");
  clock.advance(61_000);
  assert.deepEqual(await show(), ["vip"]);
});

test("a machine that fetches far more than ever is noticed, whatever the hour is", async () => {
  const machine = actorOf("device", "1");
  const { show } = await watching({ hour: 3 });
  const rows = Array.from({ length: 11 }, (_, at) => ({ studyToken: study(at), values: {} }));
  assert.deepEqual(await show({ actor: machine, rows: rows.slice(0, 1) }), []);
  assert.deepEqual(await show({ actor: machine, rows }), ["volume 11"]);
});

test("far more studies in an hour than ever is noticed, and what is usual for somebody is not", async () => {
  const rows = (from: number, count: number) =>
    Array.from({ length: count }, (_, at) => ({ studyToken: study(from + at), values: {} }));
  const novice = await watching();
  assert.deepEqual(await novice.show({ rows: rows(0, 10) }), []);
  assert.deepEqual(await novice.show({ rows: rows(0, 10) }), [], "the same ones again");
  assert.deepEqual(await novice.show({ rows: rows(10, 1) }), ["volume 11"]);
  assert.deepEqual(await novice.show({ rows: rows(11, 9) }), [], "told within the hour");
  novice.clock.advance(hourMs + 1);
  assert.deepEqual(await novice.show({ rows: rows(20, 5) }), []);
  const hour = Math.floor(clockAt(12).now() / hourMs) - 30;
  const expert = await watching({ hours: [{ hour, studies: 8 }] });
  assert.deepEqual(await expert.show({ rows: rows(0, 24) }), []);
  assert.deepEqual(await expert.show({ rows: rows(24, 1) }), ["volume 25"]);
});

test("an hour at which somebody is never there is noticed once, and a night shift is not", async () => {
  assert.deepEqual(await (await watching({ hour: 12 })).show(), []);
  const owl = await watching({ hour: 3 });
  assert.deepEqual(await owl.show(), ["hours"]);
  assert.deepEqual(await owl.show(), []);
  const night = Math.floor(clockAt(3).now() / hourMs);
  const hours = [1, 2, 3].map((days) => ({ hour: night - 24 * days, studies: 4 }));
  assert.deepEqual(await (await watching({ hour: 3, hours })).show(), []);
});

test("what cannot be noted stops nobody and nothing that comes after", async () => {
  const { show, unusual } = await watching({ hour: 3, fails: true });
  assert.deepEqual(await show(), []);
  await unusual.settled();
});
