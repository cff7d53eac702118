import assert from "node:assert/strict";
import { test } from "node:test";
import { type DataSet, elementsOf, type KeywordDataSet, tagOf } from "#formats/dicom";
import { type Answer, openQueried, patientRoot, patientStudyOnly, studyRoot } from "./archive-query.fixture.ts";

const root = "1.2.826.0.1.3680043.10.1561.13";
const text = (found: DataSet | undefined, keyword: string) => (found?.texts(tagOf(keyword)) ?? []).join("\\");
const texts = (answers: readonly Answer[], keyword: string) => answers.map(({ found }) => text(found, keyword)).sort();
const refused = (work: Promise<unknown>, keyword?: string) =>
  assert.rejects(work, (error: { code?: string; offendingElements?: number[] }) => {
    assert.equal(error.code, "invalid");
    if (keyword !== undefined) assert.deepEqual(error.offendingElements, [tagOf(keyword)]);
    return true;
  });

/** Two patients: one with two studies, the newer of two series, and one with a study of one image. */
async function opened() {
  const queried = await openQueried();
  const { store } = queried;
  const jane: KeywordDataSet = { PatientName: "Müller^Jane", PatientID: "P1", PatientSex: "F", StudyTime: "0930" };
  const newer = { ...jane, StudyDate: "20240201", AccessionNumber: "A2", StudyDescription: "Kopf" };
  await store({ ...jane, StudyDate: "20240101", AccessionNumber: "A1", Modality: "MR" }, { study: "1" });
  await store({ ...newer, Modality: "CT", SeriesNumber: "1" }, { study: "2", number: 1 });
  await store({ ...newer, Modality: "CT", SeriesNumber: "1" }, { study: "2", number: 2 });
  const request = { RequestedProcedureID: "RP7", ScheduledProcedureStepID: "S1" };
  const second = { SeriesInstanceUID: `${root}.2.2`, RequestAttributesSequence: [request], ProtocolName: "SAG" };
  await store({ ...newer, ...second, Modality: "PT", SeriesNumber: "2" }, { study: "2", number: 3 });
  await store({ PatientName: "山田^太郎", PatientID: "P2", Modality: "CT", StudyTime: "1700" }, { study: "3" });
  return queried;
}

test("studies are found by every kind of matching, and answered with all that was asked", async () => {
  const { find } = await opened();
  const study = (keys: KeywordDataSet) =>
    find(studyRoot.find, { QueryRetrieveLevel: "STUDY", StudyInstanceUID: "", ...keys });
  const by = async (keys: KeywordDataSet) => texts(await study(keys), "StudyInstanceUID").map((uid) => uid.slice(-1));
  assert.deepEqual(await by({}), ["1", "2", "3"]);
  assert.deepEqual(await by({ AccessionNumber: "A2" }), ["2"]);
  assert.deepEqual(await by({ PatientName: "mul*" }), ["1", "2"]);
  assert.deepEqual(await by({ PatientName: "山田*" }), ["3"]);
  assert.deepEqual(await by({ StudyDate: "20240115-" }), ["2", "3"]);
  assert.deepEqual(await by({ StudyDate: "20240101-20240131", StudyTime: "09-10" }), ["1"]);
  assert.deepEqual(await by({ ModalitiesInStudy: ["MR", "PT"] }), ["1", "2"]);
  assert.deepEqual(await by({ StudyInstanceUID: [`${root}.1`, `${root}.3`] }), ["1", "3"]);
  assert.deepEqual(await by({ PatientSex: "F", AccessionNumber: "*1" }), ["1"]);
  assert.deepEqual(await by({ AccessionNumber: "nothing" }), []);

  const asked = {
    ...{ AccessionNumber: "A2", PatientName: "", PatientBirthDate: "", ModalitiesInStudy: "", SOPClassesInStudy: "" },
    ...{ NumberOfStudyRelatedSeries: "", NumberOfStudyRelatedInstances: "", StudyDescription: "" },
  };
  const [answer] = await study(asked);
  assert.equal(answer?.keysIgnored, false);
  assert.deepEqual(
    [...Object.keys(asked), "QueryRetrieveLevel", "RetrieveAETitle", "InstanceAvailability"].map((keyword) => [
      keyword,
      text(answer?.found, keyword),
    ]),
    [
      ["AccessionNumber", "A2"],
      ["PatientName", "Müller^Jane"],
      ["PatientBirthDate", ""],
      ["ModalitiesInStudy", "CT\\PT"],
      ["SOPClassesInStudy", "1.2.840.10008.5.1.4.1.1.7"],
      ["NumberOfStudyRelatedSeries", "2"],
      ["NumberOfStudyRelatedInstances", "3"],
      ["StudyDescription", "Kopf"],
      ["QueryRetrieveLevel", "STUDY"],
      ["RetrieveAETitle", "LEADGLASS"],
      ["InstanceAvailability", "ONLINE"],
    ],
  );
  assert.ok(answer?.found.has(tagOf("PatientBirthDate")), "what has no value is returned empty");
});

