import assert from "node:assert/strict";
import { test } from "node:test";
import { isProblem, type ProblemCode } from "#base/problem";
import { type KeywordDataSet, tagOf } from "#formats/dicom";
import { actorOf } from "#trust/access";
import { keyOf, textAt } from "./attributes.ts";
import type { Schedule, WithAttributeFault } from "./index.ts";
import { console1, dataSetOf, frontDesk, itemOf, openSchedule, type Planned } from "./schedule.fixture.ts";

const dayMs = 24 * 60 * 60 * 1000;
const refusal = (code: ProblemCode, fault?: WithAttributeFault["fault"]) => (error: unknown) =>
  isProblem(error, code) && (error as WithAttributeFault).fault === fault;

const beginning = (
  of: readonly KeywordDataSet[] = [{ StudyInstanceUID: "1.2.3", ScheduledProcedureStepID: "SPS1" }],
) => ({
  ScheduledStepAttributesSequence: [...of],
  PatientName: "Doe^Jane",
  PerformedProcedureStepID: "PPS1",
  PerformedStationAETitle: "CT1",
  PerformedProcedureStepStartDate: "20260301",
  PerformedProcedureStepStartTime: "0831",
  PerformedProcedureStepStatus: "IN PROGRESS",
  Modality: "CT",
});
const ended = (PerformedProcedureStepStatus: string) => ({
  PerformedProcedureStepStatus,
  PerformedProcedureStepEndDate: "20260301",
  PerformedProcedureStepEndTime: "0840",
  PerformedSeriesSequence: [{ SeriesInstanceUID: "1.2.3.4", ProtocolName: "Head" }],
});

async function planned(...items: Planned[]) {
  const opened = await openSchedule();
  for (const item of items.length === 0 ? [{}] : items) await opened.schedule.put(frontDesk, () => itemOf(item), "");
  return opened;
}
const begin = ({ performed }: Schedule, uid: string, values: KeywordDataSet = beginning()) =>
  performed.begin(console1, "", uid, dataSetOf(values));
const change = ({ performed }: Schedule, uid: string, values: KeywordDataSet) =>
  performed.change(console1, uid, dataSetOf(values));
const states = async (schedule: Schedule) => (await schedule.list(frontDesk)).map(({ status }) => status);
async function shown(schedule: Schedule): Promise<number> {
  let count = 0;
  for await (const _ of schedule.find(console1, dataSetOf({ PatientName: "" }))) count++;
  return count;
}

test("the scheduled step follows the performed one, and leaves the worklist when it is done", async () => {
  const { schedule, again } = await planned();
  assert.deepEqual(await states(schedule), ["SCHEDULED"]);
  await begin(schedule, "1.9");
  assert.deepEqual(await states(schedule), ["STARTED"]);
  assert.equal(await shown(schedule), 1);
  await change(schedule, "1.9", ended("COMPLETED"));
  assert.deepEqual(await states(again()), ["COMPLETED"]);
  assert.equal(await shown(schedule), 0);
  await schedule.put(frontDesk, () => itemOf(), "");
  assert.equal(await shown(schedule), 0, "who imports the same file again does not schedule it again");
});

test("a step of which one performance was given up is done when another is completed", async () => {
  const { schedule } = await planned();
  await begin(schedule, "1.9");
  await change(schedule, "1.9", ended("DISCONTINUED"));
  assert.deepEqual(await states(schedule), ["DISCONTINUED"]);
  await begin(schedule, "1.10");
  assert.deepEqual(await states(schedule), ["STARTED"]);
  await change(schedule, "1.10", ended("COMPLETED"));
  assert.deepEqual(await states(schedule), ["COMPLETED"]);
});

test("one performance may be of several scheduled steps (group case)", async () => {
  const { schedule } = await planned({ step: "1" }, { step: "2", time: "0900" }, { step: "3", time: "1000" });
  const of = ["1", "2"].map((ScheduledProcedureStepID) => ({ StudyInstanceUID: "1.2.3", ScheduledProcedureStepID }));
  await begin(schedule, "1.9", beginning(of));
  assert.deepEqual(await states(schedule), ["STARTED", "STARTED", "SCHEDULED"]);
});

