import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { systemClock } from "#base/clock";
import { dial, type OutboundAssociation, openAssociation } from "#doors/dimse";
import type { WorklistView } from "#formats/api";
import {
  type DataSet,
  elementsOf,
  type KeywordDataSet,
  Tag,
  TransferSyntaxUid,
  tagOf,
  writeFile,
} from "#formats/dicom";
import { dataSetOf, itemValues, type Planned } from "../../radiology/schedule/schedule.fixture.ts";
import { type RunningHouse, startHouse } from "../house/index.ts";
import { wholeLog } from "./modality.fixture.ts";

/*
 * A day at a console: worklist files are imported, a machine asks for its list and says what it does. The tests follow on each other.
 */
const worklist = "1.2.840.10008.5.1.4.31";
const mpps = "1.2.840.10008.3.1.2.3.3";
const mppsRetrieve = "1.2.840.10008.3.1.2.3.4";
let house: RunningHouse;
let folder = "";
before(async () => {
  house = await startHouse();
  folder = mkdtempSync(join(tmpdir(), "lg-worklist-"));
  house.command(["facility", "add", "North"]);
  house.command(["device", "add", "CT1", "--address", "127.0.0.1"]);
  house.command(["device", "add", "CT2", "--address", "127.0.0.1", "--facility", "North"]);
  house.command(["device", "add", "STORE", "--address", "127.0.0.1", "--may", "store"]);
});
after(async () => {
  rmSync(folder, { recursive: true, force: true });
  await house?.remove();
});

function fileOf(name: string, planned: Planned): string {
  const path = join(folder, `${name}.wl`);
  const meta = {
    mediaStorageSopClassUid: worklist,
    mediaStorageSopInstanceUid: "1.2.3.4.5",
    transferSyntaxUid: TransferSyntaxUid.explicitLittleEndian,
    implementationClassUid: "1.2.826.0.1.3680043.10.1425.9",
    implementationVersionName: "PLANNER",
  };
  writeFileSync(path, writeFile(meta, elementsOf({ SpecificCharacterSet: "ISO_IR 192", ...itemValues(planned) })));
  return path;
}

function associate(callingAe: string): Promise<OutboundAssociation> {
  const contexts = [worklist, mpps, mppsRetrieve].map((sopClassUid) => ({
    sopClassUid,
    transferSyntaxUids: [TransferSyntaxUid.implicitLittleEndian],
  }));
  const connection = dial({ host: "127.0.0.1", port: house.dicom });
  return openAssociation(connection, { callingAe, calledAe: "LEADGLASS", contexts }, { clock: systemClock });
}

async function ask(callingAe: string, keys: KeywordDataSet): Promise<DataSet[]> {
  const association = await associate(callingAe);
  const found: DataSet[] = [];
  for await (const one of association.find(worklist, dataSetOf(keys))) found.push(one);
  await association.release();
  return found;
}
const names = (found: readonly DataSet[]) => found.map((one) => one.text(Tag.PatientName));
const listed = () => JSON.parse(house.command(["worklist", "list", "--json"])) as WorklistView;

test("worklist files among images are scheduled, and again changes nothing", () => {
  fileOf("1", { name: "Müller^Änne", step: "1" });
  fileOf("2", { name: "Roe^Richard", study: "1.2.4", step: "2", modality: "MR", aes: ["MR1"], time: "1000" });
  assert.deepEqual(JSON.parse(house.command(["import", folder, "--json"])), { stored: 0, scheduled: 2, refused: 0 });
  assert.match(house.command(["import", folder]), /^0 stored, 2 scheduled, 0 refused/);
  assert.equal(listed().total, 2);
  assert.match(house.command(["worklist", "list"]), /20260301 0830 {2}CT on CT1: Müller\^Änne .* SCHEDULED/);
});

