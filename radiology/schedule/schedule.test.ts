import assert from "node:assert/strict";
import { test } from "node:test";
import { isProblem, type ProblemCode } from "#base/problem";
import type { DicomJson, KeywordDataSet } from "#formats/dicom";
import { actorOf, scopeOf } from "#trust/access";
import { keyOf, textAt } from "./attributes.ts";
import type { Schedule } from "./index.ts";
import { console1, dataSetOf, frontDesk, itemOf, itemValues, openSchedule } from "./schedule.fixture.ts";

const everything = { PatientName: "", StudyInstanceUID: "", ScheduledProcedureStepSequence: [] };
const refusal = (code: ProblemCode) => (error: unknown) => isProblem(error, code);

async function find(schedule: Schedule, keys: KeywordDataSet = everything, actor = console1): Promise<DicomJson[]> {
  const found: DicomJson[] = [];
  for await (const { attributes } of schedule.find(actor, dataSetOf(keys))) found.push(attributes);
  return found;
}
const names = (found: readonly DicomJson[]) => found.map((step) => textAt(step, keyOf("PatientName")));

test("what was scheduled is found, in the order in which it is due, also after a restart", async () => {
  const { schedule, again } = await openSchedule();
  await schedule.put(frontDesk, () => itemOf({ step: "2", name: "Later", time: "0900" }), "");
  await schedule.put(frontDesk, () => itemOf({ step: "1", name: "Sooner", time: "080000" }), "");
  await schedule.put(frontDesk, () => itemOf({ step: "3", name: "Day before", date: "20260228" }), "");
  assert.deepEqual(names(await find(schedule)), ["Day before", "Sooner", "Later"]);
  assert.deepEqual(names(await find(again())), ["Day before", "Sooner", "Later"]);
});

test("the same item again changes nothing, another with the same ids replaces it", async () => {
  const { schedule } = await openSchedule();
  assert.deepEqual(await schedule.put(frontDesk, () => itemOf(), ""), { added: 1, changed: 0, unchanged: 0 });
  assert.deepEqual(await schedule.put(frontDesk, () => itemOf(), ""), { added: 0, changed: 0, unchanged: 1 });
  const moved = itemOf({ date: "20260401", aes: ["CT9"] });
  assert.deepEqual(await schedule.put(frontDesk, () => moved, ""), { added: 0, changed: 1, unchanged: 0 });
  const asked = (ScheduledStationAETitle: string) => ({
    ScheduledProcedureStepSequence: [{ ScheduledStationAETitle }],
  });
  assert.equal((await find(schedule, asked("CT1"))).length, 0, "it is no longer found by what it was");
  assert.equal((await find(schedule, asked("CT9"))).length, 1);
});

test("an item with several steps is as many steps of one study", async () => {
  const { schedule } = await openSchedule();
  const [step] = itemValues().ScheduledProcedureStepSequence as KeywordDataSet[];
  const steps = ["1", "2"].map((id) => ({ ...step, ScheduledProcedureStepID: id }));
  const counts = await schedule.put(
    frontDesk,
    () => dataSetOf({ ...itemValues(), ScheduledProcedureStepSequence: steps }),
    "",
  );
  assert.equal(counts.added, 2);
  assert.equal((await find(schedule)).length, 2);
});

test("an item that a console could not be told is refused", async () => {
  const { schedule } = await openSchedule();
  for (const keyword of [
    "PatientName",
    "PatientID",
    "StudyInstanceUID",
    "RequestedProcedureID",
    "ScheduledProcedureStepSequence",
  ]) {
    const { [keyword]: _, ...values } = itemValues();
    await assert.rejects(
      schedule.put(frontDesk, () => dataSetOf(values), ""),
      refusal("invalid"),
      keyword,
    );
  }
  for (const keyword of ["Modality", "ScheduledStationAETitle", "ScheduledProcedureStepID"]) {
    await assert.rejects(
      schedule.put(frontDesk, () => itemOf({ moreOfStep: { [keyword]: "" } }), ""),
      refusal("invalid"),
      keyword,
    );
  }
  await assert.rejects(
    schedule.put(frontDesk, () => itemOf({ study: "1.2.3", more: { StudyInstanceUID: "../.." } }), ""),
    refusal("invalid"),
  );
  await assert.rejects(
    schedule.put(frontDesk, () => itemOf({ more: { PatientComments: "x".repeat(40_000) } }), ""),
    refusal("too-large"),
  );
  assert.equal((await find(schedule)).length, 0);
});

test("a machine is told what is done in its facility, a person what lies in what was granted", async () => {
  const north = actorOf("device", "n", {
    scope: { acts: ["worklist.read"], places: [{ kind: "facility", id: "f1" }] },
  });
  const { schedule } = await openSchedule();
  for (const [step, facility] of [
    ["1", "f1"],
    ["2", "f2"],
    ["3", ""],
  ] as const) {
    await schedule.put(frontDesk, () => itemOf({ step, name: `in ${facility}` }), facility);
  }
  assert.equal((await find(schedule)).length, 3, "who stands in no facility");
  assert.deepEqual(names(await find(schedule, everything, north)), ["in f1"]);
  assert.equal((await schedule.list(frontDesk)).length, 3);
});

