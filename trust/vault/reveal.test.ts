import assert from "node:assert/strict";
import { test } from "node:test";
import { createVirtualClock } from "#base/clock";
import { silentLog } from "#base/log";
import { type Actor, actorOf, createGate, type Pass, system } from "#trust/access";
import type { AuditEntry, AuditLog } from "#trust/audit";
import { policyWhere } from "../access/grants.fixture.ts";
import { createReveal, type IdentityValues } from "./index.ts";
import { openVault, put } from "./vault.fixture.ts";

type Appended = Omit<AuditEntry, "at">;

async function revealing(options: { studiesPerMinuteMax?: number } = {}) {
  const { vault, stores } = await openVault();
  const entries: Appended[] = [];
  const waiting: (() => void)[] = [];
  let held = false;
  const audit = {
    async append(entry: Appended) {
      if (held) await new Promise<void>((resolve) => waiting.push(resolve));
      entries.push(entry);
      return entries.length - 1;
    },
  } as Partial<AuditLog> as AuditLog;
  const clock = createVirtualClock();
  const gate = createGate({ policy, audit, clock });
  const { studiesPerMinuteMax = 100 } = options;
  const made = createReveal({ vault, gate, audit, clock, log: silentLog, studiesPerMinuteMax });
  const sealed = async (studyUid: string, values: IdentityValues["values"]) => {
    const studyToken = await vault.studyToken(studyUid);
    const row = await vault.indexBox.sealIdentity(studyToken, { uid: studyUid, values });
    return { studyToken, sealed: row };
  };
  const asActor = <T>(actor: Actor, work: (pass: Pass) => Promise<T>) =>
    gate.pass(actor, "study.search", undefined, work);
  return {
    ...made,
    vault,
    stores,
    clock,
    gate,
    entries,
    sealed,
    asActor,
    hold(yes: boolean) {
      held = yes;
      for (const go of waiting.splice(0)) go();
    },
  };
}

const user = actorOf("user", "11");
const observer = actorOf("user", "22");
const policy = policyWhere({ "user:11": ["radiologist"], "user:22": ["researcher"], "user:33": ["radiologist"] });
const doe = {
  PatientName: "Doe^Jane=山田^花子",
  PatientID: "MRN0012345",
  PatientBirthDate: "19700131",
  AccessionNumber: "A1",
  PatientSex: "F",
};

