import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { TestIndexBox } from "./index-box.fixture.ts";
import { correctionTo, recordOf } from "./study-index.fixture.ts";
import type { InstanceRecord, Match, StudyIndex } from "./study-index.ts";
import {
  add,
  all,
  type Cleared,
  equal,
  type Index,
  lastNumber,
  like,
  matchingTests,
  type Row,
  where,
} from "./study-index-matching.fixture.ts";
import { placeTests } from "./study-index-places.fixture.ts";
import { rejectionTests } from "./study-index-rejections.fixture.ts";

/** An index, and the box that it was given: what a row says is looked up there. */
export interface OpenedIndex {
  readonly index: StudyIndex;
  readonly box: TestIndexBox;
}

/** What every study index must do. `open` gives one index for the whole suite; it is cleared before each test. */
export function studyIndexContract(open: () => Promise<OpenedIndex>): void {
  describe("contract of StudyIndex", () => {
    let opened: OpenedIndex;
    before(async () => {
      opened = await open();
    });
    after(() => opened.index.close());
    const cleared = async (): Promise<Index> => {
      const { index, box } = opened;
      await index.clear();
      return {
        ...index,
        values: ({ identity }) => box.open(identity).values,
        uid: ({ identity }) => box.open(identity).uid,
        box,
      };
    };
    addingTests(cleared);
    matchingTests(cleared);
    orderTests(cleared);
    rowTests(cleared);
    blobTests(cleared);
    changeTests(cleared);
    placeTests(cleared);
    rejectionTests(cleared);
  });
}