test("a step is found by its study, else by its accession number; without an id by its modality", async () => {
  const byAccession = { StudyInstanceUID: "9.9", AccessionNumber: "A1" };
  const mr = { study: "1.2.3", step: "MR1", modality: "MR", time: "0900" };
  const { schedule } = await planned({}, mr, { study: "1.5", step: "X", accession: "A5", time: "1000" });
  await begin(schedule, "1.9", beginning([{ ...byAccession }]));
  assert.deepEqual(await states(schedule), ["STARTED", "SCHEDULED", "SCHEDULED"]);
  await begin(schedule, "1.10", beginning([{ StudyInstanceUID: "1.5", ScheduledProcedureStepID: "X" }]));
  assert.deepEqual(await states(schedule), ["STARTED", "SCHEDULED", "STARTED"]);
});

test("an unscheduled performance is kept, and is of nothing", async () => {
  const { schedule } = await planned();
  await begin(schedule, "1.9", beginning([{ StudyInstanceUID: "7.7" }]));
  assert.deepEqual(await states(schedule), ["SCHEDULED"]);
  assert.equal(
    textAt(await schedule.performed.read(console1, "1.9", []), keyOf("PerformedProcedureStepStatus")),
    "IN PROGRESS",
  );
});

test("one that lacks what it must begin with is refused, and says what", async () => {
  const { schedule } = await planned();
  for (const keyword of Object.keys(beginning()).filter((one) => one !== "PatientName")) {
    const { [keyword]: _, ...values } = beginning() as KeywordDataSet;
    await assert.rejects(begin(schedule, "1.9", values), (error) => {
      assert.deepEqual((error as WithAttributeFault).offendingElements, [tagOf(keyword)]);
      return refusal("invalid", "missing")(error);
    });
    await assert.rejects(
      begin(schedule, "1.9", { ...values, [keyword]: keyword.endsWith("Sequence") ? [] : "" }),
      refusal("invalid", "empty"),
    );
  }
  for (const status of ["COMPLETED", "DISCONTINUED", "STARTED"]) {
    await assert.rejects(
      begin(schedule, "1.9", { ...beginning(), PerformedProcedureStepStatus: status }),
      refusal("invalid", "value"),
    );
  }
  await assert.rejects(
    begin(schedule, "1.9", beginning([{ StudyInstanceUID: "not one" }])),
    refusal("invalid", "value"),
  );
  await assert.rejects(schedule.performed.read(console1, "1.9", []), refusal("absent"));
  assert.deepEqual(await states(schedule), ["SCHEDULED"]);
});

