import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { createVirtualClock } from "#base/clock";
import { systemRandom } from "#base/id";
import { silentLog } from "#base/log";
import { isProblem, Problem } from "#base/problem";
import type { HeldInstance } from "#radiology/archive";
import { createMemoryRecordStore } from "#stores/memory";
import { type Actor, actorOf, operator } from "#trust/access";
import { createRecords } from "#trust/vault";
import { policyWhere } from "../../trust/access/grants.fixture.ts";
import { openArchive } from "../archive/archive.fixture.ts";
import { imageFile, receive, tokenOf } from "../archive/corrections.fixture.ts";
import { openRouting } from "../routing/routing.fixture.ts";
import {
  type Availability,
  type CommitmentReport,
  type CommitmentRequest,
  createRelay,
  type Peers,
  type SendingAnswer,
} from "./index.ts";

const pacs = "a".repeat(32);
const ct = "c".repeat(32);
const scanner: Actor = actorOf("device", ct);
const reader: Actor = actorOf("user", "reader");
const stranger: Actor = actorOf("user", "stranger");
const secondaryCapture = "1.2.840.10008.5.1.4.1.1.7";

/** A machine that does as it is told, and keeps what it hears. */
function machines() {
  const heard = {
    sent: [] as string[],
    reports: [] as CommitmentReport[],
    asked: [] as CommitmentRequest[],
    announced: [] as Availability[],
    fetched: [] as string[],
  };
  let answer: (sopInstanceUid: string) => SendingAnswer | "lost" = () => "taken";
  const peers: Peers = {
    async titleOf(id) {
      if (id !== pacs && id !== ct) throw new Problem("absent", "no such device");
      return "PACS1";
    },
    async send(_to, held: readonly HeldInstance[], { answered }) {
      for (const { sopUid } of held) {
        const said = answer(sopUid);
        if (said === "lost") throw new Problem("unavailable", "the association was lost");
        if (said === "taken") heard.sent.push(sopUid);
        if (!answered(sopUid, said)) return;
      }
    },
    report: async (_to, report) => void heard.reports.push(report),
    ask: async (_to, request) => void heard.asked.push(request),
    announce: async (_to, study) => void heard.announced.push(study),
    fetch: async (_from, studyUid) => void heard.fetched.push(studyUid),
    find: async () => [{ StudyInstanceUID: "1.2.3" }],
  };
  const answering = (says: typeof answer) => {
    answer = says;
  };
  return { peers, heard, answering };
}

async function openRelay(notified: readonly string[] = []) {
  const clock = createVirtualClock();
  const policy = policyWhere({ "user:reader": ["radiologist"] });
  const parts = await openArchive({ clock, policy });
  const { archive, vault } = parts;
  const records = createRecords({ store: createMemoryRecordStore(), vault });
  const { peers, heard, answering } = machines();
  const { routing } = await openRouting({ ...parts, records });
  const shared = { ...parts, records, peers, routing, clock, random: systemRandom, log: silentLog };
  const relay = createRelay({ ...shared, notified: async () => notified });
  await relay.begin();
  const stored = [];
  for (const number of [1, 2, 3]) stored.push(await receive(archive, imageFile({}, { number }), scanner));
  const [first] = stored;
  assert.ok(first);
  const studyToken = await tokenOf(archive, first);
  const references = stored.map(({ sopUid }) => ({ sopClassUid: secondaryCapture, sopInstanceUid: sopUid }));
  const later = async (ms: number) => {
    for (let turn = 0; turn < 60; turn++) await setImmediate();
    clock.advance(ms);
    for (let turn = 0; turn < 60; turn++) await setImmediate();
  };
  return { ...shared, relay, heard, answering, stored, studyToken, references, later };
}

test("a study is sent in the name of who asked, as a disclosure whose receiver stands in the sealed detail", async () => {
  const { relay, heard, studyToken, stored, later, entries } = await openRelay();
  const request = { studyToken, to: pacs, commit: false };
  await assert.rejects(relay.send(stranger, request), (error) => isProblem(error, "denied"));
  await relay.send(reader, request);
  await later(0);
  assert.deepEqual(heard.sent.sort(), stored.map(({ sopUid }) => sopUid).sort());
  const [transfer] = await relay.list(reader);
  assert.deepEqual([transfer?.state, transfer?.progress], ["done", { done: 3, of: 3 }]);
  assert.deepEqual(await relay.list(stranger).catch((error) => error.code), "denied");
  const acts = entries.filter(({ actor }) => actor === "user:reader").map(({ act, outcome }) => `${act} ${outcome}`);
  assert.ok(acts.includes("study.send done") && acts.includes("transfer.carry done"));
  assert.ok(!acts.includes("identity.export done"), "it went out once, and is told once");
  await relay.close();
});

test("what was taken is not sent again; what a machine refuses for good gives the sending up with the reason", async () => {
  const { relay, heard, answering, studyToken, references, later } = await openRelay();
  const [first, second] = references.map(({ sopInstanceUid }) => sopInstanceUid);
  answering((uid) => (uid === second ? "lost" : "taken"));
  await relay.send(reader, { studyToken, to: pacs, commit: false });
  await later(0);
  assert.deepEqual(heard.sent, [first]);
  assert.equal((await relay.list(reader))[0]?.problem?.code, "unavailable");
  answering((uid) => (uid === second ? "refused" : "taken"));
  await later(20_000);
  assert.equal(heard.sent.filter((uid) => uid === first).length, 1);
  const [transfer] = await relay.list(reader);
  assert.equal(transfer?.state, "given-up");
  assert.equal(transfer?.problem?.message, "1 of 3 instances were refused by the other machine");
  await relay.close();
});