function addingTests(cleared: Cleared): void {
  test("a new instance is added, the same again is a duplicate, other bytes under its UID are a conflict", async () => {
    const index = await cleared();
    assert.deepEqual(await add(index, { sop: "1" }), ["added"]);
    assert.deepEqual(await add(index, { sop: "1", receivedAt: 5 }), ["duplicate"]);
    assert.deepEqual(await add(index, { sop: "1", bytes: "b" }), ["conflict"]);
    assert.deepEqual(await add(index, { sop: "1", bytes: "b" }, { sop: "1" }), ["duplicate", "duplicate"]);
    const study = await index.study(recordOf().studyUid);
    assert.deepEqual([study?.instanceCount, study?.conflictCount], [1, 1]);
  });

  test("it is known of just which bytes a UID is held, served or in conflict", async () => {
    const index = await cleared();
    await add(index, { sop: "1" }, { sop: "1", bytes: "b" });
    const holds = ({ sopUid, dataSetSha256 }: InstanceRecord) => index.holds(sopUid, dataSetSha256);
    assert.ok(await holds(recordOf({ sop: "1" })));
    assert.ok(await holds(recordOf({ sop: "1", bytes: "b" })));
    assert.ok(!(await holds(recordOf({ sop: "1", bytes: "c" }))));
    assert.ok(!(await holds(recordOf({ sop: "2" }))));
  });

  test("within one batch the same rules hold", async () => {
    const index = await cleared();
    const outcomes = await add(index, {}, {}, { bytes: "b" }, { bytes: "b" }, { sop: "2" }, { bytes: "c" });
    assert.deepEqual(outcomes, ["added", "duplicate", "conflict", "duplicate", "added", "conflict"]);
    const study = await index.study(recordOf().studyUid);
    assert.deepEqual([study?.seriesCount, study?.instanceCount, study?.conflictCount], [1, 2, 2]);
  });

  test("in a conflict the first copy is the one that is served, and every copy is listed behind it", async () => {
    const index = await cleared();
    await add(index, { sop: "2" }, { sop: "1" });
    await add(index, { sop: "1", bytes: "b" }, { sop: "1", bytes: "c", study: "7", series: "3" });
    const first = recordOf({ sop: "1" });
    const copies = await index.conflicts();
    const expected = [
      first,
      recordOf({ sop: "1", bytes: "b" }),
      recordOf({ sop: "1", bytes: "c", study: "7", series: "3" }),
    ];
    assert.deepEqual(
      copies.map((row) => {
        const { dataSetSha256, studyUid, seriesUid } = index.box.open(row.identity);
        return [row.id, dataSetSha256, studyUid, seriesUid];
      }),
      expected.map((row) => [row.id, row.dataSetSha256, row.studyUid, row.seriesUid]),
    );
    assert.equal((await index.instance(first.studyUid, first.seriesUid, first.sopUid))?.id, first.id);
    assert.equal((await index.instances(first.studyUid)).length, 2);
    assert.equal(await index.study(recordOf({ study: "7" }).studyUid), undefined);
  });

  test("marks are kept with the batch, only move forward, and go with clear", async () => {
    const index = await cleared();
    await index.add([], [{ pack: "b", position: 7 }]);
    await index.add(
      [recordOf()],
      [
        { pack: "a", position: 3 },
        { pack: "b", position: 9 },
      ],
    );
    await index.add([], [{ pack: "b", position: 8 }]);
    assert.deepEqual(await index.marks(), [
      { pack: "a", position: 3 },
      { pack: "b", position: 9 },
    ]);
    await index.clear();
    assert.deepEqual(await index.marks(), []);
    assert.deepEqual(await index.countStudies([]), { count: 0, isExact: true });
    assert.deepEqual(await add(index, {}), ["added"]);
  });

  test("what was missing in a study or series is filled in by a later instance, what is there stays", async () => {
    const index = await cleared();
    await add(index, { studyValues: { AccessionNumber: "" } });
    await add(index, {
      sop: "2",
      studyValues: { AccessionNumber: "A9", PatientName: "Other" },
      seriesValues: { BodyPartExamined: "HEAD" },
    });
    const [row] = await index.findSeries(where(equal("AccessionNumber", "A9"), equal("BodyPartExamined", "HEAD")));
    assert.ok(row);
    assert.equal(index.values(row.study).PatientName, "Doe^Jane");
    assert.equal(index.values(row.study).AccessionNumber, "A9");
    assert.equal(index.values(row).BodyPartExamined, "HEAD");
  });

  test("batches that are added at once do not disturb each other", async () => {
    const index = await cleared();
    const batches = Array.from({ length: 8 }, (_, batch) =>
      Array.from({ length: 10 }, (_, i) => recordOf({ series: String(i % 3), sop: String(batch * 5 + i) })),
    );
    const outcomes = (await Promise.all(batches.map((batch) => index.add(batch, [])))).flat();
    assert.equal(outcomes.filter((outcome) => outcome === "added").length, 45);
    const study = await index.study(recordOf().studyUid);
    assert.deepEqual([study?.seriesCount, study?.instanceCount], [3, 45]);
  });

  test("a batch of 200 over many studies goes in whole", async () => {
    const index = await cleared();
    const records = Array.from({ length: 200 }, (_, i) =>
      recordOf({ study: String(i % 70), series: String(i % 2), sop: String(i) }),
    );
    assert.deepEqual(new Set(await index.add(records, [])), new Set(["added"]));
    assert.deepEqual(await index.countStudies([]), { count: 70, isExact: true });
    assert.equal((await index.findInstances(all)).length, 200);
  });
}

