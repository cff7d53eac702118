import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { systemClock } from "#base/clock";
import { dial, openAssociation } from "#doors/dimse";
import { elementsOf, TransferSyntaxUid, writeFile } from "#formats/dicom";
import { itemValues } from "../../radiology/schedule/schedule.fixture.ts";
import { fileOf, slicesOf, storescu } from "../flows/modality.fixture.ts";
import { has, type RunningHouse, startHouse } from "../house/index.ts";
import { ask, type Ran, run, storescp, type Taker } from "./dimse-query.fixture.ts";
import { noOrthanc, type Orthanc, startOrthanc } from "./orthanc.fixture.ts";
import { openWire, tshark, type Wire } from "./wire.fixture.ts";

/* Every service of DIMSE with DCMTK and Orthanc, listened in on, and what another reader of the protocol makes of it. */

const skip =
  noOrthanc ||
  (!has("movescu") && "needs dcmtk: apt install dcmtk") ||
  (!has("tshark") && "needs tshark: apt install tshark");
const worklist = "1.2.840.10008.5.1.4.31";
const performed = "1.2.840.10008.3.1.2.3.3";
const performedRead = "1.2.840.10008.3.1.2.3.4";

let folder: string;
let wire: Wire;
/** With the port that is listened in on. */
let house: RunningHouse;
let orthanc: Orthanc;
let taker: Taker;
before(async () => {
  if (skip) return;
  folder = mkdtempSync(join(tmpdir(), "lg-wire-"));
  wire = openWire();
  const started = await startHouse();
  house = { ...started, dicom: await wire.relayTo(started.dicom) };
  orthanc = await startOrthanc(house);
  taker = await storescp("TAKER");
  const admit = (ae: string, ...more: string[]) =>
    house.command(["device", "add", ae, "--address", "127.0.0.1", ...more]);
  admit("CT1");
  admit("ORTHANC", "--port", String(await wire.relayTo(orthanc.dicom)));
  admit("TAKER", "--port", String(await wire.relayTo(taker.port)));
});
after(async () => {
  await taker?.stop();
  await orthanc?.stop();
  await house?.remove();
  await wire?.close();
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
});

const slices = slicesOf({ kind: "ct-head", slices: 60, size: 16, seed: 51 });
const [{ studyUid } = { studyUid: "" }] = slices;

function succeeded({ code, output }: Ran): void {
  assert.equal(code, 0, output);
}

async function storeAndRetrieve(): Promise<void> {
  const at = ["-aec", "LEADGLASS", "-aet", "CT1", "127.0.0.1", String(house.dicom)];
  succeeded(await run("echoscu", at));
  const files = slices.map((slice, index) => {
    writeFileSync(join(folder, `${index}.dcm`), fileOf(slice));
    return join(folder, `${index}.dcm`);
  });
  assert.equal((await storescu(house, files)).code, 0);
  const study = ["QueryRetrieveLevel=STUDY", `StudyInstanceUID=${studyUid}`];
  const asCt = (program: Parameters<typeof ask>[1], keys: string[], ...more: string[]) =>
    ask(house, program, keys, { ae: "CT1", more });
  succeeded(await asCt("findscu", ["QueryRetrieveLevel=PATIENT", "PatientName=*", "PatientID"], "-P"));
  succeeded(await asCt("findscu", [...study, "ModalitiesInStudy"], "-S"));
  const images = ["QueryRetrieveLevel=IMAGE", study[1] ?? "", `SeriesInstanceUID=${slices[0]?.seriesUid}`];
  succeeded(await asCt("findscu", [...images, "SOPInstanceUID"], "-S", "--cancel", "1"));
  succeeded(await asCt("movescu", study, "-S", "-aem", "TAKER"));
  succeeded(await asCt("getscu", study, "-S", "-od", folder));
  assert.notEqual((await asCt("movescu", study, "-S", "-aem", "NOBODY")).code, 0);
  await run("echoscu", ["--abort", ...at]);
  await run("echoscu", ["-aec", "LEADGLASS", "-aet", "STRANGER", "127.0.0.1", String(house.dicom)]);
}

/** Orthanc sends a study, asks for storage commitment and has it reported. */
async function commit(): Promise<void> {
  for (const slice of slicesOf({ kind: "mr-brain", slices: 2, size: 64, seed: 52 }))
    await orthanc.rest("POST", "/instances", fileOf(slice));
  const [id] = await orthanc.rest<string[]>("GET", "/studies");
  const job = await orthanc.job("/modalities/LG/store", { Resources: [id], StorageCommitment: true });
  for (let tries = 0; tries < 300; tries++) {
    const path = `/storage-commitment/${job.Content.StorageCommitmentTransactionUID}`;
    if ((await orthanc.rest<{ Status: string }>("GET", path)).Status === "Success") return;
    await sleep(100);
  }
  assert.fail("the commitment was not reported within 30 s");
}

