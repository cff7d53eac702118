import assert from "node:assert/strict";
import { test } from "node:test";
import { isProblem } from "#base/problem";
import { Tag } from "#formats/dicom";
import { console1, dataSetOf, frontDesk, itemOf, openSchedule, type Planned } from "./schedule.fixture.ts";

const order = { placer: "P1", filler: "F1", patientId: "", issuer: "", facility: "" };
const numbered = (placer: string, filler: string, planned: Planned = {}): Planned => ({
  ...planned,
  more: { PlacerOrderNumberImagingServiceRequest: placer, FillerOrderNumberImagingServiceRequest: filler },
});

async function planned(...items: Planned[]) {
  const opened = await openSchedule();
  for (const item of items) await opened.schedule.put(frontDesk, () => itemOf(item), "");
  const names = async () => (await opened.schedule.list(frontDesk)).map((step) => `${step.patientName} ${step.status}`);
  return { ...opened, names };
}

test("an order that was cancelled leaves the list of consoles, and may be planned again", async () => {
  const { schedule, names } = await planned(
    numbered("P1", "F1"),
    numbered("P1", "F2", { study: "1.2.4", name: "Roe^Rae" }),
  );
  assert.equal(await schedule.changeOrder(frontDesk, { ...order, filler: "" }, { status: "CANCELED" }), 2);
  const asked = dataSetOf({ PatientName: "", ScheduledProcedureStepSequence: [{ Modality: "CT" }] });
  for await (const _ of schedule.find(console1, asked)) assert.fail("nothing is left to do");
  await schedule.put(frontDesk, () => itemOf(numbered("P1", "F1")), "");
  assert.deepEqual((await names()).sort(), ["Doe^Jane SCHEDULED", "Roe^Rae CANCELED"]);
});

test("numbers that disagree, another patient and another facility are another order", async () => {
  const { schedule } = await planned(numbered("P1", "F1"));
  const others = [
    { ...order, filler: "F2" },
    { ...order, patientId: "X" },
    { ...order, facility: "north" },
    { ...order, placer: "", filler: "" },
  ];
  for (const other of others)
    await assert.rejects(schedule.changeOrder(frontDesk, other, { status: "CANCELED" }), (error) =>
      isProblem(error, "absent"),
    );
});

test("an order that was cancelled is booked again; one that was done is not", async () => {
  const { schedule, names } = await planned(numbered("P1", "F1"));
  await schedule.changeOrder(frontDesk, order, { status: "CANCELED" });
  await schedule.changeOrder(frontDesk, order, { status: "SCHEDULED", startDate: "20260303" });
  assert.deepEqual(await names(), ["Doe^Jane SCHEDULED"]);
  await schedule.changeOrder(frontDesk, order, { status: "COMPLETED" });
  await schedule.changeOrder(frontDesk, order, { status: "SCHEDULED" });
  assert.deepEqual(await names(), ["Doe^Jane COMPLETED"]);
});

test("the same patient ID of another issuer is another patient", async () => {
  const { schedule } = await planned({
    ...numbered("P1", "F1"),
    more: { PlacerOrderNumberImagingServiceRequest: "P1", IssuerOfPatientID: "HOSP" },
  });
  const of = (issuer: string) => ({ ...order, patientId: "of Doe^Jane", issuer });
  await assert.rejects(schedule.changeOrder(frontDesk, of("OTHER"), { status: "CANCELED" }), (error) =>
    isProblem(error, "absent"),
  );
  assert.equal(await schedule.changeOrder(frontDesk, of(""), { status: "CANCELED" }), 1);
});

test("a status that is none is refused, and the step stays as it is", async () => {
  const { schedule, names } = await planned(numbered("P1", "F1"));
  for (const status of ["constructor", Object, {}] as never[])
    await assert.rejects(schedule.changeOrder(frontDesk, order, { status }), (error) => isProblem(error, "invalid"));
  assert.deepEqual(await names(), ["Doe^Jane SCHEDULED"]);
});

test("an order is moved to another time and machine; one that was begun is not cancelled", async () => {
  const { schedule, clock } = await planned(numbered("P1", "F1"));
  clock.advance(1_000);
  const change = { startDate: "20260302", startTime: "1015", stationAes: ["CT2", "CT3"] };
  await schedule.changeOrder(frontDesk, order, change);
  const [step] = await schedule.list(frontDesk);
  assert.deepEqual([step?.startDate, step?.startTime, step?.stationAes], ["20260302", "1015", ["CT2", "CT3"]]);
  const beginning = {
    ScheduledStepAttributesSequence: [{ StudyInstanceUID: "1.2.3", ScheduledProcedureStepID: "SPS1" }],
    PerformedProcedureStepID: "P1",
    PerformedStationAETitle: "CT1",
    PerformedProcedureStepStartDate: "20260301",
    PerformedProcedureStepStartTime: "0831",
    PerformedProcedureStepStatus: "IN PROGRESS",
    Modality: "CT",
  };
  await schedule.performed.begin(console1, "", "1.9", dataSetOf(beginning));
  await assert.rejects(schedule.changeOrder(frontDesk, order, { status: "CANCELED" }), (error) =>
    isProblem(error, "conflict"),
  );
  assert.equal(await schedule.changeOrder(frontDesk, order, { status: "DISCONTINUED" }), 1);
  assert.equal((await schedule.list(frontDesk))[0]?.status, "STARTED", "what is performed says how it stands");
});

test("a patient's steps say what is said of the patient now; again it changes nothing", async () => {
  const { schedule, names, again } = await planned(
    { more: { IssuerOfPatientID: "HOSP" } },
    { study: "1.2.4" },
    { study: "1.2.5", more: { IssuerOfPatientID: "OTHER" } },
    { study: "1.2.6", name: "Roe^Rae" },
  );
  const said = dataSetOf({ SpecificCharacterSet: "ISO_IR 192", PatientName: "Müller^Jane", PatientID: "N1" });
  const patient = { PatientID: "of Doe^Jane", IssuerOfPatientID: "HOSP" };
  assert.equal(await schedule.changePatient(frontDesk, patient, () => said), 2);
  assert.deepEqual((await names()).sort(), [
    "Doe^Jane SCHEDULED",
    "Müller^Jane SCHEDULED",
    "Müller^Jane SCHEDULED",
    "Roe^Rae SCHEDULED",
  ]);
  assert.equal(await schedule.changePatient(frontDesk, { PatientID: "N1" }, () => said), 0);
  const found: (string | undefined)[] = [];
  for await (const { attributes } of again().find(console1, dataSetOf({ PatientID: "N1" })))
    found.push(Object.keys(attributes)[0]);
  assert.equal(found.length, 2, "and are found by it");
  assert.equal(said.text(Tag.PatientID), "N1");
});