function orderTests(cleared: Cleared): void {
  const uidsOf = (index: Index, rows: readonly Row[]) => rows.map((row) => lastNumber(index.uid(row)));

  test("studies come newest first by date and time, ties by arrival, and pages do not overlap", async () => {
    const index = await cleared();
    const dates = ["20240101", "20240301", "20240101", "", "20240301"];
    await add(
      index,
      ...dates.map((StudyDate, i) => ({
        study: String(i),
        sop: String(i),
        studyValues: { StudyDate, StudyTime: i === 1 ? "235959" : "08" },
      })),
    );
    assert.deepEqual(uidsOf(index, await index.findStudies(all)), [1, 4, 2, 0, 3]);
    const pages = [0, 2, 4].map((offset) => index.findStudies({ matches: [], limit: 2, offset }));
    assert.deepEqual(uidsOf(index, (await Promise.all(pages)).flat()), [1, 4, 2, 0, 3]);
    const ascending = { ...all, sort: { keyword: "StudyDate", ascending: true } };
    assert.deepEqual(uidsOf(index, await index.findStudies(ascending)), [3, 0, 2, 4, 1]);
  });

  test("studies can be sorted by what the study list shows", async () => {
    const index = await cleared();
    const names = ["Zoe", "Ärm", "ab", "𠮷", "ｚ"];
    await add(
      index,
      ...names.map((name, i) => ({
        study: String(i),
        sop: String(i),
        receivedAt: 5000 - i,
        studyValues: { PatientName: name, PatientID: `${9 - i}`, AccessionNumber: `A${i % 2}`, StudyDescription: name },
      })),
    );
    const by = async (keyword: string, ascending = true) =>
      uidsOf(index, await index.findStudies({ ...all, sort: { keyword, ascending } }));
    assert.deepEqual(await by("PatientName"), [2, 1, 4, 0, 3]);
    assert.deepEqual(await by("StudyDescription"), [2, 1, 4, 0, 3]);
    assert.deepEqual(await by("PatientID"), [4, 3, 2, 1, 0]);
    assert.deepEqual(await by("AccessionNumber"), [0, 2, 4, 1, 3]);
    assert.deepEqual(await by("AccessionNumber", false), [3, 1, 4, 2, 0]);
    assert.deepEqual(await by("ArrivedAt"), [4, 3, 2, 1, 0]);
  });

  test("instances come by series, then instance number, then arrival; a missing number comes last", async () => {
    const index = await cleared();
    const numbers = ["10", "9", "x", "9", "-1"];
    await add(index, ...numbers.map((InstanceNumber, i) => ({ sop: String(i), instanceValues: { InstanceNumber } })));
    await add(index, { series: "2", sop: "5", instanceValues: { InstanceNumber: "0" } });
    const { studyUid, seriesUid } = recordOf();
    const sops = (rows: readonly Row[]) => uidsOf(index, rows);
    assert.deepEqual(sops(await index.instances(studyUid)), [4, 1, 3, 0, 2, 5]);
    assert.deepEqual(sops(await index.instances(studyUid, seriesUid)), [4, 1, 3, 0, 2]);
    assert.deepEqual(sops(await index.findInstances(all)), [4, 1, 3, 0, 2, 5]);
    assert.deepEqual(await index.instances(studyUid, "1.2.3"), []);
  });
}

