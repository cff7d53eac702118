import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createVirtualClock } from "#base/clock";
import { createLog } from "#base/log";
import { isProblem } from "#base/problem";
import { createMemoryBlindStore } from "#stores/memory";
import { type BlindIndexParts, createBlindIndex } from "./blind-index.ts";
import type { BlindRows, BlindStore } from "./blind-store.ts";
import { createTestIndexBox, type TestIndexBox } from "./index-box.fixture.ts";
import { reachMatches } from "./reach.ts";
import { correctionTo, type RecordOptions, recordOf } from "./study-index.fixture.ts";
import type { IndexedInstance, IndexedSeries, IndexedStudy, IndexedValues, Query, StudyIndex } from "./study-index.ts";
import { add, all, equal, like, where } from "./study-index-matching.fixture.ts";
import { createStudyModel, type StudyModel } from "./study-index-model.fixture.ts";
import { patients, type Question, someQuestion, someRecord, valuesAt } from "./study-index-questions.fixture.ts";

const clock = createVirtualClock();

function opened(options: Partial<BlindIndexParts> = {}) {
  const box = createTestIndexBox();
  const store = createMemoryBlindStore();
  return { box, store, index: createBlindIndex({ store, box, clock, ...options }) };
}

/** Rows in the form of the model. */
function plain(box: TestIndexBox) {
  const study = (row: IndexedStudy) => {
    const { uid, values } = box.open(row.identity);
    const { modalities, sopClassUids, changedAt } = row;
    const counts = [row.seriesCount, row.instanceCount, row.conflictCount];
    return { studyUid: uid, values, modalities, sopClassUids, counts, changedAt };
  };
  const series = (row: IndexedSeries) => {
    const { uid, values } = box.open(row.identity);
    return [box.open(row.study.identity).uid, uid, values, row.instanceCount];
  };
  const instance = (row: IndexedInstance & { readonly series: IndexedSeries }) => {
    const { uid, values } = box.open(row.identity);
    return [box.open(row.series.study.identity).uid, uid, values];
  };
  return { study, series, instance };
}

async function answer(index: StudyIndex, box: TestIndexBox, question: Question): Promise<unknown> {
  const { ask, reach } = question;
  const query = { ...question.query, matches: [...question.query.matches, ...reachMatches(reach)] };
  const { study, series, instance } = plain(box);
  switch (ask) {
    case "findStudies":
      return (await index.findStudies(query)).map(study);
    case "countStudies":
      return index.countStudies(query.matches);
    case "findSeries":
      return (await index.findSeries(query)).map(series);
    case "findInstances":
      return (await index.findInstances(query)).map(instance);
  }
}

/** Of a study that matches it is asked whether the reach covers it, as where one study is read. */
function expected(model: StudyModel, { ask, query, reach }: Question): unknown {
  if (ask === "countStudies") return { count: model.countStudies(query.matches, reach), isExact: true };
  return model[ask](query, reach);
}

/** A refusal is an answer too. */
const codeOf = (error: unknown) => ({ refused: (error as { code?: string }).code });
const outcome = (work: () => unknown): Promise<unknown> => Promise.resolve().then(work).catch(codeOf);

type Step =
  | { readonly do: "add"; readonly records: readonly RecordOptions[] }
  | { readonly do: "correct"; readonly study: string; readonly values: IndexedValues }
  | { readonly do: "move"; readonly study: string; readonly patient: string }
  | { readonly do: "remove"; readonly study: string }
  | { readonly do: "removeConflict"; readonly record: RecordOptions }
  /** A new process over the same store. */
  | { readonly do: "reopen" }
  | { readonly do: "fail" };

const someStudy = fc.integer({ min: 1, max: 12 }).map(String);
const adding: fc.Arbitrary<Step> = fc.record({
  do: fc.constant("add" as const),
  records: fc.array(someRecord, { minLength: 1, maxLength: 16 }),
});
const correcting: fc.Arbitrary<Step> = fc.record({
  do: fc.constant("correct" as const),
  study: someStudy,
  values: valuesAt("study"),
});
const someStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: adding },
  { weight: 2, arbitrary: correcting },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("move" as const),
      study: someStudy,
      patient: fc.constantFrom(...patients),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("remove" as const), study: someStudy }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("removeConflict" as const), record: someRecord }) },
  { weight: 1, arbitrary: fc.constant({ do: "reopen" as const }) },
  { weight: 1, arbitrary: fc.constant({ do: "fail" as const }) },
);

