import assert from "node:assert/strict";
import { test } from "node:test";
import { instancesDigest } from "./instances-digest.ts";
import { correctionTo, type RecordOptions, recordOf } from "./study-index.fixture.ts";
import type { InstanceRecord, StudyIndex } from "./study-index.ts";
import { add, all, type Cleared, equal, like, where } from "./study-index-matching.fixture.ts";

/** A note in the series of documents of its study that names some instances. */
function note(sop: string, code: string, named: readonly RecordOptions[], more: RecordOptions = {}): InstanceRecord {
  const record = recordOf({ series: "99", sop, seriesValues: { Modality: "KO" }, ...more });
  return { ...record, rejection: { code, sopUids: named.map((one) => recordOf(one).sopUid) } };
}

const reject = (index: StudyIndex, ...records: InstanceRecord[]) => index.add(records, []);

/** The part of the contract about what rejection notes hide (docs/decisions/0022). */
export function rejectionTests(cleared: Cleared): void {
  const { studyUid, studyToken, seriesUid } = recordOf();

  test("what a note names is nowhere shown, nor the note, and the counts follow", async () => {
    const index = await cleared();
    await add(index, { sop: "1" }, { sop: "2" }, { series: "2", sop: "3", seriesValues: { Modality: "MR" } });
    assert.deepEqual(await reject(index, note("n1", "113001", [{ sop: "2" }, { sop: "3" }])), ["added"]);
    const study = await index.study(studyUid);
    assert.deepEqual(
      [study?.seriesCount, study?.instanceCount, study?.rejectedCount, study?.modalities],
      [1, 1, 3, ["CT"]],
    );
    assert.deepEqual(
      (await index.instances(studyUid)).map(({ id }) => id),
      [recordOf({ sop: "1" }).id],
    );
    assert.equal((await index.seriesOf(studyToken)).length, 1);
    assert.equal(await index.instance(studyUid, seriesUid, recordOf({ sop: "2" }).sopUid), undefined);
    assert.deepEqual(await index.instances(studyUid, recordOf({ series: "2" }).seriesUid), []);
    assert.equal((await index.findInstances(all)).length, 1);
    assert.equal((await index.findSeries(all)).length, 1);
    for (const Modality of ["MR", "KO"]) {
      assert.deepEqual(await index.findStudies(where(equal("ModalitiesInStudy", Modality))), []);
      assert.deepEqual(await index.countStudies([equal("ModalitiesInStudy", Modality)]), { count: 0, isExact: true });
    }
    assert.deepEqual(await index.findInstances(where(equal("SOPInstanceUID", recordOf({ sop: "3" }).sopUid))), []);
    const rejected = await index.rejected(studyUid);
    assert.deepEqual(
      rejected.map(({ id, code, series }) => [id, code, index.uid(series)]),
      [
        [recordOf({ sop: "2" }).id, "113001", seriesUid],
        [recordOf({ series: "2", sop: "3" }).id, "113001", recordOf({ series: "2" }).seriesUid],
      ],
    );
    assert.equal((await index.rejected(studyUid, seriesUid)).length, 1);
  });

  test("which instances are here is said of those that are hidden and of copies in conflict too", async () => {
    const index = await cleared();
    const sop = (named: string) => recordOf({ sop: named }).sopUid;
    await add(index, { sop: "1" }, { sop: "2" }, { study: "2", sop: "3" });
    await reject(index, note("n1", "113001", [{ sop: "2" }]));
    const asked = [sop("1"), sop("2"), sop("3"), sop("4")];
    const heldIn = async (study: string) => {
      const { served, copies } = await index.heldIn(study, asked);
      return [[...served].sort(), [...copies]];
    };
    assert.deepEqual(await heldIn(studyUid), [[sop("1"), sop("2")], []]);
    const alone = recordOf({ study: "3" }).studyUid;
    assert.deepEqual(await heldIn(alone), [[], []]);
    assert.deepEqual(await add(index, { sop: "3", bytes: "b" }, { study: "3", sop: "1", bytes: "c" }), [
      "conflict",
      "conflict",
    ]);
    assert.deepEqual(await heldIn(studyUid), [[sop("1"), sop("2")], [sop("3")]]);
    assert.deepEqual(await heldIn(recordOf({ study: "2" }).studyUid), [[sop("3")], []]);
    // Nothing of that study is served: it is not known as one.
    assert.ok((await heldIn(alone))[1]?.includes(sop("1")));
  });

  test("a study of which everything is rejected is found by nothing, and comes back with what is shown again or new", async () => {
    const index = await cleared();
    await add(index, { sop: "1" }, { sop: "2" }, { study: "2", sop: "3" });
    await reject(index, note("n1", "113039", [{ sop: "1" }, { sop: "2" }]));
    const found = async () => (await index.findStudies(all)).map((row) => index.uid(row));
    const others = [recordOf({ study: "2" }).studyUid];
    assert.deepEqual(await found(), others);
    assert.deepEqual(await index.countStudies([]), { count: 1, isExact: true });
    assert.deepEqual(await index.countStudies([like("PatientName", "doe*")]), { count: 1, isExact: true });
    assert.deepEqual(await index.findStudies(where(equal("StudyInstanceUID", studyUid))), []);
    assert.deepEqual(
      await index.findStudies({ ...all, sort: { keyword: "ArrivedAt", ascending: true } }).then((rows) => rows.length),
      1,
    );
    assert.equal((await index.study(studyUid))?.instanceCount, 0);
    assert.equal((await index.studiesAfter(0, 9)).length, 2);
    await index.correct(studyToken, correctionTo(1, { PatientName: "Doe^Jane", StudyDate: "20240131" }));
    await index.patientChanged(studyToken);
    assert.deepEqual(await found(), others);
    await add(index, { sop: "4" });
    assert.deepEqual((await found()).sort(), [studyUid, ...others].sort());
    assert.equal((await index.study(studyUid))?.instanceCount, 1);
    await reject(index, note("n2", "113039", [{ sop: "4" }], { receivedAt: 1_700_000_000_001 }));
    assert.deepEqual(await found(), others);
    await reject(index, note("n3", "", [{ sop: "1" }], { receivedAt: 1_700_000_000_002 }));
    assert.deepEqual((await found()).sort(), [studyUid, ...others].sort());
    assert.deepEqual(await index.countStudies([]), { count: 2, isExact: true });
    assert.equal((await index.study(studyUid))?.instanceCount, 1);
    assert.equal((await index.rejected(studyUid)).length, 2);
    assert.equal((await index.removeStudy(studyToken)).length, 6);
  });

  test("notes and instances may come in any order: the newest note holds, and notes are never shown", async () => {
    const records = [
      recordOf({ sop: "1" }),
      recordOf({ sop: "2" }),
      note("n1", "113037", [{ sop: "1" }, { sop: "2" }, { sop: "n3" }], { receivedAt: 1_700_000_000_001 }),
      note("n2", "", [{ sop: "1" }, { sop: "2" }, { sop: "n1" }], { receivedAt: 1_700_000_000_002 }),
      note("n3", "113038", [{ sop: "2" }], { receivedAt: 1_700_000_000_003 }),
    ];
    const orders = [
      [0, 1, 2, 3, 4],
      [4, 3, 2, 1, 0],
      [3, 0, 4, 2, 1],
      [2, 4, 1, 0, 3],
    ];
    for (const isAtOnce of [true, false]) {
      for (const order of orders) {
        const index = await cleared();
        const inOrder = order.map((at) => records[at] as InstanceRecord);
        if (isAtOnce) await reject(index, ...inOrder);
        else for (const record of inOrder) await reject(index, record);
        const study = await index.study(studyUid);
        assert.deepEqual([study?.instanceCount, study?.rejectedCount, study?.seriesCount], [1, 4, 1]);
        assert.deepEqual(
          (await index.findInstances(all)).map(({ id }) => id),
          [records[0]?.id],
        );
        assert.deepEqual(
          (await index.rejected(studyUid)).map(({ id, code }) => [id, code]),
          [[records[1]?.id, "113038"]],
        );
        assert.equal((await index.findStudies(all)).length, 1);
      }
    }
  });

  test("the same instance sent again stays hidden, other bytes under its UID too", async () => {
    const index = await cleared();
    await add(index, { sop: "1" }, { sop: "2" });
    await reject(index, note("n1", "113001", [{ sop: "1" }]));
    assert.deepEqual(await add(index, { sop: "1" }, { sop: "1", bytes: "b" }), ["duplicate", "conflict"]);
    assert.deepEqual(
      [(await index.study(studyUid))?.instanceCount, (await index.study(studyUid))?.conflictCount],
      [1, 0],
    );
    assert.deepEqual(await index.conflicts(), []);
    await reject(index, note("n2", "", [{ sop: "1" }], { receivedAt: 1_700_000_000_001 }));
    assert.deepEqual(
      [(await index.study(studyUid))?.instanceCount, (await index.study(studyUid))?.conflictCount],
      [2, 1],
    );
    assert.equal((await index.conflicts()).length, 2);
  });

  test("what was computed of a series before something of it was rejected is not kept as fresh", async () => {
    const index = await cleared();
    await add(index, { sop: "1" }, { sop: "2" });
    const blob = { place: { pack: "p", offset: 12 }, instanceCount: 2 };
    const both = instancesDigest([recordOf({ sop: "1" }).id, recordOf({ sop: "2" }).id]);
    await index.putSeriesBlob(studyUid, seriesUid, blob, 0, both);
    await reject(index, note("n1", "113001", [{ sop: "2" }]));
    assert.equal(await index.seriesBlob(studyUid, seriesUid), undefined);
    assert.equal((await index.seriesWithoutBlob(2e12, 9)).length, 1);
    await add(index, { sop: "3" });
    // Two again, and others.
    await index.putSeriesBlob(studyUid, seriesUid, blob, 0, both);
    assert.equal(await index.seriesBlob(studyUid, seriesUid), undefined);
    const shown = instancesDigest([recordOf({ sop: "3" }).id, recordOf({ sop: "1" }).id]);
    await index.putSeriesBlob(studyUid, seriesUid, blob, 0, shown);
    assert.equal((await index.seriesWithoutBlob(2e12, 9)).length, 0);
  });
}
