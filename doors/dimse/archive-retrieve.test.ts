import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { readDataSet, TransferSyntaxUid, tagOf } from "#formats/dicom";
import { openQueried, patientRoot, patientStudyOnly, studyRoot, workstation } from "./archive-query.fixture.ts";
import type { RetrievedInstance } from "./index.ts";

const root = "1.2.826.0.1.3680043.10.1561.13";
const {
  explicitLittleEndian: explicit,
  implicitLittleEndian: implicit,
  jpegBaseline,
} = {
  ...TransferSyntaxUid,
  jpegBaseline: "1.2.840.10008.1.2.4.50",
};
const named = (instances: readonly RetrievedInstance[]) =>
  instances.map(({ sopInstanceUid }) => sopInstanceUid.slice(root.length + 1)).sort();
const north = "f1".repeat(16);

async function opened() {
  const queried = await openQueried();
  const { store } = queried;
  await store({ PatientID: "P1" }, { study: "1", number: 1 });
  await store({ PatientID: "P1" }, { study: "1", number: 2 });
  await store({ PatientID: "P1", SeriesInstanceUID: `${root}.1.2` }, { study: "1", number: 3 });
  await store({ PatientID: "P1" }, { study: "2" }, north);
  await store({ PatientID: "P2" }, { study: "3", syntax: implicit });
  return queried;
}

async function bytesOf(instance: RetrievedInstance | undefined, syntaxes: readonly string[]) {
  assert.ok(instance);
  const { dataSet, transferSyntaxUid } = await instance.open(syntaxes);
  const pieces: Uint8Array[] = [];
  for await (const piece of dataSet) pieces.push(piece);
  return { transferSyntaxUid, bytes: Buffer.concat(pieces) };
}

test("a patient, studies, series and images are named by their unique keys, alone or in lists", async () => {
  const { select } = await opened();
  const study = { QueryRetrieveLevel: "STUDY", StudyInstanceUID: `${root}.1` };
  assert.deepEqual(named(await select(studyRoot.move, study)), ["1.9.1", "1.9.2", "1.9.3"]);
  assert.deepEqual(
    named(await select(studyRoot.get, { ...study, StudyInstanceUID: [`${root}.2`, `${root}.3`, `${root}.7`] })),
    ["2.9.1", "3.9.1"],
  );
  const series = { ...study, QueryRetrieveLevel: "SERIES", SeriesInstanceUID: `${root}.1.2` };
  assert.deepEqual(named(await select(studyRoot.move, series)), ["1.9.3"]);
  const image = { ...series, QueryRetrieveLevel: "IMAGE", SeriesInstanceUID: `${root}.1.1` };
  const many = Array.from({ length: 8 }, (_, at) => `${root}.1.9.${at + 2}`);
  for (const SOPInstanceUID of [`${root}.1.9.2`, many]) {
    assert.deepEqual(named(await select(studyRoot.move, { ...image, SOPInstanceUID })), ["1.9.2"]);
  }
  for (const model of [patientRoot, patientStudyOnly]) {
    const patient = { QueryRetrieveLevel: "PATIENT", PatientID: "P1" };
    assert.deepEqual(named(await select(model.move, patient)), ["1.9.1", "1.9.2", "1.9.3", "2.9.1"]);
  }
  assert.deepEqual(named(await select(patientRoot.move, { ...study, PatientID: "P2" })), [], "of another patient");
  assert.deepEqual(named(await select(studyRoot.move, { ...study, StudyInstanceUID: `${root}.77` })), []);
});

test("an identifier that names nothing, or not all above it, is refused, and taken where relational queries were agreed on", async () => {
  const { select } = await opened();
  const refused = (keys: Parameters<typeof select>[1], model = studyRoot) =>
    assert.rejects(select(model.move, keys), { code: "invalid" });
  await refused({ QueryRetrieveLevel: "STUDY" });
  await refused({ QueryRetrieveLevel: "STUDY", StudyInstanceUID: "*" });
  await refused({ QueryRetrieveLevel: "SERIES", SeriesInstanceUID: `${root}.1.2` });
  await refused({ QueryRetrieveLevel: "PATIENT", PatientID: "P1" });
  await refused({ QueryRetrieveLevel: "PATIENT", PatientID: ["P1", "P2"] }, patientRoot);
  await refused({ QueryRetrieveLevel: "STUDY", StudyInstanceUID: `${root}.1` }, patientRoot);
  const relational = { relational: true };
  const series = { QueryRetrieveLevel: "SERIES", SeriesInstanceUID: [`${root}.1.2`, `${root}.3.1`] };
  assert.deepEqual(named(await select(studyRoot.move, series, relational)), ["1.9.3", "3.9.1"]);
  const images = { QueryRetrieveLevel: "IMAGE", SOPInstanceUID: [`${root}.1.9.1`, `${root}.2.9.1`] };
  assert.deepEqual(named(await select(patientRoot.get, images, relational)), ["1.9.1", "2.9.1"]);
});

test("what is stored is given as it came, or in another syntax that is accepted, or not at all", async () => {
  const { select, archive } = await opened();
  const [instance] = await select(studyRoot.move, { QueryRetrieveLevel: "STUDY", StudyInstanceUID: `${root}.3` });
  assert.equal(instance?.transferSyntaxUid, implicit);
  assert.equal(instance?.offeredSyntaxUids[0], implicit);
  const [held] = await archive.read(workstation(), { studyUid: `${root}.3` });
  const asStored = await bytesOf(instance, [explicit, implicit]);
  assert.equal(asStored.transferSyntaxUid, implicit);
  assert.equal(createHash("sha256").update(asStored.bytes).digest("hex"), held?.dataSetSha256);
  const made = await bytesOf(instance, [explicit]);
  assert.equal(made.transferSyntaxUid, explicit);
  assert.equal(readDataSet(made.bytes, { transferSyntaxUid: explicit }).text(tagOf("PatientID")), "P2");
  await assert.rejects(instance?.open([jpegBaseline]) ?? Promise.resolve(), { code: "unsupported" });
});

test("a machine in a facility is sent what lies there, and of the rest it is not told", async () => {
  const { select, find, entries } = await opened();
  const there = workstation(north);
  assert.deepEqual(
    named(await select(patientRoot.move, { QueryRetrieveLevel: "PATIENT", PatientID: "P1" }, {}, there)),
    ["2.9.1"],
  );
  const elsewhere = { QueryRetrieveLevel: "STUDY", StudyInstanceUID: `${root}.1` };
  assert.deepEqual(await select(studyRoot.get, elsewhere, {}, there), []);
  assert.equal((await find(studyRoot.find, { QueryRetrieveLevel: "STUDY", PatientID: "*" }, {}, there)).length, 1);
  assert.ok(entries.some(({ act, outcome }) => act === "study.read" && outcome === "refused"));
});