test("there is one of each UID; one without gets a UID", async () => {
  const { schedule } = await planned();
  await begin(schedule, "1.9");
  await assert.rejects(begin(schedule, "1.9"), refusal("conflict"));
  const twice = await Promise.allSettled([begin(schedule, "1.8"), begin(schedule, "1.8")]);
  assert.deepEqual(twice.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
  assert.match(await schedule.performed.begin(console1, "", undefined, dataSetOf(beginning())), /^2\.25\.\d+$/);
});

test("what has ended is not changed any more, what has not is, but for what it began with", async () => {
  const { schedule } = await planned();
  await assert.rejects(change(schedule, "1.9", ended("COMPLETED")), refusal("absent"));
  await begin(schedule, "1.9");
  await change(schedule, "1.9", {
    PerformedProcedureStepDescription: "Head",
    PatientName: "Somebody^Else",
    Modality: "MR",
  });
  const read = await schedule.performed.read(
    console1,
    "1.9",
    ["PatientName", "Modality", "PerformedProcedureStepDescription"].map(tagOf),
  );
  assert.deepEqual(
    Object.keys(read).map((at) => textAt(read, at)),
    ["CT", "Doe^Jane", "Head"],
  );
  await assert.rejects(change(schedule, "1.9", { PerformedProcedureStepStatus: "DONE" }), refusal("invalid", "value"));
  await change(schedule, "1.9", ended("COMPLETED"));
  for (const again of [ended("DISCONTINUED"), { PerformedProcedureStepDescription: "Neck" }]) {
    await assert.rejects(change(schedule, "1.9", again), refusal("conflict"));
  }
});

test("one that ends without what it must end with goes on", async () => {
  const { schedule } = await planned();
  await begin(schedule, "1.9");
  const { PerformedProcedureStepEndTime: _, ...noTime } = ended("COMPLETED");
  await assert.rejects(change(schedule, "1.9", noTime), refusal("invalid", "missing"));
  await assert.rejects(
    change(schedule, "1.9", { ...ended("COMPLETED"), PerformedSeriesSequence: [] }),
    refusal("invalid", "empty"),
  );
  assert.deepEqual(await states(schedule), ["STARTED"]);
  await change(schedule, "1.9", { ...ended("DISCONTINUED"), PerformedSeriesSequence: [] });
  assert.deepEqual(await states(schedule), ["DISCONTINUED"]);
});

test("a performance of 5,000 images is kept and read again", async () => {
  const { schedule } = await planned();
  await begin(schedule, "1.9");
  const ReferencedImageSequence = Array.from({ length: 5_000 }, (_, n) => ({
    ReferencedSOPClassUID: "1.2.840.10008.5.1.4.1.1.2",
    ReferencedSOPInstanceUID: `1.2.840.113619.2.55.3.604688119.868.1456230045.${n}`,
  }));
  const series = { SeriesInstanceUID: "1.2.3.4", ProtocolName: "Head", ReferencedImageSequence };
  await change(schedule, "1.9", { ...ended("COMPLETED"), PerformedSeriesSequence: [series] });
  const read = await schedule.performed.read(console1, "1.9", [tagOf("PerformedSeriesSequence")]);
  assert.ok(JSON.stringify(read).includes(".1456230045.4999"));
});

test("a machine of another facility neither sees a performance nor begins with a step there", async () => {
  const acts = ["step.perform", "step.read"] as const;
  const inFacility = (id: string) => actorOf("device", id, { scope: { acts, places: [{ kind: "facility", id }] } });
  const { schedule } = await openSchedule();
  await schedule.put(frontDesk, () => itemOf(), "f1");
  const begun = (facility: string, uid: string) =>
    schedule.performed.begin(inFacility(facility), facility, uid, dataSetOf(beginning()));
  await begun("f2", "1.8");
  assert.deepEqual(await states(schedule), ["SCHEDULED"]);
  await begun("f1", "1.9");
  assert.deepEqual(await states(schedule), ["STARTED"]);
  await assert.rejects(schedule.performed.read(inFacility("f2"), "1.9", []), refusal("absent"));
  await assert.rejects(
    schedule.performed.change(inFacility("f2"), "1.9", dataSetOf(ended("COMPLETED"))),
    refusal("absent"),
  );
});

test("ended steps are forgotten a week later, when something is scheduled", async () => {
  const { schedule, clock } = await planned();
  await begin(schedule, "1.9");
  await change(schedule, "1.9", ended("COMPLETED"));
  await clock.advance(8 * dayMs);
  await schedule.put(frontDesk, () => itemOf({ step: "next", date: "20260310" }), "");
  assert.deepEqual(await states(schedule), ["SCHEDULED"]);
});

test("a performance is forgotten a quarter of a year after its last change, when another begins", async () => {
  const { schedule, clock, store } = await planned();
  await begin(schedule, "1.7");
  await begin(schedule, "1.8");
  await clock.advance(30 * dayMs);
  await change(schedule, "1.8", ended("COMPLETED"));
  await clock.advance(61 * dayMs);
  await begin(schedule, "1.9");
  assert.equal((await store.list("performed-step", "", 9)).length, 2);
  await assert.rejects(schedule.performed.read(console1, "1.7", []), refusal("absent"));
  await schedule.performed.read(console1, "1.8", []);
});

test("a performance of more steps than are followed at once is refused", async () => {
  const { schedule } = await planned();
  const of = Array.from({ length: 101 }, (_, n) => ({ StudyInstanceUID: "1.2.3", ScheduledProcedureStepID: `${n}` }));
  await assert.rejects(begin(schedule, "1.9", beginning(of)), refusal("invalid", "value"));
});
