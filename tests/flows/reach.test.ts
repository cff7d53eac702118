import assert from "node:assert/strict";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { systemClock } from "#base/clock";
import { elementsOf, type KeywordDataSet } from "#formats/dicom";
import { createMemoryBlindStore } from "#stores/memory";
import { actorOf, covers, createPolicy, type Grant, operator, type Place } from "#trust/access";
import { openArchive } from "../../radiology/archive/archive.fixture.ts";
import { imageFile, tokenOf } from "../../radiology/archive/corrections.fixture.ts";
import { grantOf } from "../../trust/access/grant-store.contract.ts";
import { memoryStores } from "../../trust/vault/vault.fixture.ts";
import { openReachingHouse } from "../attacks/reaching.fixture.ts";

const north = "0f".repeat(16);
const south = "0e".repeat(16);
const all = { matches: [], limit: 100, offset: 0 };
const reason = { code: "CORRECT", text: "" } as const;

/** An archive, and people whose grants a test gives and ends. */
async function opened(stores = memoryStores()) {
  let laterMs = 0;
  const clock = { ...systemClock, now: () => systemClock.now() + laterMs };
  const held = new Map<string, Grant[]>();
  const policy = createPolicy({ liveOf: (holder) => held.get(holder) ?? [] });
  const house = await openArchive({ policy, stores, clock });
  const receive = async (values: KeywordDataSet, options: { study: string; number?: number }, facility?: string) => {
    const receiving = house.archive.receiveFile(actorOf("device", "1"), facility);
    await receiving.write(imageFile(values, options));
    return receiving.finish();
  };
  return {
    ...house,
    receive,
    wait: (ms: number) => {
      laterMs += ms;
    },
    person(name: string, ...places: Place[]) {
      held.set(
        `user:${name}`,
        places.map((place, at) => grantOf(`${name} ${at}`, `user:${name}`, { role: "referrer", place })),
      );
      return actorOf("user", name);
    },
    end: (name: string) => held.delete(`user:${name}`),
    async factsOf(studyUid: string) {
      await house.archive.settled();
      const study = await house.index.study(studyUid);
      assert.ok(study);
      return house.index.factsOf(study);
    },
    found: async (actor: ReturnType<typeof actorOf>) =>
      (await house.archive.findStudies(actor, all)).map(({ studyUid }) => studyUid).sort(),
  };
}

test("a study lies where its first device stands, whatever other devices send to it later, and a rebuild finds it there again", async () => {
  const stores = memoryStores();
  const house = await opened(stores);
  const first = await house.receive({}, { study: "1", number: 1 }, north);
  house.wait(1_000);
  await house.receive({}, { study: "1", number: 2 }, south);
  const { studyUid: imported } = await house.receive({ PatientID: "P2" }, { study: "2" });
  const facts = await house.factsOf(first.studyUid);
  assert.equal(facts.facility, north);
  assert.equal(facts.patient, await house.vault.patientOf(facts.study));
  assert.equal((await house.factsOf(imported)).facility, "");
  const here = house.person("here", { kind: "facility", id: north });
  const there = house.person("there", { kind: "facility", id: south });
  assert.deepEqual(await house.found(here), [first.studyUid]);
  assert.deepEqual(await house.found(there), []);
  await assert.rejects(house.archive.read(there, { studyUid: first.studyUid }), { code: "denied" });
  await house.archive.rebuild(operator, () => {});
  assert.deepEqual(await house.factsOf(first.studyUid), facts);
  assert.deepEqual(await house.found(here), [first.studyUid]);
  await house.archive.close();
  const again = await openArchive({ stores, blindStore: createMemoryBlindStore() });
  await again.archive.recover();
  const study = await again.index.study(first.studyUid);
  assert.deepEqual(study && again.index.factsOf(study), facts);
});

test("who was granted a patient or an order follows merges, moves and corrections, at once and after a rebuild", async () => {
  const house = await opened();
  const one = await house.receive({ PatientID: "P1", AccessionNumber: "A1" }, { study: "1" });
  const two = await house.receive({ PatientID: "P2", AccessionNumber: "A2" }, { study: "2" });
  const [first, second] = [await house.factsOf(one.studyUid), await house.factsOf(two.studyUid)];
  assert.notEqual(first.patient, second.patient);
  const ofFirst = house.person("first", { kind: "patient", id: first.patient });
  const ofSecond = house.person("second", { kind: "patient", id: second.patient });
  const ordered = house.person("ordered", { kind: "order", id: second.order });
  const token = await tokenOf(house.archive, one);
  await house.archive.correctStudy(operator, token, { AccessionNumber: "A2" }, reason);
  assert.deepEqual(await house.found(ordered), [one.studyUid, two.studyUid]);
  await house.archive.moveStudy(operator, token, { PatientID: "P2" }, reason);
  const check = async () => {
    assert.deepEqual(await house.found(ofFirst), []);
    assert.deepEqual(await house.found(ofSecond), [one.studyUid, two.studyUid]);
    assert.deepEqual(await house.found(ordered), [one.studyUid, two.studyUid]);
    await assert.rejects(house.archive.studyOfToken(ofFirst, token), { code: "denied" });
    assert.equal((await house.archive.studyOfToken(ofSecond, token)).study.studyUid, one.studyUid);
  };
  await check();
  await house.archive.rebuild(operator, () => {});
  await check();
});

