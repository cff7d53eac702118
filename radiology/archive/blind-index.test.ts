import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createVirtualClock } from "#base/clock";
import { isProblem } from "#base/problem";
import { createMemoryBlindStore } from "#stores/memory";
import { type BlindIndexParts, createBlindIndex } from "./blind-index.ts";
import type { BlindRows, BlindStore } from "./blind-store.ts";
import { createTestIndexBox, type TestIndexBox } from "./index-box.fixture.ts";
import { correctionTo, type RecordOptions, recordOf } from "./study-index.fixture.ts";
import type { IndexedInstance, IndexedSeries, IndexedStudy, IndexedValues, StudyIndex } from "./study-index.ts";
import { add, all, equal, like, where } from "./study-index-matching.fixture.ts";
import { createStudyModel, type StudyModel } from "./study-index-model.fixture.ts";
import { type Question, someQuestion, someRecord, valuesAt } from "./study-index-questions.fixture.ts";

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

async function answer(index: StudyIndex, box: TestIndexBox, { ask, query }: Question): Promise<unknown> {
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

function expected(model: StudyModel, { ask, query }: Question): unknown {
  return ask === "countStudies" ? { count: model.countStudies(query.matches), isExact: true } : model[ask](query);
}

/** A refusal is an answer too. */
const codeOf = (error: unknown) => ({ refused: (error as { code?: string }).code });
const outcome = (work: () => unknown): Promise<unknown> => Promise.resolve().then(work).catch(codeOf);

type Step =
  | { readonly do: "add"; readonly records: readonly RecordOptions[] }
  | { readonly do: "correct"; readonly study: string; readonly values: IndexedValues }
  | { readonly do: "remove"; readonly study: string }
  | { readonly do: "removeConflict"; readonly record: RecordOptions }
  /** A new process over the same store. */
  | { readonly do: "reopen" }
  | { readonly do: "fail" };

const someStudy = fc.constantFrom("1", "2", "3", "4", "5");
const adding: fc.Arbitrary<Step> = fc.record({
  do: fc.constant("add" as const),
  records: fc.array(someRecord, { minLength: 1, maxLength: 10 }),
});
const correcting: fc.Arbitrary<Step> = fc.record({
  do: fc.constant("correct" as const),
  study: someStudy,
  values: valuesAt("study"),
});
const someStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: adding },
  { weight: 1, arbitrary: correcting },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("remove" as const), study: someStudy }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("removeConflict" as const), record: someRecord }) },
  { weight: 1, arbitrary: fc.constant({ do: "reopen" as const }) },
  { weight: 1, arbitrary: fc.constant({ do: "fail" as const }) },
);

async function taken(
  step: Exclude<Step, { readonly do: "reopen" | "fail" }>,
  index: StudyIndex,
  model: StudyModel,
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
    case "remove":
      assert.equal((await index.removeStudy(token)).length, model.removeStudy(token).length);
      return;
    case "removeConflict": {
      const { id } = recordOf(step.record);
      assert.equal((await index.removeConflict(id)) !== undefined, model.removeConflict(id));
    }
  }
}

test("random batches, corrections, removals, restarts and failures: random questions are answered as in the clear", async () => {
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
      const model = createStudyModel();
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
        } else await taken(step, index, model);
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