/** A console asks for its list and says what it does. */
async function perform(): Promise<void> {
  const meta = {
    ...{ mediaStorageSopClassUid: worklist, mediaStorageSopInstanceUid: "1.2.3.4.5" },
    ...{ transferSyntaxUid: TransferSyntaxUid.explicitLittleEndian, implementationClassUid: "1.2.3" },
    implementationVersionName: "PLANNER",
  };
  const item = join(folder, "1.wl");
  writeFileSync(
    item,
    writeFile(meta, elementsOf({ SpecificCharacterSet: "ISO_IR 192", ...itemValues({ step: "1" }) })),
  );
  house.command(["import", item]);
  succeeded(
    await ask(house, "findscu", ["PatientName", "ScheduledProcedureStepSequence"], { ae: "CT1", more: ["-W"] }),
  );
  const association = await openAssociation(
    dial({ host: "127.0.0.1", port: house.dicom }),
    {
      ...{ callingAe: "CT1", calledAe: "LEADGLASS" },
      contexts: [performed, performedRead].map((uid) => ({
        sopClassUid: uid,
        transferSyntaxUids: [TransferSyntaxUid.implicitLittleEndian],
      })),
    },
    { clock: systemClock },
  );
  const beginning = elementsOf({
    ScheduledStepAttributesSequence: [{ StudyInstanceUID: "1.2.3", ScheduledProcedureStepID: "1" }],
    ...{ PerformedProcedureStepID: "P1", PerformedStationAETitle: "CT1", Modality: "CT" },
    ...{ PerformedProcedureStepStartDate: "20260301", PerformedProcedureStepStartTime: "0831" },
    PerformedProcedureStepStatus: "IN PROGRESS",
  });
  assert.equal((await association.create(performed, "1.9.9", beginning)).status, 0);
  const end = elementsOf({
    ...{ PerformedProcedureStepStatus: "COMPLETED", PerformedProcedureStepEndDate: "20260301" },
    PerformedProcedureStepEndTime: "0840",
    PerformedSeriesSequence: [{ SeriesInstanceUID: "1.2.3.4", ProtocolName: "Head" }],
  });
  assert.equal((await association.set(performed, "1.9.9", end)).status, 0);
  assert.equal((await association.getAttributes(performedRead, "1.9.9")).status, 0);
  await association.release();
}

test("tshark reads a conformance run whole: every message of every service, and nothing malformed", {
  skip,
}, async () => {
  await storeAndRetrieve();
  await commit();
  await perform();
  const capture = join(folder, "run.pcap");
  wire.save(capture);
  const malformed = "_ws.malformed || _ws.unreassembled || (dicom && _ws.expert.severity >= 0x800000)";
  assert.deepEqual(tshark(capture, malformed, ["frame.number", "_ws.expert.message", "_ws.col.Info"]), []);
  const said = tshark(capture, "dicom", ["_ws.col.Info"]).join("\n");
  for (const one of ["A-ASSOCIATE request", "A-ASSOCIATE accept", "A-ASSOCIATE reject", "A-RELEASE request", "ABORT"])
    assert.match(said, new RegExp(one));
  for (const service of ["C-ECHO", "C-STORE", "C-FIND", "C-MOVE", "C-GET", "N-ACTION", "N-EVENT-REPORT", "N-CREATE"])
    for (const way of ["RQ", "RSP"]) assert.match(said, new RegExp(`${service}-${way}`));
  for (const one of ["N-SET-RSP", "N-GET-RSP", "C-CANCEL-RQ"]) assert.match(said, new RegExp(one));
});

test("tshark tells of a message that is malformed", { skip }, async () => {
  const listening = openWire();
  const server = createServer((socket) => socket.resume().on("error", () => {}));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const port = await listening.relayTo((server.address() as { port: number }).port);
  // A data PDU whose presentation data value says that it is longer than the PDU (PS3.8 §9.3.5.1).
  const bytes = Buffer.from([4, 0, 0, 0, 0, 8, 0, 0, 0xff, 0xff, 1, 3, 0, 0]);
  const socket = dial({ host: "127.0.0.1", port });
  socket.write(bytes);
  await sleep(200);
  socket.destroy();
  await listening.close();
  server.close();
  const capture = join(folder, "malformed.pcap");
  listening.save(capture);
  assert.notDeepEqual(
    tshark(capture, "_ws.malformed || (dicom && _ws.expert.severity >= 0x800000)", ["frame.number"]),
    [],
  );
});
