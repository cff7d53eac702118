import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { systemClock } from "#base/clock";
import { dial, type OutboundAssociation, openAssociation } from "#doors/dimse";
import type { EdgeCodeView, WorklistView } from "#formats/api";
import { elementsOf, type KeywordDataSet, TransferSyntaxUid, writeFile } from "#formats/dicom";
import { freePort, type RunningHouse, startHouse } from "../house/index.ts";
import { codeOf, messageOf, senderAt } from "./mllp.fixture.ts";

/*
 * Orders come to the box of a facility and are planned in the cloud, and what is planned in the cloud is on the scanner's list, with the
 * cloud away as well. The tests follow on each other.
 */
const mpps = "1.2.840.10008.3.1.2.3.3";
let cloud: RunningHouse;
let box: RunningHouse;
let cloudPort: number;
const atCloud = () => ({
  LEADGLASS_ROLE: "cloud",
  LEADGLASS_DICOM_PORT: "off",
  LEADGLASS_HTTPS_PORT: String(cloudPort),
});
before(async () => {
  cloudPort = await freePort();
  [cloud, box] = await Promise.all([
    startHouse({ environment: atCloud() }),
    startHouse({ environment: { LEADGLASS_ROLE: "edge", LEADGLASS_HL7_PORT: "0" } }),
  ]);
  box.command(["device", "add", "CT1", "--address", "127.0.0.1"]);
  box.command(["device", "add", "HIS", "--address", "127.0.0.1", "--may", "orders"]);
  const { url, code } = JSON.parse(cloud.command(["edge", "add", "North", "--json"])) as EdgeCodeView;
  const enrolled = await box.begin(["edge", "enroll", url, code]);
  assert.equal(enrolled.status, 0, enrolled.stderr);
});
after(() => Promise.all([cloud?.remove(), box?.remove()]));

const order = (controlId: string, number: string, control = "NW") =>
  messageOf("ORM^O01", controlId, [
    "PID|1||P1^^^HOSP^MR||Müller^Änne||19700102|F",
    "PV1|1|O",
    `ORC|${control}|${number}|F${number}||||^^^202603020915`,
    `OBR|1|${number}|F${number}|CTH^CT head^L||||||||||||||A${number}|RP${number}|SPS${number}||||CT`,
  ]);
async function told(message: string): Promise<string> {
  const sender = senderAt(box.hl7);
  const answer = await sender.send(message);
  sender.close();
  return codeOf(answer);
}
const listed = (house: RunningHouse) =>
  (JSON.parse(house.command(["worklist", "list", "--json"])) as WorklistView).steps;
/** Those of one minute are in no order. */
const inShort = (house: RunningHouse) =>
  listed(house)
    .map(({ accessionNumber, status }) => `${accessionNumber} ${status}`)
    .sort();
async function until(house: RunningHouse, expected: readonly string[], look = () => {}): Promise<void> {
  let seen: readonly string[] = [];
  for (let tries = 0; tries < 450; tries++) {
    seen = inShort(house);
    if (seen.join() === expected.join()) return;
    look();
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  assert.deepEqual(seen, expected, `${box.output().slice(-1_500)} ${cloud.output().slice(-1_500)}`);
}
function associate(): Promise<OutboundAssociation> {
  const contexts = [{ sopClassUid: mpps, transferSyntaxUids: [TransferSyntaxUid.implicitLittleEndian] }];
  const connection = dial({ host: "127.0.0.1", port: box.dicom });
  return openAssociation(connection, { callingAe: "CT1", calledAe: "LEADGLASS", contexts }, { clock: systemClock });
}

test("an order that comes to the box is on its worklist at once, and in the cloud's", async () => {
  assert.equal(await told(order("1", "100")), "AA");
  assert.deepEqual(inShort(box), ["A100 SCHEDULED"]);
  await until(cloud, ["A100 SCHEDULED"]);
  assert.equal(listed(cloud)[0]?.patientName, "Müller^Änne");
});

test("what is planned in the cloud comes to the box, and what comes from the box does not come back as another step", async () => {
  const values = {
    SpecificCharacterSet: "ISO_IR 192",
    AccessionNumber: "B200",
    PatientName: "Roe^Richard",
    PatientID: "P2",
    StudyInstanceUID: "1.2.200",
    RequestedProcedureID: "RP200",
    ScheduledProcedureStepSequence: [
      {
        ...{ Modality: "CT", ScheduledStationAETitle: "CT1", ScheduledProcedureStepID: "S200" },
        ...{ ScheduledProcedureStepStartDate: "20260303", ScheduledProcedureStepStartTime: "1000" },
      },
    ],
  } satisfies KeywordDataSet;
  await plan(cloud, values);
  await until(box, ["A100 SCHEDULED", "B200 SCHEDULED"], () => void box.tryCommand(["edge", "status"]));
  assert.deepEqual(inShort(cloud), ["A100 SCHEDULED", "B200 SCHEDULED"]);
});

test("while the cloud is away scanners and partners are served; it is told afterwards, in the order in which it was", async () => {
  await cloud.stop("SIGKILL");
  const association = await associate();
  const step = (more: KeywordDataSet) => elementsOf({ PerformedProcedureStepStatus: "IN PROGRESS", ...more });
  const beginning = step({
    ScheduledStepAttributesSequence: [{ StudyInstanceUID: "1.2.200", ScheduledProcedureStepID: "S200" }],
    ...{ PerformedProcedureStepID: "P1", PerformedStationAETitle: "CT1", Modality: "CT" },
    ...{ PerformedProcedureStepStartDate: "20260303", PerformedProcedureStepStartTime: "1001" },
  });
  assert.equal((await association.create(mpps, "1.9.200", beginning)).status, 0);
  assert.equal(await told(order("2", "101")), "AA");
  assert.equal(await told(order("3", "101", "CA")), "AA");
  const end = step({
    PerformedProcedureStepStatus: "COMPLETED",
    ...{ PerformedProcedureStepEndDate: "20260303", PerformedProcedureStepEndTime: "1020" },
    PerformedSeriesSequence: [{ SeriesInstanceUID: "1.2.200.1", ProtocolName: "Head" }],
  });
  assert.equal((await association.set(mpps, "1.9.200", end)).status, 0);
  await association.release();
  const expected = ["A100 SCHEDULED", "A101 CANCELED", "B200 COMPLETED"];
  assert.deepEqual(inShort(box), expected);
  await box.stop("SIGKILL");
  box = await startHouse({ home: box.home, environment: { LEADGLASS_ROLE: "edge", LEADGLASS_HL7_PORT: "0" } });
  cloud = await startHouse({ home: cloud.home, environment: atCloud() });
  await until(cloud, expected);
  assert.deepEqual(inShort(box), expected);
});

/** As the front desk does, by a worklist file. */
async function plan(house: RunningHouse, values: KeywordDataSet): Promise<void> {
  const meta = {
    mediaStorageSopClassUid: "1.2.840.10008.5.1.4.31",
    mediaStorageSopInstanceUid: "1.2.3.4.5",
    transferSyntaxUid: TransferSyntaxUid.explicitLittleEndian,
    implementationClassUid: "1.2.826.0.1.3680043.10.1425.9",
    implementationVersionName: "PLANNER",
  };
  const body = new Uint8Array(writeFile(meta, elementsOf(values)));
  const headers = { "content-type": "application/dicom" };
  const answer = await house.fetch("/api/worklist", { method: "POST", headers, body });
  assert.equal(answer.status, 200, await answer.text());
}
