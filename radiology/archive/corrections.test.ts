import assert from "node:assert/strict";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { createVirtualClock } from "#base/clock";
import { readFile, Tag } from "#formats/dicom";
import { actorOf, operator } from "#trust/access";
import { openArchive } from "./archive.fixture.ts";
import { bytesOf, imageFile, originals, receive, tokenOf } from "./corrections.fixture.ts";
import type { Archive } from "./index.ts";

const reason = { code: "CORRECT", text: "typed in wrongly" } as const;

const idsFound = async (archive: Archive, keyword: string, value: string) => {
  const rows = await archive.findStudies(operator, {
    matches: [{ keyword, kind: "equal", values: [value] }],
    limit: 10,
    offset: 0,
  });
  return rows.map(({ values }) => values.PatientID);
};

test("a corrected study reads with its new values and keeps the old in the Original Attributes Sequence; what was received stays", async () => {
  const { archive, stores } = await openArchive();
  const file = imageFile({ AccessionNumber: "A1" });
  const stored = await receive(archive, file);
  const studyToken = await tokenOf(archive, stored);
  const images = Buffer.from(stores.image.objects.bytes());
  const changes = { PatientName: "Roe^Richard", AccessionNumber: "", StudyDescription: "Head" };
  assert.deepEqual(await archive.correctStudy(operator, studyToken, changes, reason), {
    studies: [{ studyToken, version: 1 }],
  });
  const { received, now, pixelOffset } = await bytesOf(archive, stored);
  assert.ok(received.equals(file));
  assert.ok(stores.image.objects.bytes().equals(images), "no byte of the image half has changed");
  const { dataSet } = readFile(now);
  assert.equal(dataSet.text(Tag.PatientName), "Roe^Richard");
  assert.equal(dataSet.text(Tag.AccessionNumber), "");
  assert.equal(dataSet.text(Tag.StudyDescription), "Head");
  const [before] = originals(now);
  assert.equal(before?.text(Tag.PatientName), "Doe^Jane");
  assert.equal(before?.text(Tag.AccessionNumber), "A1");
  assert.equal(before?.text(Tag.StudyDescription), "");
  const [item] = dataSet.items(Tag.OriginalAttributesSequence) ?? [];
  assert.equal(item?.text(0x04000563), "LEADGLASS");
  assert.equal(item?.text(0x04000565), "CORRECT");
  assert.match(item?.text(0x04000562) ?? "", /^\d{14}\.\d{6}\+0000$/);
  assert.deepEqual([...now.subarray(pixelOffset)], [1, 2, 3, 4, 5, 6, 7, 8]);
});

test("a corrected study is found by its new values and no longer by the old", async () => {
  const { archive } = await openArchive();
  const studyToken = await tokenOf(archive, await receive(archive, imageFile()));
  await archive.correctStudy(operator, studyToken, { PatientID: "P2", PatientName: "Roe^Richard" }, reason);
  assert.deepEqual(await idsFound(archive, "PatientName", "Roe^Richard"), ["P2"]);
  assert.deepEqual(await idsFound(archive, "PatientName", "Doe^Jane"), []);
  assert.deepEqual(await idsFound(archive, "PatientID", "P1"), []);
});

test("instances that come later read with the corrected values too, and do not bring the old ones back", async () => {
  const { archive } = await openArchive();
  const studyToken = await tokenOf(archive, await receive(archive, imageFile({ AccessionNumber: "A1" })));
  await archive.correctStudy(operator, studyToken, { PatientName: "Roe^Richard", AccessionNumber: "" }, reason);
  const later = await receive(archive, imageFile({ AccessionNumber: "A1", PatientSex: "F" }, { number: 2 }));
  const { now } = await bytesOf(archive, later);
  assert.equal(readFile(now).dataSet.text(Tag.PatientName), "Roe^Richard");
  const { study } = await archive.studyOfToken(operator, studyToken);
  assert.deepEqual([study.values.AccessionNumber, study.values.PatientSex], [undefined, "F"]);
  assert.equal(study.instanceCount, 2);
});

test("an instance that says it rightly itself gets no item of a correction that changed nothing in it", async () => {
  const { archive } = await openArchive();
  const studyToken = await tokenOf(archive, await receive(archive, imageFile()));
  await archive.correctStudy(operator, studyToken, { PatientName: "Roe^Richard" }, reason);
  const right = imageFile({ PatientName: "Roe^Richard" }, { number: 2 });
  const { now } = await bytesOf(archive, await receive(archive, right));
  assert.ok(now.equals(right));
});