test("identity is opened after the audit entry is on stable storage, which says who, what for and which studies", async () => {
  const { reveal, sealed, asActor, entries, hold } = await revealing();
  const row = await sealed("1.2", doe);
  let isOpen = false;
  const opening = asActor(user, async (pass) => {
    hold(true);
    const opened = reveal(pass, { rows: [row, row] }, "search");
    opened.then(() => {
      isOpen = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(isOpen, false);
    hold(false);
    return opened;
  });
  const { rows } = await opening;
  assert.deepEqual(rows[1], { uid: "1.2", values: doe });
  const entry = entries.find(({ act }) => act === "identity.search");
  assert.deepEqual(entry, {
    actor: "user:11",
    act: "identity.search",
    studies: [row.studyToken],
    purpose: "treatment",
    outcome: "done",
  });
});

test("nothing is opened without a pass of the gate, with one that has ended, or when the log takes no entry", async () => {
  const { reveal, sealed, asActor, clock, gate, vault } = await revealing();
  const row = await sealed("1.2", doe);
  const forged: Pass = { actor: user, act: "study.search", reach: [], sees: "whole" };
  await assert.rejects(reveal(forged, { rows: [row] }, "search"), { code: "denied" });
  const kept = await asActor(user, async (pass) => pass);
  await reveal(kept, { rows: [row] }, "search");
  clock.advance(3_600_001);
  await assert.rejects(reveal(kept, { rows: [row] }, "search"), { code: "denied" });

  const failing = { append: () => Promise.reject(new Error("disk")) } as Partial<AuditLog> as AuditLog;
  const parts = { vault, gate, audit: failing, clock, log: silentLog, studiesPerMinuteMax: 10 };
  const pass = await asActor(user, async (given) => given);
  await assert.rejects(createReveal(parts).reveal(pass, { rows: [row] }, "search"), /disk/);
});

test("who sees masked values gets first letters, the year of birth and last four, and no half", async () => {
  const { reveal, sealed, asActor, vault } = await revealing();
  const row = await sealed("1.2", doe);
  const { rows } = await asActor(observer, (pass) => reveal(pass, { rows: [row] }, "search"));
  assert.deepEqual(rows[0], {
    uid: "1.2",
    values: {
      PatientName: "D***^J***",
      PatientID: "***2345",
      PatientBirthDate: "1970",
      AccessionNumber: "***",
      PatientSex: "F",
    },
  });
  const place = await put(vault, Buffer.from("Doe"), { half: "identity", studyUid: "1.2" });
  const halves = [{ studyToken: row.studyToken, place }];
  await assert.rejects(
    asActor(observer, (pass) => reveal(pass, { halves }, "read")),
    { code: "denied" },
  );
  const opened = await asActor(user, (pass) => reveal(pass, { halves }, "read"));
  assert.equal(String(await (await opened.openHalf(0)).read(0, 3)), "Doe");
});

test("an actor that sees too many studies in a minute is stopped until it is released; the system is not counted", async () => {
  const { reveal, sealed, asActor, gate, breaker, clock, entries } = await revealing({ studiesPerMinuteMax: 3 });
  const rows = await Promise.all(["1", "2", "3", "4", "5"].map((uid) => sealed(uid, doe)));
  const see = (actor: Actor, ...at: number[]) =>
    asActor(actor, (pass) => reveal(pass, { rows: at.map((i) => rows[i] as (typeof rows)[0]) }, "search"));
  const told: string[] = [];
  breaker.watch(({ actor }) => told.push(actor));

  for (let again = 0; again < 5; again++) await see(user, 0, 1, 2);
  clock.advance(60_000);
  await see(user, 2, 3, 4);
  await assert.rejects(see(user, 0), { code: "busy" });
  assert.deepEqual(told, ["user:11"]);
  assert.equal(entries.at(-2)?.outcome, "refused");
  clock.advance(600_000);
  await assert.rejects(see(user, 0), { code: "busy" });
  await see(actorOf("user", "33"), 0, 1);
  assert.deepEqual(
    breaker.stopped().map(({ actor }) => actor),
    ["user:11"],
  );
  assert.equal(breaker.release("user:11"), true);
  assert.equal(breaker.release("user:11"), false);
  await see(user, 0);
  await gate.pass(system, "series.summarise", undefined, (pass) => reveal(pass, { rows }, "summary"));
});

test("a row of a shredded study is left out, one that was changed is refused", async () => {
  const { reveal, sealed, asActor, vault } = await revealing();
  const [gone, changed] = [await sealed("1.2", doe), await sealed("1.3", doe)];
  await vault.shred({ studyTokens: [gone.studyToken] });
  const open = (row: typeof gone) => asActor(user, (pass) => reveal(pass, { rows: [row] }, "search"));
  assert.deepEqual((await open(gone)).rows, [undefined]);
  const other = { ...changed, studyToken: (await sealed("1.4", doe)).studyToken };
  await assert.rejects(open(other), { code: "damaged" });
  const bytes = Buffer.from(changed.sealed);
  bytes[20] = (bytes[20] ?? 0) ^ 1;
  await assert.rejects(open({ ...changed, sealed: bytes }), { code: "damaged" });
});

test("a thousand studies in one answer are all named in the log, a hundred an entry", async () => {
  const { reveal, sealed, asActor, entries } = await revealing({ studiesPerMinuteMax: 2_000 });
  const rows = await Promise.all(Array.from({ length: 250 }, (_, i) => sealed(`1.${i}`, doe)));
  await asActor(user, (pass) => reveal(pass, { rows }, "search"));
  const named = entries.filter(({ act }) => act === "identity.search").map(({ studies }) => studies?.length);
  assert.deepEqual(named, [100, 100, 50]);
});