test("a machine asks for its list; the answer is in the character set of the question, where that holds it", async () => {
  const step = { ScheduledStationAETitle: "CT1", Modality: "CT", ScheduledProcedureStepStartDate: "20260301" };
  const asked = { PatientName: "", ScheduledProcedureStepSequence: [step] };
  const [latin] = await ask("CT1", { SpecificCharacterSet: "ISO_IR 100", ...asked });
  assert.deepEqual([latin?.text(Tag.PatientName), latin?.characterSets()], ["Müller^Änne", ["ISO_IR 100"]]);
  const [unicode] = await ask("CT1", asked);
  assert.deepEqual([unicode?.text(Tag.PatientName), unicode?.characterSets()], ["Müller^Änne", ["ISO_IR 192"]]);
  assert.deepEqual(names(await ask("CT1", { SpecificCharacterSet: "ISO_IR 100", PatientName: "mül*" })), [
    "Müller^Änne",
  ]);
});

test("a machine of a facility sees what is done there, and one without the right is refused", async () => {
  assert.deepEqual(names(await ask("CT2", { PatientName: "" })), []);
  house.command(["import", fileOf("3", { name: "North^Nora", study: "1.2.5", step: "3" }), "--facility", "North"]);
  assert.deepEqual(names(await ask("CT2", { PatientName: "" })), ["North^Nora"]);
  const association = await associate("STORE");
  assert.deepEqual(association.contexts, []);
  association.abort();
});

test("what a machine says that it does is kept, and its step leaves the list", async () => {
  const association = await associate("CT1");
  const beginning = elementsOf({
    ScheduledStepAttributesSequence: [{ StudyInstanceUID: "1.2.3", ScheduledProcedureStepID: "1" }],
    PerformedProcedureStepID: "P1",
    PerformedStationAETitle: "CT1",
    PerformedProcedureStepStartDate: "20260301",
    PerformedProcedureStepStartTime: "0831",
    PerformedProcedureStepStatus: "IN PROGRESS",
    Modality: "CT",
  });
  assert.equal((await association.create(mpps, "1.9.9", beginning)).status, 0);
  assert.equal((await association.create(mpps, "1.9.9", beginning)).status, 0x0111);
  assert.equal(listed().steps.find(({ patientName }) => patientName.startsWith("M"))?.status, "STARTED");
  const end = elementsOf({
    PerformedProcedureStepStatus: "COMPLETED",
    PerformedProcedureStepEndDate: "20260301",
    PerformedProcedureStepEndTime: "0840",
    PerformedSeriesSequence: [{ SeriesInstanceUID: "1.2.3.4", ProtocolName: "Head" }],
  });
  assert.equal((await association.set(mpps, "1.9.9", end)).status, 0);
  assert.equal((await association.set(mpps, "1.9.9", end)).status, 0x0110);
  const read = await association.getAttributes(mppsRetrieve, "1.9.9", [tagOf("PerformedProcedureStepStatus")]);
  assert.equal(read.dataSet?.text(tagOf("PerformedProcedureStepStatus")), "COMPLETED");
  await association.release();
  assert.deepEqual(names(await ask("CT1", { PatientName: "" })).sort(), ["North^Nora", "Roe^Richard"]);
});

test("a step is taken off the list; each act is in the log, with no value of a patient's", async () => {
  const { steps } = listed();
  const roe = steps.find(({ patientName }) => patientName === "Roe^Richard")?.token ?? "";
  house.command(["worklist", "remove", roe]);
  assert.equal(house.tryCommand(["worklist", "remove", roe]).status, 1);
  assert.equal(listed().total, 2);
  const log = await wholeLog(house);
  for (const act of ["worklist.read", "worklist.write", "step.perform", "step.read"]) {
    assert.ok(
      log.some((entry) => entry.act === act && entry.outcome === "done"),
      act,
    );
  }
  assert.doesNotMatch(JSON.stringify(log), /Roe|Müller|1\.9\.9/);
});