async function taken(
  step: Exclude<Step, { readonly do: "reopen" | "fail" }>,
  index: StudyIndex,
  model: StudyModel,
  box: TestIndexBox,
): Promise<void> {
  const token = "study" in step ? recordOf({ study: step.study }).studyToken : "";
  switch (step.do) {
    case "add": {
      const records = step.records.map(recordOf);
      assert.deepEqual(await index.add(records, []), model.add(records));
      return;
    }
    case "correct":
      // Each of them is of the last version: it says all there is to say.
      assert.equal(
        await index.correct(token, correctionTo(1, step.values)),
        model.correct(token, step.values) ? "newest" : undefined,
      );
      return;
    case "move":
      box.move(token, step.patient);
      await index.patientChanged(token);
      model.patientChanged(token);
      return;
    case "remove":
      assert.equal((await index.removeStudy(token)).length, model.removeStudy(token).length);
      return;
    case "removeConflict": {
      const { id } = recordOf(step.record);
      assert.equal((await index.removeConflict(id)) !== undefined, model.removeConflict(id));
    }
  }
}

test("random batches, corrections, moves, removals, restarts and failures: random questions of random reach are answered as in the clear", async () => {
  const steps = fc.array(fc.tuple(someStep, fc.array(someQuestion, { maxLength: 12 })), {
    minLength: 1,
    maxLength: 8,
    size: "max",
  });
  const sizes = fc.record({ sharedTerms: fc.constantFrom(2, 2 ** 18), mergedAtTerms: fc.constantFrom(1, 300, 1e9) });
  await fc.assert(
    fc.asyncProperty(steps, sizes, async (given, options) => {
      const { box, store, index: first } = opened(options);
      let index = first;
      const model = createStudyModel(box);
      for (const [step, questions] of given) {
        if (step.do === "reopen") {
          await index.close();
          index = createBlindIndex({ store, box, clock, ...options });
        } else if (step.do === "fail") {
          store.failNext(new Error("no store"), "change");
          await index.add([recordOf()], []).then(
            () => model.add([recordOf()]),
            (error: Error) => assert.equal(error.message, "no store"),
          );
        } else await taken(step, index, model, box);
        for (const question of questions) {
          assert.deepEqual(
            await outcome(() => answer(index, box, question)),
            await outcome(() => expected(model, question)),
            JSON.stringify(question),
          );
        }
        assert.deepEqual(
          (await index.conflicts()).map(({ id }) => id),
          model.conflicts(),
        );
      }
    }),
    { numRuns: 60, seed: 11, interruptAfterTimeLimit: 40_000, markInterruptAsFailure: true },
  );
});

/** Everything that a store is given, and nothing else. */
function watched(store: BlindStore) {
  const given: unknown[] = [];
  const watching: BlindStore = {
    ...store,
    change: (work) =>
      store.change((rows) =>
        work({
          ...rows,
          put: (put: BlindRows) => {
            given.push(put);
            return rows.put(put);
          },
        }),
      ),
  };
  return { given, watching };
}

/** Texts somewhere in a value, or bytes as text of one character each. */
function textsIn(value: unknown, kind: "text" | "bytes"): string[] {
  if (value instanceof Uint8Array) return kind === "bytes" ? [Buffer.from(value).toString("latin1")] : [];
  if (typeof value === "object" && value !== null) return Object.values(value).flatMap((one) => textsIn(one, kind));
  return kind === "text" ? [String(value)] : [];
}

const piecesOf = (text: string, length: number) =>
  Array.from({ length: Math.max(0, text.length - length + 1) }, (_, at) => text.slice(at, at + length));