test("storage commitment is asked for when all were taken, and its answer ends the asking", async () => {
  for (const [kept, state] of [
    [3, "done"],
    [2, "given-up"],
  ] as const) {
    const { relay, heard, studyToken, references, later } = await openRelay();
    await relay.send(reader, { studyToken, to: pacs, commit: true });
    await later(0);
    const [asked] = heard.asked;
    assert.ok(asked);
    assert.deepEqual(asked.references.map(({ sopInstanceUid }) => sopInstanceUid).sort(), [
      ...references.map(({ sopInstanceUid }) => sopInstanceUid).sort(),
    ]);
    const keptUids = references.slice(0, kept).map(({ sopInstanceUid }) => sopInstanceUid);
    const answer = { transactionUid: asked.transactionUid, keptUids };
    await assert.rejects(relay.commitmentAnswered(scanner, ct, answer), (error) => isProblem(error, "absent"));
    await relay.commitmentAnswered(actorOf("device", pacs), pacs, answer);
    await later(0);
    const ask = (await relay.list(reader)).find(({ kind }) => kind === "commitment-ask");
    assert.equal(ask?.state, state);
    // A machine that has not heard that we have heard it says it again.
    await relay.commitmentAnswered(actorOf("device", pacs), pacs, answer);
    await later(0);
    assert.equal((await relay.list(reader)).find(({ kind }) => kind === "commitment-ask")?.state, state);
    await relay.close();
  }
});

test("an answer that comes when nobody waits for it any more is heard still", async () => {
  const { relay, heard, studyToken, references, later } = await openRelay();
  await relay.send(reader, { studyToken, to: pacs, commit: true });
  for (let hours = 0; hours < 130; hours += 4) await later(4 * 3_600_000);
  const ask = async () => (await relay.list(reader)).find(({ kind }) => kind === "commitment-ask");
  assert.equal((await ask())?.state, "given-up");
  const keptUids = references.map(({ sopInstanceUid }) => sopInstanceUid);
  const transactionUid = heard.asked[0]?.transactionUid ?? "";
  await relay.commitmentAnswered(actorOf("device", pacs), pacs, { transactionUid, keptUids });
  await later(0);
  assert.equal((await ask())?.state, "done");
  await relay.close();
});

test("what is kept is said of each instance: here and proven, absent, of another class, or in doubt", async () => {
  const { relay, heard, references, archive, stores, index, later } = await openRelay();
  const [first, second, third] = references;
  assert.ok(first && second && third);
  // Other bytes under the second's UID; the third is damaged where it rests.
  await receive(archive, imageFile({ Rows: 1 }, { number: 2 }), scanner);
  await archive.settled();
  const matches = [{ keyword: "SOPInstanceUID", kind: "equal", values: [third.sopInstanceUid] }] as const;
  const [row] = await index.findInstances({ matches, limit: 1, offset: 0 });
  assert.ok(row);
  const pack = stores.image.objects.bytes();
  pack[row.places.image.offset - 40] = (pack[row.places.image.offset - 40] ?? 0) ^ 1;
  const asked = [
    first,
    second,
    third,
    { ...first, sopClassUid: "1.2.840.10008.5.1.4.1.1.2" },
    { ...first, sopInstanceUid: "1.2.3.4.5" },
  ];
  await relay.commitmentAsked(scanner, ct, { transactionUid: "2.25.1", references: asked });
  await later(0);
  const [report] = heard.reports;
  assert.equal(report?.transactionUid, "2.25.1");
  assert.deepEqual(report?.kept, [first]);
  const reasons = new Map(
    report?.failed.map(({ sopInstanceUid, sopClassUid, reason }) => [`${sopInstanceUid} ${sopClassUid}`, reason]),
  );
  assert.equal(reasons.get(`${second.sopInstanceUid} ${second.sopClassUid}`), "in-doubt");
  assert.equal(reasons.get(`${third.sopInstanceUid} ${third.sopClassUid}`), "in-doubt");
  assert.equal(reasons.get(`${first.sopInstanceUid} 1.2.840.10008.5.1.4.1.1.2`), "other-class");
  assert.equal(reasons.get(`1.2.3.4.5 ${first.sopClassUid}`), "absent");
  await relay.close();
});

test("machines that want it are told of a study once it has come to rest", async () => {
  const { relay, heard, later, references } = await openRelay([pacs]);
  await later(2_000);
  assert.deepEqual(heard.announced, []);
  await later(130_000);
  const told: readonly Availability[] = heard.announced;
  assert.deepEqual(
    told[0]?.series.flatMap(({ instances }) => instances.map(({ sopInstanceUid }) => sopInstanceUid)).sort(),
    references.map(({ sopInstanceUid }) => sopInstanceUid).sort(),
  );
  await relay.close();
});

test("a fetch is queued, a search is answered, both through the gate, and who follows one hears its end", async () => {
  const { relay, heard } = await openRelay();
  const { id } = await relay.fetch(operator, pacs, "1.2.3");
  const over = await relay.follow(operator, id, () => {}, new AbortController().signal);
  assert.equal(over.state, "done");
  assert.deepEqual(heard.fetched, ["1.2.3"]);
  assert.deepEqual(await relay.find(reader, pacs, { PatientID: "1" }), [{ StudyInstanceUID: "1.2.3" }]);
  await assert.rejects(relay.find(stranger, pacs, {}), (error) => isProblem(error, "denied"));
  await assert.rejects(relay.fetch(operator, "f".repeat(32), "1.2.3"), (error) => isProblem(error, "absent"));
  await relay.close();
});
