import assert from "node:assert/strict";
import { test } from "node:test";
import { elementsOf, type KeywordDataSet, tagOf, writeDataSet } from "#formats/dicom";
import { console1, openSchedule } from "../../radiology/schedule/schedule.fixture.ts";
import { commandField } from "./command.ts";
import { performedServices } from "./performed.ts";
import { ct, explicit, implicit, rawPeer } from "./scp.fixture.ts";
import { associate, serving } from "./services.fixture.ts";

const mpps = "1.2.840.10008.3.1.2.3.3";
const retrieve = "1.2.840.10008.3.1.2.3.4";
const beginning: KeywordDataSet = {
  ScheduledStepAttributesSequence: [{ StudyInstanceUID: "1.2.3" }],
  PerformedProcedureStepID: "P1",
  PerformedStationAETitle: "CT1",
  PerformedProcedureStepStartDate: "20260301",
  PerformedProcedureStepStartTime: "0831",
  PerformedProcedureStepStatus: "IN PROGRESS",
  Modality: "CT",
};
const ending: KeywordDataSet = {
  PerformedProcedureStepStatus: "COMPLETED",
  PerformedProcedureStepEndDate: "20260301",
  PerformedProcedureStepEndTime: "0840",
  PerformedSeriesSequence: [{ SeriesInstanceUID: "1.2.3.4", ProtocolName: "Head" }],
};

async function door() {
  const { schedule } = await openSchedule();
  return serving({ normalized: performedServices({ performed: schedule.performed, actor: console1, facility: "" }) });
}
const connected = async () => associate((await door()).door, [mpps, retrieve]);

test("a performed step is created, set and read; without a UID it gets one", async () => {
  const peer = await connected();
  assert.equal(
    (
      await peer.create(
        mpps,
        "1.9",
        elementsOf({ ...beginning, PatientName: "Müller", SpecificCharacterSet: "ISO_IR 100" }),
      )
    ).status,
    0,
  );
  assert.equal((await peer.set(mpps, "1.9", elementsOf(ending))).status, 0);
  const { dataSet } = await peer.getAttributes(retrieve, "1.9");
  assert.equal(dataSet?.text(tagOf("PatientName")), "Müller");
  assert.equal(dataSet?.text(tagOf("PerformedProcedureStepStatus")), "COMPLETED");
  const made = await peer.create(mpps, undefined, elementsOf(beginning));
  assert.deepEqual([made.status, /^2\.25\./.test(made.sopInstanceUid ?? "")], [0, true]);
});

test("each refusal has the status of the standard", async () => {
  const peer = await connected();
  const create = async (values: KeywordDataSet, uid = "1.9") =>
    (await peer.create(mpps, uid, elementsOf(values))).status;
  const set = async (values: KeywordDataSet, uid = "1.9") => (await peer.set(mpps, uid, elementsOf(values))).status;
  const { Modality: _, ...without } = beginning;
  assert.equal(await create(without), 0x0120, "missing attribute");
  assert.equal(await create({ ...beginning, Modality: "" }), 0x0121, "missing attribute value");
  assert.equal(
    await create({ ...beginning, PerformedProcedureStepStatus: "COMPLETED" }),
    0x0106,
    "invalid attribute value",
  );
  assert.equal(await set(ending), 0x0112, "no such SOP instance");
  assert.equal((await peer.getAttributes(retrieve, "1.9")).status, 0x0112);
  assert.equal((await peer.getAttributes(mpps, "1.9")).status, 0x0211, "reading is of another SOP class");
  assert.equal((await peer.create(retrieve, "1.9", elementsOf(beginning))).status, 0x0211);
  assert.equal((await peer.create(mpps, "1.9")).status, 0x0120, "no attributes at all");
  assert.equal(await create(beginning), 0);
  assert.equal(await create(beginning), 0x0111, "duplicate SOP instance");
  assert.equal(await set({ PerformedProcedureStepStatus: "COMPLETED" }), 0x0120);
  assert.equal(await set(ending), 0);
  assert.equal(await set(ending), 0x0110, "processing failure: it has ended");
});