test("nothing of a value or UID, not four letters of it, stands in what the store is given", async () => {
  const box = createTestIndexBox();
  const { given, watching } = watched(createMemoryBlindStore());
  const index = createBlindIndex({ store: watching, box, clock, mergedAtTerms: 1 });
  const study = {
    PatientName: "Wolkenstein^Oswald=沃尔肯^奥",
    PatientID: "QXJ-77201",
    AccessionNumber: "ZKW88431",
    StudyDescription: "Rückenmark",
    ReferringPhysicianName: "Hildegard^Bingen",
    PatientBirthDate: "19371122",
    StudyID: "VYU",
  };
  const options = {
    studyValues: study,
    seriesValues: { SeriesDescription: "Sagittalschnitt", StationName: "KXPLORER" },
  };
  await add(index, options, { ...options, sop: "2" }, { ...options, sop: "2", bytes: "b" });
  await add(index, { ...options, sop: "3", studyValues: { ...study, IssuerOfPatientID: "Wittgensteinhaus" } });
  const { studyToken, studyUid, seriesUid, sopUid } = recordOf(options);
  await index.correct(studyToken, correctionTo(1, { PatientName: "Vogelweide^Walther" }));
  await index.findStudies(where(like("PatientName", "*vogel*"), equal("PatientID", "QXJ-77201")));
  await index.putSeriesBlob(studyUid, seriesUid, { place: { pack: "p", offset: 1 }, instanceCount: 3 }, 1);
  await index.removeStudy(studyToken);
  const clear = [...Object.values(study), "Sagittalschnitt", "KXPLORER", "Wittgensteinhaus", "Vogelweide^Walther"];
  const texts = textsIn(given, "text").join("\n");
  // Tokens are hexadecimal digits: four of those prove nothing, nor do four bytes of what looks random.
  const inTexts = clear.flatMap((text) => piecesOf(text, 4)).filter((piece) => !/^[\da-f]+$/i.test(piece));
  const bytes = textsIn(given, "bytes").join("\n");
  const inBytes = clear.flatMap((text) => piecesOf(Buffer.from(text).toString("latin1"), 5));
  const found = [
    ...[...inTexts, studyUid, seriesUid, sopUid].filter((piece) => texts.includes(piece)),
    ...[...inBytes, studyUid, seriesUid, sopUid].filter((piece) => bytes.includes(piece)),
  ];
  assert.deepEqual(found, []);
});

test("a change that stands although it was told to have failed is seen, and nothing is taken in twice", async () => {
  const { box, store } = opened();
  let isBroken = false;
  const breaking: BlindStore = {
    ...store,
    async change(work) {
      const result = await store.change(work);
      if (isBroken) throw new Error("the answer was lost");
      return result;
    },
  };
  const index = createBlindIndex({ store: breaking, box, clock });
  await add(index, {});
  isBroken = true;
  await assert.rejects(add(index, { study: "2", sop: "2", studyValues: { PatientName: "Lost^Answer" } }), /lost/);
  isBroken = false;
  assert.equal((await index.findStudies(where(like("PatientName", "lost*")))).length, 1);
  assert.deepEqual(await add(index, { study: "2", sop: "2" }, { study: "3", sop: "3" }), ["duplicate", "added"]);
  assert.equal((await index.findStudies(all)).length, 3);
});

test("a store that fails at any call leaves the index as it was, and the same batch goes in afterwards", async () => {
  for (const call of ["blocks", "change", "marks"] as const) {
    const { store, index } = opened();
    store.failNext(new Error("no store"), call);
    if (call === "marks") await assert.rejects(index.marks(), /no store/);
    else await assert.rejects(add(index, {}), /no store/);
    assert.deepEqual(await index.findStudies(all), []);
    assert.deepEqual(await add(index, {}), ["added"]);
    assert.equal((await index.findStudies(where(like("PatientName", "doe*")))).length, 1);
  }
});

test("merges of the log that fail are told and made again, and questions meanwhile are answered", async () => {
  const virtual = createVirtualClock();
  const lines: string[] = [];
  const log = createLog({ sink: (line) => lines.push(line), clock: virtual });
  const { store, index } = opened({ mergedAtTerms: 1, clock: virtual, log });
  for (let study = 0; study < 30; study++) {
    const adding = add(index, { study: String(study), sop: String(study), studyValues: { PatientID: `ID${study}` } });
    await adding;
    if (study % 3 === 0) store.failNext(new Error("no store"), "change");
    assert.deepEqual(await index.countStudies([like("PatientName", "doe*")]), { count: study + 1, isExact: true });
    // The failure meets a slice of the merge, or what waits for its turn behind it.
    await index.add([], []).catch(() => {});
    virtual.advance(60_000);
  }
  assert.ok(lines.some((line) => line.includes("not merged")));
  assert.equal((await index.findStudies(where(equal("PatientID", "ID7")))).length, 1);
  assert.equal((await index.findStudies(all)).length, 30);
});