test("the same correction again changes nothing, and two at once take turns", async () => {
  const { archive } = await openArchive();
  const stored = await receive(archive, imageFile());
  const studyToken = await tokenOf(archive, stored);
  const all = await Promise.all([
    archive.correctStudy(operator, studyToken, { PatientName: "A^A" }, reason),
    archive.correctStudy(operator, studyToken, { PatientName: "B^B" }, reason),
    archive.correctStudy(operator, studyToken, { PatientName: "B^B" }, reason),
  ]);
  assert.deepEqual(
    all.map(({ studies }) => studies.map(({ version }) => version)),
    [[1], [2], []],
  );
  const { now } = await bytesOf(archive, stored);
  assert.deepEqual(
    originals(now).map((before) => before.text(Tag.PatientName)),
    ["Doe^Jane", "A^A"],
  );
  const held = await archive.correctionsOf(operator, studyToken);
  assert.deepEqual(
    held.map(({ version, by, changes }) => [version, by, changes.PatientName]),
    [
      [1, "operator", { from: "Doe^Jane", to: "A^A" }],
      [2, "operator", { from: "A^A", to: "B^B" }],
    ],
  );
});

test("metadata of a series is made of the current values, also when it was made before", async () => {
  const { archive } = await openArchive();
  const stored = await receive(archive, imageFile());
  const metadata = async () => {
    return gunzipSync(await archive.seriesMetadata(operator, stored.studyUid, stored.seriesUid)).toString();
  };
  assert.match(await metadata(), /Doe\^Jane/);
  const studyToken = await tokenOf(archive, stored);
  await archive.correctStudy(operator, studyToken, { PatientName: "Roe^Richard" }, reason);
  const [json] = JSON.parse(await metadata());
  assert.deepEqual(json["00100010"].Value, [{ Alphabetic: "Roe^Richard" }]);
  assert.match(JSON.stringify(json["04000561"]), /Doe\^Jane/);
});

test("all studies of a patient are corrected together, those of the same ID of another issuer are not", async () => {
  const { archive } = await openArchive();
  for (const study of ["1", "2", "3"]) await receive(archive, imageFile({}, { study }));
  await receive(archive, imageFile({ IssuerOfPatientID: "elsewhere" }, { study: "4" }));
  const { studies } = await archive.correctPatient(operator, { PatientID: "P1" }, { PatientName: "Roe^R" }, reason);
  assert.equal(studies.length, 3);
  assert.equal((await idsFound(archive, "PatientName", "Doe^Jane")).length, 1);
  await assert.rejects(archive.correctPatient(operator, { PatientID: "none" }, { PatientName: "X" }, reason), {
    code: "absent",
  });
  const issuer = { PatientID: "P1", IssuerOfPatientID: "elsewhere" };
  await assert.rejects(archive.correctPatient(operator, issuer, { IssuerOfPatientID: "" }, reason), {
    code: "conflict",
  });
});

test("a merge gives all studies of one patient to the other, under the other's key; again it changes nothing", async () => {
  const { archive, vault } = await openArchive();
  const from = { PatientID: "OLD", IssuerOfPatientID: "H1" };
  for (const study of ["1", "2"]) await receive(archive, imageFile({ ...from, PatientSex: "M" }, { study }));
  const into = await receive(
    archive,
    imageFile({ PatientID: "NEW", PatientName: "Roe^R", PatientSex: "F" }, { study: "3" }),
  );
  const intoToken = await tokenOf(archive, into);
  const merge = () => archive.mergePatients(operator, from, { PatientID: "NEW" }, reason);
  const { studies } = await merge();
  assert.equal(studies.length, 2);
  for (const { studyToken } of studies) {
    const { study } = await archive.studyOfToken(operator, studyToken);
    assert.deepEqual(
      [study.values.PatientID, study.values.PatientName, study.values.IssuerOfPatientID, study.values.PatientSex],
      ["NEW", "Roe^R", undefined, "F"],
    );
    assert.equal(await vault.patientOf(studyToken), await vault.patientOf(intoToken));
  }
  assert.deepEqual(await merge(), { studies: [] });
  await assert.rejects(archive.mergePatients(operator, { PatientID: "X" }, { PatientID: "NEW" }, reason), {
    code: "absent",
  });
  await assert.rejects(archive.mergePatients(operator, { PatientID: "NEW" }, { PatientID: "X" }, reason), {
    code: "absent",
  });
});