test("who may not, is refused, and each look and change is in the log", async () => {
  const { schedule, entries } = await openSchedule();
  await assert.rejects(find(schedule, everything, actorOf("user", "x")), refusal("denied"));
  const asking = { ...console1, scope: scopeOf({ may: ["worklist"], facility: "" }) };
  await assert.rejects(
    schedule.put(asking, () => itemOf(), ""),
    refusal("denied"),
  );
  await schedule.put(frontDesk, () => itemOf(), "");
  await find(schedule);
  assert.deepEqual(
    entries.map(({ actor, act, outcome }) => [actor, act, outcome]),
    [
      ["user:x", "worklist.read", "refused"],
      ["device:c1", "worklist.write", "refused"],
      ["user:f", "worklist.write", "done"],
      ["device:c1", "worklist.read", "done"],
    ],
  );
});

test("what is removed is gone; what is not there is absent", async () => {
  const { schedule, again } = await openSchedule();
  await schedule.put(frontDesk, () => itemOf(), "");
  const [step] = await schedule.list(frontDesk);
  assert.ok(step);
  await schedule.remove(frontDesk, step.token);
  assert.equal((await find(again())).length, 0);
  await assert.rejects(schedule.remove(frontDesk, step.token), refusal("absent"));
});

test("the schedule rests sealed, and no record id says whose it is", async () => {
  const { schedule, store } = await openSchedule();
  await schedule.put(frontDesk, () => itemOf({ name: "Canary^Name" }), "");
  const rows = await store.list("scheduled-step", "", 9);
  assert.equal(rows.length, 1);
  assert.ok(
    !JSON.stringify(rows.map((row) => ({ ...row, sealed: Buffer.from(row.sealed).toString("latin1") }))).includes(
      "Canary",
    ),
  );
  assert.match(rows[0]!.id, /^[0-9a-f]{32}$/);
});

test("a schedule that did not open is opened by the next who asks", async () => {
  const { schedule, store } = await openSchedule();
  const { list } = store;
  store.list = async () => {
    throw new Error("the disk is away");
  };
  await assert.rejects(find(schedule));
  store.list = list;
  assert.deepEqual(await find(schedule), []);
});

test("an order whose number is known of another patient, issuer or facility replaces nothing", async () => {
  const { schedule } = await openSchedule();
  const more = { IssuerOfPatientID: "HOSP" };
  const names = { study: true, procedure: true, step: true };
  const order = { placer: "P1", filler: "", patientId: "", issuer: "", facility: "north", names };
  await schedule.putOrder(frontDesk, () => itemOf({ more }), order);
  for (const [planned, facility] of [
    [{ name: "Roe^Rae", more }, "north"],
    [{ more: { IssuerOfPatientID: "OTHER" } }, "north"],
    [{ more }, "south"],
  ] as const)
    await assert.rejects(
      schedule.putOrder(frontDesk, () => itemOf(planned), { ...order, facility }),
      (error) => isProblem(error, "conflict"),
    );
  assert.deepEqual(await schedule.putOrder(frontDesk, () => itemOf(), order), { added: 0, changed: 1, unchanged: 0 });
  assert.deepEqual(
    (await schedule.list(frontDesk)).map(({ patientName, facility }) => [patientName, facility]),
    [["Doe^Jane", "north"]],
  );
});

test("an order that comes again with one more number is the same step", async () => {
  const { schedule } = await openSchedule();
  const order = { placer: "P1", filler: "", patientId: "of Doe^Jane", issuer: "", facility: "" };
  const made = { ...order, names: { study: false, procedure: false, step: false } };
  const numbered = { PlacerOrderNumberImagingServiceRequest: "P1" };
  await schedule.putOrder(frontDesk, () => itemOf({ more: numbered }), made);
  const more = { ...numbered, FillerOrderNumberImagingServiceRequest: "F1" };
  const again = itemOf({ study: "1.2.9", step: "S9", date: "20260305", more });
  await schedule.putOrder(frontDesk, () => again, { ...made, filler: "F1" });
  const steps = await schedule.list(frontDesk);
  assert.deepEqual(
    steps.map(({ startDate }) => startDate),
    ["20260305"],
  );
  const other = itemOf({ study: "1.2.10", more: { ...more, RequestedProcedureID: "RP2" } });
  const names = { study: false, procedure: true, step: true };
  await schedule.putOrder(frontDesk, () => other, { ...made, names });
  assert.equal((await schedule.list(frontDesk)).length, 2, "another procedure of it is another one");
});