test("the number of a study that was removed is not given out again, not even by a new process", async () => {
  const { box, store, index } = opened();
  await add(index, {}, { study: "2", sop: "2", seriesValues: { Modality: "MR" } });
  await index.removeStudy(recordOf({ study: "2" }).studyToken);
  const again = createBlindIndex({ store, box, clock });
  await add(again, { study: "3", sop: "3" });
  assert.deepEqual(await again.countStudies([equal("ModalitiesInStudy", "MR")]), { count: 0, isExact: true });
  assert.deepEqual(
    (await again.studiesAfter(0, 9)).map(({ id }) => id),
    [1, 3],
  );
});

test("a search for which too much would have to be opened is refused, with what to do instead", async () => {
  const { index } = opened({ limits: { openedMost: 10, readMost: 1000, countedMost: 5 } });
  await index.add(
    Array.from({ length: 30 }, (_, i) =>
      recordOf({ study: String(i), sop: String(i), studyValues: { StudyTime: `${i}` } }),
    ),
    [],
  );
  const evening = { keyword: "StudyTime", kind: "range", from: "9999" } as const;
  const refused = (error: unknown) => isProblem(error, "too-large") && (error.remedy ?? "").includes("narrow");
  await assert.rejects(index.findStudies(where(evening)), refused);
  assert.deepEqual(await index.countStudies([evening]), { count: 30, isExact: false });
  assert.equal((await index.findStudies({ ...all, limit: 5 })).length, 5);
});

test("what terms and columns answer is answered unopened, and an accession number opens one row", async () => {
  const { box, index } = opened();
  await index.add(
    Array.from({ length: 300 }, (_, i) => {
      const studyValues = {
        PatientName: `Name${i % 7}^Given${i}`,
        AccessionNumber: `A${i}`,
        StudyDate: `202401${10 + (i % 20)}`,
      };
      return recordOf({ study: String(i), sop: String(i), studyValues });
    }),
    [],
  );
  const opens = async (work: () => Promise<unknown>) => {
    const before = box.openedCount;
    await work();
    return box.openedCount - before;
  };
  const page = { limit: 20, offset: 40 };
  assert.equal(await opens(() => index.findStudies({ ...page, matches: [like("PatientName", "name3*")] })), 0);
  assert.equal(await opens(() => index.countStudies([like("PatientName", "*ame*")])), 0);
  const day = { keyword: "StudyDate", kind: "equal", values: ["20240115"] } as const;
  assert.equal(await opens(() => index.countStudies([day, equal("ModalitiesInStudy", "CT")])), 0);
  assert.equal(await opens(() => index.findStudies(where(equal("AccessionNumber", "A77")))), 1);
});

test("adds, corrections and questions side by side: whatever is found fulfils the question", async () => {
  const { box, index } = opened({ mergedAtTerms: 50 });
  const { study } = plain(box);
  const work = Array.from({ length: 60 }, async (_, i) => {
    await add(index, { study: String(i % 20), sop: String(i), studyValues: { PatientName: `Ab${i % 3}^X` } });
    const { studyToken } = recordOf({ study: String(i % 20) });
    if (i % 7 === 0) await index.correct(studyToken, correctionTo(1, { PatientName: "Zz^Y" }));
    const rows = (await index.findStudies(where(like("PatientName", "ab*")))).map(study);
    assert.ok(rows.every(({ values }) => values.PatientName?.startsWith("Ab")));
    assert.equal(new Set(rows.map(({ studyUid }) => studyUid)).size, rows.length);
  });
  await Promise.all(work);
  assert.equal((await index.findStudies(all)).length, 20);
});

/** Lets work that was begun beside the calls of a test go on to its end. */
async function settled(index: StudyIndex): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await index.add([], []);
}