test("a patient is answered once, as the newest study has it, with what there is of it in all", async () => {
  const { find } = await opened();
  const keys = {
    ...{ QueryRetrieveLevel: "PATIENT", PatientID: "", PatientName: "" },
    ...{ NumberOfPatientRelatedStudies: "", NumberOfPatientRelatedSeries: "", NumberOfPatientRelatedInstances: "" },
  };
  for (const model of [patientRoot, patientStudyOnly]) {
    const answers = await find(model.find, keys);
    assert.deepEqual(texts(answers, "PatientID"), ["P1", "P2"]);
    const jane = answers.find(({ found }) => text(found, "PatientID") === "P1");
    assert.deepEqual(
      Object.keys(keys).map((keyword) => text(jane?.found, keyword)),
      ["PATIENT", "P1", "Müller^Jane", "2", "3", "4"],
    );
    assert.equal(jane?.keysIgnored, false);
  }
  const [one, ...others] = await find(patientRoot.find, { ...keys, PatientName: "*TARO*" });
  assert.equal(one, undefined);
  assert.equal(others.length, 0);
  assert.deepEqual(texts(await find(patientRoot.find, { ...keys, PatientID: "P2" }), "PatientName"), ["山田^太郎"]);
  await refused(find(studyRoot.find, keys), "QueryRetrieveLevel");
});

test("series and images are asked for below what is named, or anywhere where relational queries were agreed on", async () => {
  const { find } = await opened();
  const series = { QueryRetrieveLevel: "SERIES", SeriesInstanceUID: "", Modality: "", SeriesNumber: "" };
  const image = { QueryRetrieveLevel: "IMAGE", SOPInstanceUID: "", InstanceNumber: "", Rows: new Uint8Array(0) };
  const inStudy = { StudyInstanceUID: `${root}.2` };

  const found = await find(studyRoot.find, { ...series, ...inStudy, NumberOfSeriesRelatedInstances: "" });
  assert.deepEqual(texts(found, "Modality"), ["CT", "PT"]);
  assert.deepEqual(texts(found, "NumberOfSeriesRelatedInstances"), ["1", "2"]);
  const images = await find(studyRoot.find, { ...image, ...inStudy, SeriesInstanceUID: `${root}.2.1` });
  assert.deepEqual(texts(images, "InstanceNumber"), ["1", "2"]);
  assert.deepEqual(
    images.map(({ found: one }) => one.number(tagOf("Rows"))),
    [2, 2],
  );

  await refused(find(studyRoot.find, series), "StudyInstanceUID");
  await refused(find(studyRoot.find, { ...series, StudyInstanceUID: [`${root}.2`, `${root}.1`] }), "StudyInstanceUID");
  await refused(find(studyRoot.find, { ...series, StudyInstanceUID: "*" }), "StudyInstanceUID");
  await refused(find(studyRoot.find, { ...image, ...inStudy }), "SeriesInstanceUID");
  await refused(find(patientRoot.find, { ...series, ...inStudy }), "PatientID");
  await refused(find(patientStudyOnly.find, { ...series, ...inStudy, PatientID: "P1" }), "QueryRetrieveLevel");
  await refused(find(studyRoot.find, inStudy), "QueryRetrieveLevel");

  const relational = { relational: true };
  assert.equal((await find(studyRoot.find, series, relational)).length, 4);
  assert.deepEqual(texts(await find(studyRoot.find, { ...series, Modality: "PT" }, relational), "SeriesNumber"), ["2"]);
  assert.equal((await find(patientRoot.find, { ...image, PatientID: "P1" }, relational)).length, 4);
});

test("what the index does not hold comes from the objects; keys that nothing matches are said to be ignored", async () => {
  const { find } = await opened();
  const series = { QueryRetrieveLevel: "SERIES", StudyInstanceUID: `${root}.2`, SeriesNumber: "2" };
  const asked = { RequestAttributesSequence: [{ RequestedProcedureID: "" }], PatientPosition: "", ProtocolName: "" };
  const [answer] = await find(studyRoot.find, { ...series, ...asked });
  assert.equal(answer?.keysIgnored, false);
  assert.equal(text(answer?.found, "ProtocolName"), "SAG");
  const [item, ...items] = answer?.found.items(tagOf("RequestAttributesSequence")) ?? [];
  assert.ok(item);
  assert.deepEqual([text(item, "RequestedProcedureID"), item.elements.length, items.length], ["RP7", 1, 0]);
  assert.ok(answer?.found.has(tagOf("PatientPosition")), "empty, for the object has none");

  const ignored = async (level: string, keys: KeywordDataSet) =>
    (await find(studyRoot.find, { ...series, QueryRetrieveLevel: level, ...keys })).map(
      ({ keysIgnored }) => keysIgnored,
    );
  assert.deepEqual(await ignored("SERIES", { PatientPosition: "HFS" }), [true]);
  const requested = (keys: KeywordDataSet) => ignored("SERIES", { RequestAttributesSequence: [keys] });
  assert.deepEqual(await requested({ RequestedProcedureID: "RP7", ScheduledProcedureStepID: "S*" }), [false]);
  assert.deepEqual(await requested({ RequestedProcedureID: "RP8" }), [], "a sequence is matched by what its item asks");
  assert.deepEqual(await requested({ RequestedProcedureDescription: "X" }), [true]);
  assert.deepEqual(await ignored("STUDY", { Modality: "CT" }), [true], "of a lower level");
  assert.deepEqual(await ignored("STUDY", { PhysiciansOfRecord: "" }), [true], "held nowhere");
  assert.deepEqual(await ignored("STUDY", { NumberOfStudyRelatedSeries: "2" }), [true], "counted, not matched by");
  assert.deepEqual(await ignored("STUDY", { SeriesNumber: "" }), [true]);
});