test("a study that was moved says nothing more of the other patient, and what it said is kept", async () => {
  const { archive, vault } = await openArchive();
  const wrong = imageFile({ PatientBirthDate: "19500101", OtherPatientIDs: ["O1", "O2"], PatientAddress: "Main St" });
  const stored = await receive(archive, wrong);
  const studyToken = await tokenOf(archive, stored);
  const other = await receive(archive, imageFile({ PatientID: "P2", PatientName: "Roe^R" }, { study: "2" }));
  await archive.moveStudy(operator, studyToken, { PatientID: "P2" }, reason);
  const { now } = await bytesOf(archive, stored);
  const { dataSet } = readFile(now);
  const [name, birth, others, address] = [Tag.PatientName, Tag.PatientBirthDate, 0x00101000, 0x00101040].map((tag) =>
    dataSet.text(tag),
  );
  assert.deepEqual([name, birth, others, address], ["Roe^R", "", "", ""]);
  assert.deepEqual(originals(now)[0]?.texts(0x00101000), ["O1", "O2"]);
  assert.equal(await vault.patientOf(studyToken), await vault.patientOf(await tokenOf(archive, other)));
  await assert.rejects(archive.moveStudy(operator, studyToken, { PatientID: "P3" }, reason), { code: "absent" });
  await archive.moveStudy(operator, studyToken, { PatientID: "P3", PatientName: "New^N" }, reason);
  assert.deepEqual(await idsFound(archive, "PatientName", "New^N"), ["P3"]);
});

test("only people and the operator correct; what is no value of its attribute is refused, and said without the value", async () => {
  const { archive } = await openArchive();
  const studyToken = await tokenOf(archive, await receive(archive, imageFile()));
  for (const actor of [actorOf("client", "1"), actorOf("device", "1"), actorOf("user", "1", { sees: "masked" })]) {
    await assert.rejects(archive.correctStudy(actor, studyToken, { PatientName: "X" }, reason), { code: "denied" });
  }
  const wrong = [
    {},
    { StudyInstanceUID: "1.2" },
    { Rows: "2" },
    { PatientID: "" },
    { PatientID: "A\\B" },
    { PatientName: "Secret\u001b(B" },
    { PatientName: `Secret${"x".repeat(64)}` },
    { PatientBirthDate: "19999999" },
    { StudyTime: "99" },
    { PatientSex: "female" },
    { OtherPatientIDsSequence: "Secret" },
    { StudyDescription: "\ud800" },
  ] as readonly Record<string, string>[];
  for (const changes of wrong) {
    await assert.rejects(
      archive.correctStudy(operator, studyToken, changes, reason),
      (error: Error & { code: string }) => {
        assert.equal(error.code, "invalid", JSON.stringify(changes));
        assert.doesNotMatch(error.message, /Secret|female|1999/);
        return true;
      },
    );
  }
  await assert.rejects(archive.correctStudy(operator, "none", { PatientName: "X" }, reason), { code: "absent" });
});

test("who watches hears of a corrected study", async () => {
  const clock = createVirtualClock();
  const { archive } = await openArchive({ clock });
  const studyToken = await tokenOf(archive, await receive(archive, imageFile()));
  clock.advance(2_000);
  const heard: string[] = [];
  archive.watch((token) => heard.push(token));
  await archive.correctStudy(operator, studyToken, { PatientName: "Roe^Richard" }, reason);
  clock.advance(2_000);
  assert.deepEqual(heard, [studyToken]);
});

test("a study is corrected so often and no more, and is still read", async () => {
  const { archive } = await openArchive();
  const stored = await receive(archive, imageFile());
  const studyToken = await tokenOf(archive, stored);
  for (let version = 1; version <= 200; version++) {
    await archive.correctStudy(operator, studyToken, { StudyID: String(version) }, reason);
  }
  await assert.rejects(archive.correctStudy(operator, studyToken, { StudyID: "201" }, reason), { code: "conflict" });
  const { now } = await bytesOf(archive, stored);
  assert.equal(originals(now).length, 200);
  assert.equal(readFile(now).dataSet.text(0x00200010), "200");
});

test("a rebuild that finds every record of a merge opens nobody's identity", async () => {
  const first = await openArchive();
  for (const study of ["1", "2", "3"]) await receive(first.archive, imageFile({ PatientID: "OLD" }, { study }));
  await receive(first.archive, imageFile({ PatientID: "NEW" }, { study: "4" }));
  await first.archive.mergePatients(operator, { PatientID: "OLD" }, { PatientID: "NEW" }, reason);
  const second = await openArchive({ stores: first.stores });
  await second.archive.recover();
  assert.deepEqual(
    second.entries.filter(({ act }) => act.startsWith("identity.") || act === "study.correct"),
    [],
  );
  assert.equal((await idsFound(second.archive, "PatientID", "NEW")).length, 4);
});