test("a damaged block is not taken for an answer, and the index can be cleared to be made again", async () => {
  const { store, index } = opened({ mergedAtTerms: 1 });
  await add(index, {});
  await settled(index);
  await index.close();
  const { given, watching } = watched(store);
  const box = createTestIndexBox();
  const again = createBlindIndex({ store: watching, box, clock, mergedAtTerms: 1 });
  await add(again, { study: "2", sop: "2" });
  await settled(again);
  const blocks = given.flatMap((rows) => (rows as BlindRows).blocks ?? []);
  assert.ok(blocks.length > 10);
  await store.change((rows) =>
    rows.put({
      blocks: blocks.map((block) => ({
        ...block,
        sealed: block.sealed.map((byte, at) => (at === 20 ? byte ^ 1 : byte)),
      })),
    }),
  );
  const damaged = (error: unknown) => isProblem(error, "damaged");
  await assert.rejects(again.findStudies(where(like("PatientName", "doe*"))), damaged);
  const third = createBlindIndex({ store, box, clock });
  await assert.rejects(third.findStudies(all), damaged);
  await assert.rejects(add(third, { sop: "3" }), damaged);
  await third.clear();
  assert.deepEqual(await add(third, {}), ["added"]);
  assert.equal((await third.findStudies(where(like("PatientName", "doe*")))).length, 1);
});

test("a column that nobody sorts by is let go after a while, and read again when it is asked for", async () => {
  const virtual = createVirtualClock();
  const { box, store } = opened();
  let reads = 0;
  const counting: BlindStore = {
    ...store,
    blocks: (names) => {
      reads++;
      return store.blocks(names);
    },
  };
  const index = createBlindIndex({ store: counting, box, clock: virtual });
  await add(index, {}, { study: "2", sop: "2", studyValues: { PatientName: "Abel^A" } });
  const byName: Query = { ...all, sort: { keyword: "PatientName", ascending: true } };
  const readsFor = async (query: Query) => {
    const before = reads;
    assert.equal((await index.findStudies(query)).length, 2);
    return reads - before;
  };
  await readsFor(byName);
  const warm = await readsFor(byName);
  virtual.advance(11 * 60_000);
  virtual.advance(11 * 60_000);
  assert.equal(await readsFor(all), warm);
  assert.equal(await readsFor(byName), warm + 1);
  assert.equal(await readsFor(byName), warm);
});

test("a list that is long enough to be kept in memory grows with what is merged into it", async () => {
  const { index } = opened({ mergedAtTerms: 3_000 });
  const studies = 5_200;
  for (let from = 0; from < studies; from += 400) {
    const records = Array.from({ length: 400 }, (_, i) => {
      const number = String(from + i);
      return recordOf({
        study: number,
        sop: number,
        studyValues: { PatientName: "", PatientID: number, StudyDate: "" },
      });
    });
    await index.add(records, []);
    const modality = equal("ModalitiesInStudy", "CT");
    assert.deepEqual(await index.countStudies([modality]), { count: from + 400, isExact: true });
    const [newest] = await index.findStudies({ ...where(modality), limit: 1 });
    assert.equal(newest?.id, from + 400);
  }
  await index.correct(recordOf({ study: "0" }).studyToken, correctionTo(1, { PatientName: "Late^One" }));
  await settled(index);
  assert.deepEqual(await index.countStudies([equal("ModalitiesInStudy", "CT")]), { count: studies, isExact: true });
  assert.equal((await index.findStudies(where(like("PatientName", "late*")))).length, 1);
});

test("a question between a correction in the store and the index's learning of it gives no row that does not fulfil it", async () => {
  const { box, store } = opened();
  const committed = Promise.withResolvers<void>();
  const learnt = Promise.withResolvers<void>();
  let isSlow = false;
  const slow: BlindStore = {
    ...store,
    async change(work) {
      const result = await store.change(work);
      if (!isSlow) return result;
      committed.resolve();
      await learnt.promise;
      return result;
    },
  };
  const index = createBlindIndex({ store: slow, box, clock });
  await add(index, {}, { study: "2", sop: "2" });
  assert.equal((await index.findStudies(where(like("PatientName", "doe*")))).length, 2);
  isSlow = true;
  const correcting = index.correct(recordOf().studyToken, correctionTo(1, { PatientName: "Roe^R" }));
  await committed.promise;
  assert.equal((await index.findStudies(where(like("PatientName", "doe*")))).length, 1);
  assert.deepEqual(await index.countStudies([like("PatientName", "doe*")]), { count: 1, isExact: true });
  learnt.resolve();
  await correcting;
  assert.equal((await index.findStudies(where(like("PatientName", "roe*")))).length, 1);
});
