import fc from "fast-check";
import type { RecordOptions } from "./study-index.fixture.ts";
import { type IndexedValues, type Level, type Match, type Query, searchable } from "./study-index.ts";

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

export const valuesAt = (level: Level) => {
  const kept = searchable[level].filter((keyword) => !keyword.endsWith("UID") && keyword !== "ModalitiesInStudy");
  const values: fc.Arbitrary<IndexedValues> = fc.dictionary(fc.constantFrom(...kept), text);
  return values.chain((some) => fc.record(Object.fromEntries(Object.keys(some).map((key) => [key, valueFor(key)]))));
};

export const someRecord: fc.Arbitrary<RecordOptions> = fc.record({
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
export interface Question {
  readonly ask: "findStudies" | "countStudies" | "findSeries" | "findInstances";
  readonly query: Query;
}

const asking = (ask: Question["ask"], level: Level): fc.Arbitrary<Question> =>
  fc.record({ ask: fc.constant(ask), query: queryOf(level) });

export const someQuestion: fc.Arbitrary<Question> = fc.oneof(
  asking("findStudies", "study"),
  asking("countStudies", "study"),
  asking("findSeries", "series"),
  asking("findInstances", "instance"),
);