test("the same accession number of another issuer is another order, and who gave it out is shown to nobody", async () => {
  const house = await opened();
  const issuer = (LocalNamespaceEntityID: string) => [elementsOf({ LocalNamespaceEntityID })];
  const orders = [];
  for (const [at, values] of [
    {},
    { IssuerOfAccessionNumberSequence: issuer("NORTH") },
    { IssuerOfAccessionNumberSequence: issuer("SOUTH") },
    { IssuerOfAccessionNumberSequence: issuer("NORTH"), ReferencedStudySequence: issuer("SOUTH") },
    { IssuerOfAccessionNumberSequence: [elementsOf({ UniversalEntityID: "NORTH" })] },
  ].entries()) {
    const { studyUid } = await house.receive({ AccessionNumber: "A1", ...values }, { study: String(at + 1) });
    orders.push((await house.factsOf(studyUid)).order);
  }
  assert.equal(new Set(orders).size, 3);
  assert.deepEqual([orders[3], orders[4]], [orders[1], orders[1]]);
  for (const { values } of await house.archive.findStudies(operator, all)) {
    assert.ok(!("IssuerOfAccessionNumberSequence" in values));
  }
});

test("copies in conflict and changed studies are told of to who may reach their study", async () => {
  const house = await opened();
  const { studyUid } = await house.receive({}, { study: "1" }, north);
  await house.receive({ PatientComments: "other bytes" }, { study: "1" }, north);
  const { studyUid: other } = await house.receive({}, { study: "2" }, south);
  const tokens = [(await house.factsOf(studyUid)).study, (await house.factsOf(other)).study];
  const [here, there] = [
    house.person("here", { kind: "facility", id: north }),
    house.person("there", { kind: "facility", id: south }),
  ];
  assert.deepEqual(
    [(await house.archive.conflicts(here)).length, (await house.archive.conflicts(there)).length],
    [2, 0],
  );
  const watched = async (actor: ReturnType<typeof actorOf>) =>
    (await house.archive.watchedStudies(actor, tokens)).map((study) => study.studyUid);
  assert.deepEqual([await watched(here), await watched(there)], [[studyUid], [other]]);
});

test("a grant that ends stops a retrieve between two instances and within one, and pictures under way", async () => {
  const house = await opened();
  const { studyUid } = await house.receive({}, { study: "1", number: 1 });
  await house.receive({}, { study: "1", number: 2 });
  const facts = await house.factsOf(studyUid);
  const reader = house.person("reader", { kind: "study", id: facts.study });
  const [first, second] = await house.archive.read(reader, { studyUid });
  const [image, another] = await house.archive.images(reader, { studyUid });
  assert.ok(first && second && image && another);
  const object = await first.open();
  await object.read(0, object.sizeBytes);
  const picture = await image.open();
  house.end("reader");
  const denied = { code: "denied" };
  await assert.rejects(second.open(), denied);
  await assert.rejects(object.read(0, 1), denied);
  const pieces = async (from: AsyncIterable<unknown>) => {
    for await (const _piece of from);
  };
  await assert.rejects(pieces(object.stream()), denied);
  await assert.rejects(async () => another.open(), denied);
  await assert.rejects(pieces(image.whileLive(picture.stream())), denied);
  // What was opened is kept for others, whom the gate asks for themselves.
  assert.ok((await picture.read(0, 16)).length > 0);
  await assert.rejects(house.archive.images(reader, { studyUid }), denied);
});

test("an open event stream tells of what lies in reach, and ends with the grant", async () => {
  const house = await openReachingHouse();
  const name = house.grant("referrer", { kind: "study", id: house.studies.own.token });
  await house.server.listen({ port: 0, host: "127.0.0.1" });
  const { port } = house.server.server.address() as AddressInfo;
  const stream = await fetch(`http://127.0.0.1:${port}/api/events`, { headers: { "x-actor": name } });
  assert.equal(stream.status, 200);
  let text = "";
  const ended = (async () => {
    for await (const bytes of stream.body ?? []) text += Buffer.from(bytes as Uint8Array).toString();
  })();
  const until = async (isSo: () => boolean) => {
    for (let tries = 0; tries < 1_200 && !isSo(); tries++) await new Promise((resolve) => setTimeout(resolve, 25));
    assert.ok(isSo());
  };
  await until(() => text.includes(": open"));
  await house.store("other", 3);
  await house.store("own", 3);
  await until(() => text.includes(house.studies.own.token));
  assert.ok(!text.includes(house.studies.other.token));
  house.end(name);
  await ended;
  const again = await fetch(`http://127.0.0.1:${port}/api/events`, { headers: { "x-actor": name } });
  assert.equal(again.status, 404);
  await house.close();
});

test("what a scope of a token names narrows what the grants give", async () => {
  const house = await opened();
  const { studyUid } = await house.receive({}, { study: "1" }, north);
  const { studyUid: other } = await house.receive({ PatientID: "P2" }, { study: "2" }, north);
  const facts = await house.factsOf(studyUid);
  const { id } = house.person("app", { kind: "facility", id: north });
  const scope = {
    acts: ["study.search", "study.read"] as const,
    places: [{ kind: "patient", id: facts.patient }] as const,
  };
  const launched = actorOf("user", id.slice("user:".length), { scope });
  assert.ok(covers([[{ kind: "facility", id: north }], scope.places], facts));
  assert.deepEqual(await house.found(launched), [studyUid]);
  await assert.rejects(house.archive.read(launched, { studyUid: other }), { code: "denied" });
});