test("the response to a change of what has ended says so by its error id", async () => {
  const { door: at } = await door();
  const first = await associate(at, [mpps]);
  await first.create(mpps, "1.9", elementsOf(beginning));
  await first.set(mpps, "1.9", elementsOf(ending));
  const contexts = [{ id: 5, abstractSyntax: mpps, transferSyntaxes: [explicit] }];
  const { commands, command, dataSet, send, settle } = await rawPeer(at, 0, undefined, { contexts });
  const set = {
    CommandField: commandField.nSetRq,
    CommandDataSetType: 1,
    MessageID: 7,
    RequestedSOPClassUID: mpps,
    RequestedSOPInstanceUID: "1.9",
  };
  const values = writeDataSet(elementsOf(ending), { transferSyntaxUid: explicit });
  await send(command(set, 5), dataSet(values, 5));
  while (commands.length === 0) await settle();
  assert.deepEqual(
    commands.map(({ Status, ErrorID }) => [Status, ErrorID]),
    [[0x0110, 0xa710]],
  );
});

/** What dcm4che's `mppsscu` sends of a worklist item: all of type 2 is there, most of it empty. */
const asDcm4che: KeywordDataSet = {
  ...{ SpecificCharacterSet: "ISO_IR 100", ProcedureCodeSequence: [], ReferencedPatientSequence: [], StudyID: "RP1" },
  ...{ PatientName: "SMITH^JOHN", PatientID: "PAT001", PatientBirthDate: "", PatientSex: "" },
  ...beginning,
  PerformedStationName: "",
  PerformedLocation: "",
  PerformedProcedureStepEndDate: "",
  PerformedProcedureStepEndTime: "",
  PerformedProcedureStepDescription: "",
  PerformedProcedureTypeDescription: "",
  PerformedProtocolCodeSequence: [],
  PerformedSeriesSequence: [],
  ScheduledStepAttributesSequence: [
    {
      AccessionNumber: "A1",
      ReferencedStudySequence: [],
      StudyInstanceUID: "1.2.3",
      RequestedProcedureDescription: "",
      ScheduledProcedureStepDescription: "",
      ScheduledProtocolCodeSequence: [],
      ScheduledProcedureStepID: "SPS1",
      RequestedProcedureID: "RP1",
    },
  ],
};
const seriesAsDcm4che: KeywordDataSet = {
  ...{ RetrieveAETitle: "", SeriesDescription: "", PerformingPhysicianName: "", OperatorsName: "" },
  ...{ ProtocolName: "UNKNOWN", SeriesInstanceUID: "1.2.3.4", ReferencedNonImageCompositeSOPInstanceSequence: [] },
  ReferencedImageSequence: [{ ReferencedSOPClassUID: ct, ReferencedSOPInstanceUID: "1.2.3.4.5" }],
};

test("what dcm4che's mppsscu sends is taken in either encoding, completed and given up", async () => {
  for (const [syntax, status] of [
    [implicit, "COMPLETED"],
    [explicit, "DISCONTINUED"],
  ] as const) {
    const both = [mpps, retrieve].map((sopClassUid) => ({ sopClassUid, transferSyntaxUids: [syntax] }));
    const peer = await associate((await door()).door, both);
    assert.equal((await peer.create(mpps, "1.9", elementsOf(asDcm4che))).status, 0);
    const { PatientName: _, ...values } = asDcm4che;
    const set = {
      ...values,
      ...ending,
      PerformedProcedureStepStatus: status,
      PerformedSeriesSequence: [seriesAsDcm4che],
    };
    assert.equal((await peer.set(mpps, "1.9", elementsOf(set))).status, 0);
    const { dataSet } = await peer.getAttributes(retrieve, "1.9");
    const [series] = dataSet?.items(tagOf("PerformedSeriesSequence")) ?? [];
    const [image] = series?.items(tagOf("ReferencedImageSequence")) ?? [];
    assert.equal(image?.text(tagOf("ReferencedSOPInstanceUID")), "1.2.3.4.5");
    assert.deepEqual(
      [dataSet?.text(tagOf("PatientID")), dataSet?.text(tagOf("PerformedProcedureStepStatus"))],
      ["PAT001", status],
    );
  }
});