function rowTests(cleared: Cleared): void {
  test("rows give back what was taken in", async () => {
    const index = await cleared();
    const plain = recordOf({ receivedAt: 7 });
    const record: InstanceRecord = { ...plain, pixelOffset: 2 ** 40, pixelLength: 524_288, sizeBytes: 2 ** 41 };
    await index.add([record, recordOf({ sop: "2" })], []);
    const { study, series, instance, studyUid, seriesUid, sopUid, dataSetSha256, ...copy } = record;
    const found = await index.instance(studyUid, seriesUid, sopUid);
    assert.ok(found);
    const { identity, seriesId, ...row } = found;
    assert.deepEqual(row, copy);
    assert.deepEqual(index.box.open(identity), { uid: sopUid, values: instance, dataSetSha256 });
    const studyRow = await index.study(record.studyUid);
    assert.ok(studyRow);
    assert.deepEqual(index.box.open(studyRow.identity), { uid: studyUid, values: study });
    assert.deepEqual(studyRow, {
      id: 1,
      studyToken: record.studyToken,
      identity: studyRow.identity,
      facts: studyRow.facts,
      modalities: ["CT"],
      sopClassUids: [record.sopClassUid],
      seriesCount: 1,
      instanceCount: 2,
      conflictCount: 0,
      rejectedCount: 0,
      changedAt: 1_700_000_000_000,
    });
    assert.deepEqual(await index.studyOfToken(record.studyToken), studyRow);
    const [seriesRow] = await index.seriesOf(record.studyToken);
    assert.ok(seriesRow);
    assert.deepEqual(index.box.open(seriesRow.identity), { uid: seriesUid, values: series });
    assert.deepEqual(seriesRow, { id: seriesId, study: studyRow, identity: seriesRow.identity, instanceCount: 2 });
    const [listed] = await index.findInstances(where(equal("SOPInstanceUID", sopUid)));
    assert.deepEqual(listed, { ...found, series: seriesRow });
    assert.deepEqual(await index.findSeries(all), [seriesRow]);
    assert.deepEqual(await index.studiesAfter(0, 5), [studyRow]);
    assert.deepEqual(await index.studiesAfter(1, 5), []);
  });

  test("rows of one study share one object, so that it is opened once", async () => {
    const index = await cleared();
    await add(index, { series: "1", sop: "1" }, { series: "2", sop: "2" }, { series: "2", sop: "3" });
    const series = await index.findSeries(all);
    assert.equal(series[0]?.study.identity, series[1]?.study.identity);
    const instances = await index.findInstances(all);
    assert.equal(instances[1]?.series.identity, instances[2]?.series.identity);
    assert.equal(instances[0]?.series.study.identity, instances[2]?.series.study.identity);
    const own = await index.seriesOf(recordOf().studyToken);
    assert.equal(own[0]?.study.identity, own[1]?.study.identity);
  });

  test("what is not there is undefined or empty", async () => {
    const index = await cleared();
    await add(index, {}, { series: "2", sop: "2" });
    const { studyUid, sopUid } = recordOf();
    assert.equal(await index.study("9.9"), undefined);
    assert.equal(await index.studyOfToken("none"), undefined);
    assert.equal(await index.instance(studyUid, recordOf({ series: "2" }).seriesUid, sopUid), undefined);
    assert.deepEqual(await index.instances("9.9"), []);
    assert.deepEqual(await index.conflicts(), []);
  });

  test("keys of a higher level narrow a query of a lower one, and a list of hundreds of UIDs is taken", async () => {
    const index = await cleared();
    const options = Array.from({ length: 30 }, (_, i) => ({
      study: String(i % 3),
      series: String(i % 2),
      sop: String(i),
      studyValues: { PatientID: `P${i % 3}` },
      seriesValues: { Modality: i % 2 ? "CT" : "MR" },
    }));
    await add(index, ...options);
    assert.equal((await index.findInstances(where(equal("PatientID", "P1"), equal("Modality", "CT")))).length, 5);
    assert.equal((await index.findSeries(where(equal("PatientID", "P1")))).length, 2);
    const uids = Array.from({ length: 700 }, (_, i) => recordOf({ sop: String(i * 3) }).sopUid);
    assert.equal((await index.findInstances(where(equal("SOPInstanceUID", ...uids)))).length, 10);
    assert.equal((await index.findSeries(where(equal("SeriesNumber", "01", "x")))).length, 6);
  });
}

function blobTests(cleared: Cleared): void {
  test("a series has a blob until its count changes, and the newest change is first in line", async () => {
    const index = await cleared();
    await add(index, { series: "1", sop: "1", receivedAt: 30 }, { series: "2", sop: "2", receivedAt: 20 });
    const { studyUid, seriesUid: first } = recordOf();
    const second = recordOf({ series: "2" }).seriesUid;
    const without = async (since: number, limit = 9) =>
      (await index.seriesWithoutBlob(since, limit)).map((row) => index.uid(row));
    assert.deepEqual(await without(30), [first, second]);
    assert.deepEqual(await without(30, 1), [first]);
    assert.deepEqual(await without(29), [second]);
    assert.equal(await index.seriesBlob(studyUid, first), undefined);
    await index.putSeriesBlob(studyUid, first, { place: { pack: "p", offset: 12 }, instanceCount: 1 }, 0);
    await index.putSeriesBlob(studyUid, "9.9", { place: { pack: "p", offset: 12 }, instanceCount: 1 }, 0);
    assert.deepEqual(await without(30), [second]);
    await add(index, { series: "1", sop: "3", receivedAt: 40 });
    assert.deepEqual(await index.seriesBlob(studyUid, first), {
      place: { pack: "p", offset: 12 },
      instanceCount: 1,
      seriesInstanceCount: 2,
    });
    assert.deepEqual(await without(40), [first, second]);
  });
}

