import assert from "node:assert/strict";
import fc from "fast-check";
import type { IndexedValues, Level, Match, Query, StudyIndex } from "#radiology/archive";
import { searchable } from "#radiology/archive";
import { createMemoryStudyIndex } from "#stores/memory";
import { type RecordOptions, recordOf } from "../../radiology/archive/study-index.fixture.ts";

/** Few letters, so that values meet; marks, case, width, carets, groups, and what means something in a pattern. */
const letters = [
  "a",
  "A",
  "ä",
  "b",
  "ß",
  "ﾔ",
  "山",
  "𠮷",
  "^",
  "=",
  " ",
  "%",
  "_",
  "[",
  "]",
  "\\",
  "'",
  "-",
  "1",
  "*",
  "?",
];
const text = fc.array(fc.constantFrom(...letters), { maxLength: 6 }).map((parts) => parts.join(""));
const date = fc.constantFrom("", "20230630", "20240101", "20240102", "2024", "99999999");
const time = fc.constantFrom("", "08", "0815", "081500.5", "235959");
const number = fc.constantFrom("", "1", "01", " 2 ", "-3", "x", "2147483647");
const modality = fc.constantFrom("", "CT", "MR", "SR", "CT\\SR");
const uid = fc.constantFrom("1.2", "1.2.3", "1.20");

const valueFor = (keyword: string): fc.Arbitrary<string> => {
  if (keyword.endsWith("Date")) return date;
  if (keyword.endsWith("Time")) return time;
  if (keyword.endsWith("Number") && keyword !== "AccessionNumber") return number;
  if (keyword.startsWith("Modalit")) return modality;
  return keyword.endsWith("UID") ? uid : text;
};

const valuesAt = (level: Level) => {
  const kept = searchable[level].filter((keyword) => !keyword.endsWith("UID") && keyword !== "ModalitiesInStudy");
  const values: fc.Arbitrary<IndexedValues> = fc.dictionary(fc.constantFrom(...kept), text);
  return values.chain((some) => fc.record(Object.fromEntries(Object.keys(some).map((key) => [key, valueFor(key)]))));
};

const record: fc.Arbitrary<RecordOptions> = fc.record({
  study: fc.constantFrom("1", "2", "3", "4", "5"),
  series: fc.constantFrom("1", "2"),
  sop: fc.integer({ min: 1, max: 40 }).map(String),
  bytes: fc.constantFrom("a", "a", "a", "b", "c"),
  receivedAt: fc.integer({ min: 1, max: 5 }),
  studyValues: valuesAt("study"),
  seriesValues: valuesAt("series"),
  instanceValues: valuesAt("instance"),
});

const keywordsOf: Record<Level, readonly string[]> = {
  study: searchable.study,
  series: [...searchable.study, ...searchable.series],
  instance: [...searchable.study, ...searchable.series, ...searchable.instance],
};

const matchOf = (level: Level): fc.Arbitrary<Match> =>
  fc.constantFrom(...keywordsOf[level]).chain((keyword) =>
    fc.oneof(
      fc.record({
        keyword: fc.constant(keyword),
        kind: fc.constant("equal" as const),
        values: fc.array(valueFor(keyword), { minLength: 1, maxLength: 3 }),
      }),
      fc.record({ keyword: fc.constant(keyword), kind: fc.constant("wildcard" as const), pattern: text }),
      fc.record({
        keyword: fc.constant(keyword),
        kind: fc.constant("range" as const),
        from: valueFor(keyword),
        to: valueFor(keyword),
      }),
    ),
  );

const queryOf = (level: Level): fc.Arbitrary<Query> => {
  const match = matchOf(level);
  const any = fc.record({ kind: fc.constant("any" as const), of: fc.array(match, { maxLength: 3 }) });
  const sort = fc.record({
    keyword: fc.constantFrom("ArrivedAt", ...keywordsOf[level]),
    ascending: fc.boolean(),
  });
  const paged = {
    matches: fc.array(fc.oneof(match, match, any), { maxLength: 2 }),
    limit: fc.integer({ min: 0, max: 8 }),
    offset: fc.integer({ min: 0, max: 4 }),
  };
  return fc.oneof(fc.record(paged), fc.record({ ...paged, sort }));
};

/** As data, so that a counterexample can be read. */
interface Question {
  readonly ask: "findStudies" | "countStudies" | "findSeries" | "findInstances";
  readonly query: Query;
}

const asking = (ask: Question["ask"], level: Level): fc.Arbitrary<Question> =>
  fc.record({ ask: fc.constant(ask), query: queryOf(level) });

const question: fc.Arbitrary<Question> = fc.oneof(
  asking("findStudies", "study"),
  asking("countStudies", "study"),
  asking("findSeries", "series"),
  asking("findInstances", "instance"),
);

type Answer = (index: StudyIndex) => Promise<unknown>;

const answer = ({ ask, query }: Question): Answer =>
  ask === "countStudies" ? (index) => index.countStudies(query.matches) : (index) => index[ask](query);

const always: readonly Answer[] = [
  (index) => index.conflicts(),
  (index) => index.instances(recordOf().studyUid),
  (index) => index.seriesWithoutBlob(3, 5),
];

/** Fills `index` and one in memory with the same random batches, and asks both the same random questions. */
export async function sameAnswers(index: StudyIndex, { runs, seed }: { runs: number; seed: number }): Promise<void> {
  const batches = fc.array(fc.array(record, { minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 4 });
  const questions = fc.array(question, { minLength: 1, maxLength: 60, size: "max" });
  await fc.assert(
    fc.asyncProperty(batches, questions, async (given, asked) => {
      const memory = createMemoryStudyIndex();
      await index.clear();
      for (const batch of given) {
        const records = batch.map(recordOf);
        assert.deepEqual(await index.add(records, []), await memory.add(records, []));
      }
      for (const one of [...always, ...asked.map(answer)]) {
        assert.deepEqual(await outcome(one, index), await outcome(one, memory));
      }
    }),
    { numRuns: runs, seed, interruptAfterTimeLimit: 20_000, markInterruptAsFailure: true },
  );
}

/** A refusal is an answer too. */
const outcome = (one: Answer, index: StudyIndex): Promise<unknown> =>
  one(index).catch((error: { code?: string }) => ({ refused: error.code }));