test("a sequence is matched within one of its items, and those that match are answered", async () => {
  const { find, store } = await openQueried();
  const requests = [
    { RequestedProcedureID: "RP7", ScheduledProcedureStepID: "S1" },
    { RequestedProcedureID: "RP8", ScheduledProcedureStepID: "S2" },
  ];
  await store({ PatientID: "P1", RequestAttributesSequence: requests }, { study: "1" });
  const asked = async (keys: KeywordDataSet) => {
    const identifier = {
      QueryRetrieveLevel: "SERIES",
      StudyInstanceUID: `${root}.1`,
      RequestAttributesSequence: [keys],
    };
    const found = await find(studyRoot.find, identifier);
    return found.map(({ found: series }) =>
      (series.items(tagOf("RequestAttributesSequence")) ?? []).map((item) => text(item, "ScheduledProcedureStepID")),
    );
  };
  assert.deepEqual(await asked({ RequestedProcedureID: "RP8", ScheduledProcedureStepID: "" }), [["S2"]]);
  assert.deepEqual(await asked({ RequestedProcedureID: "RP*", ScheduledProcedureStepID: "" }), [["S1", "S2"]]);
  assert.deepEqual(await asked({ RequestedProcedureID: "RP7", ScheduledProcedureStepID: "S2" }), []);
});

test("a date and a time are one moment where that was agreed on", async () => {
  const { find } = await opened();
  const keys = {
    QueryRetrieveLevel: "STUDY",
    StudyDate: "20240101-20240131",
    StudyTime: "1000-1800",
    StudyInstanceUID: "",
  };
  const found = async (dateTime: boolean) => texts(await find(studyRoot.find, keys, { dateTime }), "StudyInstanceUID");
  assert.deepEqual(await found(false), [`${root}.3`]);
  assert.deepEqual(await found(true), [`${root}.3`]);
  const from = { ...keys, StudyTime: "0800-0900" };
  assert.deepEqual(texts(await find(studyRoot.find, from), "StudyInstanceUID"), []);
  assert.deepEqual(texts(await find(studyRoot.find, from, { dateTime: true }), "StudyInstanceUID"), [`${root}.1`]);
});

test("a name is found by its words in any order where that was agreed on", async () => {
  const { find } = await opened();
  const found = async (fuzzyNames: boolean) =>
    (await find(studyRoot.find, { QueryRetrieveLevel: "STUDY", PatientName: "jane mull" }, { fuzzyNames })).length;
  assert.deepEqual([await found(true), await found(false)], [2, 0]);
});

test("what has no value, and all of several values, are asked for where that was agreed on", async () => {
  const { find } = await opened();
  const found = async (keys: KeywordDataSet, more: Parameters<typeof find>[2]) =>
    texts(
      await find(studyRoot.find, { QueryRetrieveLevel: "STUDY", StudyInstanceUID: "", ...keys }, more),
      "StudyInstanceUID",
    );
  assert.deepEqual(await found({ AccessionNumber: '""' }, { emptyValues: true }), [`${root}.3`]);
  assert.deepEqual(await found({ AccessionNumber: '""' }, {}), []);
  assert.deepEqual(await found({ ModalitiesInStudy: ["CT", "PT"] }, { multipleValues: true }), [`${root}.2`]);
});

test("values that cannot be read, and more keys than anybody has, are refused", async () => {
  const { find } = await opened();
  await refused(find(studyRoot.find, { QueryRetrieveLevel: "STUDY", StudyDate: "last week" }));
  await refused(
    find(studyRoot.find, { QueryRetrieveLevel: "SERIES", StudyInstanceUID: `${root}.2`, SeriesNumber: "1*" }),
  );
  const flood = Array.from({ length: 600 }, (_, at) => ({ tag: 0x00091000 + at, vr: "LO" as const, value: "" }));
  await refused(find(studyRoot.find, [...elementsOf({ QueryRetrieveLevel: "STUDY" }), ...flood]));
});