function changeTests(cleared: Cleared): void {
  const { studyToken, studyUid, seriesUid } = recordOf();

  test("a study that was corrected is found by its new values, not by the old ones, and its blobs are stale", async () => {
    const index = await cleared();
    await add(index, { studyValues: { StudyDate: "20200101" } }, { study: "2", sop: "2" });
    await index.putSeriesBlob(studyUid, seriesUid, { place: { pack: "p", offset: 12 }, instanceCount: 1 }, 0);
    const values = { PatientName: "Roe^Richard", PatientID: "Q7", StudyDate: "20240601" };
    assert.equal(await index.correct(studyToken, correctionTo(1, values)), "newest");
    const [row] = await index.findStudies(where(like("PatientName", "roe*")));
    assert.deepEqual(row && index.values(row), values);
    assert.deepEqual(await index.findStudies(where(equal("PatientID", "P1"), like("PatientName", "*richard"))), []);
    assert.equal((await index.findStudies(where(like("PatientName", "doe*")))).length, 1);
    assert.deepEqual(await index.countStudies([like("PatientName", "d*")]), { count: 1, isExact: true });
    assert.deepEqual(await index.countStudies([equal("ModalitiesInStudy", "CT")]), { count: 2, isExact: true });
    const days: Match = { keyword: "StudyDate", kind: "range", from: "20240501" };
    assert.deepEqual(await index.countStudies([days]), { count: 1, isExact: true });
    assert.equal((await index.findStudies(all))[0]?.studyToken, studyToken);
    assert.equal((await index.seriesWithoutBlob(2e12, 9)).length, 2);
    assert.equal(await index.correct("none", correctionTo(1, values)), undefined);
  });

  test("corrections count by their versions, whatever order they are learnt in, and instances that come later change none", async () => {
    const index = await cleared();
    await add(index, {});
    const second = { ...correctionTo(2, {}), changes: { PatientID: { from: "Q1", to: "Q2" }, StudyDate: { to: "" } } };
    const first = { ...correctionTo(1, {}), changes: { PatientID: { from: "P1", to: "Q1" }, PatientSex: { to: "F" } } };
    assert.equal(await index.correct(studyToken, second), "newest");
    assert.equal(await index.correct(studyToken, first), "older");
    assert.equal(await index.correct(studyToken, second), "newest");
    await add(index, { sop: "2", studyValues: { StudyDate: "20240131", PatientSex: "M", StudyID: "7" } });
    const [row] = await index.findStudies(where(equal("PatientID", "Q2")));
    const values = row && index.values(row);
    assert.deepEqual([values?.PatientSex, values?.StudyDate, values?.StudyID], ["F", undefined, "7"]);
  });

  test("a blob that was made before a correction is not kept as fresh", async () => {
    const index = await cleared();
    await add(index, {});
    const blob = { place: { pack: "p", offset: 12 }, instanceCount: 1 };
    await index.correct(studyToken, correctionTo(1, { PatientID: "Q1" }));
    await index.putSeriesBlob(studyUid, seriesUid, blob, 0);
    assert.equal((await index.seriesWithoutBlob(2e12, 9)).length, 1);
    await index.putSeriesBlob(studyUid, seriesUid, blob, 1);
    assert.equal((await index.seriesWithoutBlob(2e12, 9)).length, 0);
  });

  test("a study that was removed is not found by anything, and may come again", async () => {
    const index = await cleared();
    await add(index, {}, { sop: "2" }, { study: "2", sop: "3" });
    await add(index, { sop: "2", bytes: "b" }, { study: "1", sop: "3", bytes: "c" });
    const places = await index.removeStudy(studyToken);
    const expected = [{}, { sop: "2" }, { sop: "2", bytes: "b" }, { sop: "3", bytes: "c" }];
    const offsets = (of: readonly { readonly image: { readonly offset: number } }[]) =>
      of.map((one) => one.image.offset);
    assert.deepEqual(offsets(places), offsets(expected.map((options) => recordOf(options).places)));
    assert.equal(await index.study(studyUid), undefined);
    assert.equal((await index.findStudies(all)).length, 1);
    assert.equal((await index.findStudies(where(like("PatientName", "doe*")))).length, 1);
    assert.deepEqual(await index.countStudies([like("PatientName", "doe*")]), { count: 1, isExact: true });
    assert.deepEqual(await index.countStudies([]), { count: 1, isExact: true });
    assert.equal((await index.findInstances(all)).length, 1);
    // The copy that came under its name beside an instance of another study is gone too.
    assert.deepEqual(await index.conflicts(), []);
    assert.equal((await index.findStudies(all))[0]?.conflictCount, 0);
    assert.deepEqual(await index.removeStudy(studyToken), []);
    assert.deepEqual(await add(index, { studyValues: { PatientName: "New^Name" } }), ["added"]);
    assert.deepEqual(await index.countStudies([like("PatientName", "doe*")]), { count: 1, isExact: true });
    assert.equal((await index.findStudies(where(like("PatientName", "new*")))).length, 1);
  });

  test("one copy in conflict is taken out by its id", async () => {
    const index = await cleared();
    await add(index, {}, { bytes: "b" }, { bytes: "c" });
    const { id, places } = recordOf({ bytes: "b" });
    assert.deepEqual(await index.removeConflict(id), places);
    assert.equal(await index.removeConflict(id), undefined);
    assert.equal(await index.removeConflict(recordOf().id), undefined);
    assert.equal((await index.conflicts()).length, 2);
    assert.equal((await index.study(studyUid))?.conflictCount, 1);
    assert.deepEqual(await add(index, { bytes: "b" }), ["conflict"]);
  });

  test("what compaction moved is found in its new place", async () => {
    const index = await cleared();
    await add(index, {}, { sop: "2" });
    await index.putSeriesBlob(studyUid, seriesUid, { place: { pack: "p", offset: 12 }, instanceCount: 2 }, 0);
    const { image, identity } = recordOf().places;
    const to = { pack: "new", offset: 5 };
    const blobTo = { pack: "new", offset: 9 };
    await index.relocate("image", [{ from: image, to }]);
    await index.relocate("identity", [
      { from: { pack: "p", offset: 12 }, to: blobTo },
      { from: { pack: "unknown", offset: 1 }, to },
    ]);
    const [first, second] = await index.instances(studyUid);
    assert.deepEqual(first?.places, { image: to, identity });
    assert.deepEqual(second?.places, recordOf({ sop: "2" }).places);
    assert.deepEqual((await index.seriesBlob(studyUid, seriesUid))?.place, blobTo);
  });

  test("a study whose keys are gone is found by nothing that must be opened, and takes nothing in", async () => {
    const index = await cleared();
    const shred = { study: "shred", sop: "9", studyValues: { PatientName: "Gone^Girl", AccessionNumber: "" } };
    await add(index, shred, {});
    const token = recordOf(shred).studyToken;
    index.box.shred(token);
    assert.deepEqual(await index.findStudies(where(like("PatientName", "*gone^g*"))), []);
    assert.deepEqual(await add(index, { ...shred, sop: "10" }, { sop: "2" }), ["duplicate", "added"]);
    assert.equal(await index.correct(token, correctionTo(1, {})), undefined);
    assert.equal((await index.removeStudy(token)).length, 1);
    assert.equal((await index.findStudies(all)).length, 1);
  });
}
