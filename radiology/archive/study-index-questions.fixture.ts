import fc from "fast-check";
import { everywhere, type Place, type Reach } from "#trust/access";
import { createTestIndexBox } from "./index-box.fixture.ts";
import { type RecordOptions, recordOf } from "./study-index.fixture.ts";
import { type IndexedValues, type Level, type Match, type Query, searchable } from "./study-index.ts";
import { orderOf } from "./study-index-model.fixture.ts";

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
const oddText = fc.array(fc.constantFrom(...letters), { maxLength: 6 }).map((parts) => parts.join(""));
/** Beginnings of each other, the same but for case and marks, longer than any term or sort key. */
const usualText = fc.constantFrom(
  "",
  ...["ab", "abc", "Äbc", "abcd", "abcdefgh", "abcdefghi", "abcdefghij^a", "abcdefghij^b", "bcab", "b^a", "a=山b=c"],
  ...["1", "11", "1100", "11001100", "110011001", "1100110011", "11001100112", "A-1", "Ａ-1", "山山", "山"],
);
const text = fc.oneof({ weight: 4, arbitrary: usualText }, { weight: 1, arbitrary: oddText });
/** What some text has, and sometimes more or less. */
const pattern = fc.oneof(
  { weight: 1, arbitrary: oddText },
  {
    weight: 4,
    arbitrary: fc
      .tuple(
        usualText,
        fc.nat(9),
        fc.integer({ min: 1, max: 5 }),
        fc.constantFrom("*#", "#*", "*#*", "#", "?#*", "#*#", "*#?"),
      )
      .map(([whole, from, length, form]) => form.replaceAll("#", [...whole].slice(from, from + length).join(""))),
  },
);
const date = fc.constantFrom(
  "",
  "20230630",
  "20240101",
  "20240102",
  "20240131",
  "20240201",
  "2024",
  "2024:",
  "99999999",
);
const time = fc.constantFrom("", "08", "0815", "081500", "081500.5", "235959");
const number = fc.constantFrom("", "1", "01", " 2 ", "-3", "x", "2147483647");
const modality = fc.constantFrom("", "CT", "MR", "SR", "CT\\SR");
const someStudy = fc.integer({ min: 1, max: 12 }).map(String);
const uid = fc.oneof(
  fc.constantFrom("1.2", "1.2.3"),
  fc
    .tuple(someStudy, fc.constantFrom("studyUid", "seriesUid", "sopUid"))
    .map(([number, which]) => recordOf({ study: number, sop: number })[which as "studyUid"]),
);

const valueFor = (keyword: string): fc.Arbitrary<string> => {
  if (keyword.endsWith("Date")) return date;
  if (keyword.endsWith("Time")) return time;
  if (keyword.endsWith("Number") && keyword !== "AccessionNumber") return number;
  if (keyword.startsWith("Modalit")) return modality;
  return keyword.endsWith("UID") ? uid : text;
};

/** What is searched most has a value most often. */
const often = [
  "PatientName",
  "PatientID",
  "AccessionNumber",
  "StudyDate",
  "StudyDescription",
  "SeriesDate",
  "ContentDate",
];

export const valuesAt = (level: Level): fc.Arbitrary<IndexedValues> => {
  const kept = searchable[level].filter((keyword) => !keyword.endsWith("UID") && keyword !== "ModalitiesInStudy");
  const values = kept.map((keyword) =>
    fc.option(valueFor(keyword), { nil: undefined, freq: often.includes(keyword) ? 5 : 1 }),
  );
  return fc
    .tuple(...values)
    .map((given) => Object.fromEntries(kept.flatMap((key, at) => (given[at] === undefined ? [] : [[key, given[at]]]))));
};

const facilities = ["f1".repeat(16), "f2".repeat(16)];
/** To which studies may be moved. */
export const patients = ["a1".repeat(16), "a2".repeat(16)];

export const someRecord: fc.Arbitrary<RecordOptions> = fc.record({
  study: someStudy,
  series: fc.constantFrom("1", "2"),
  sop: fc.integer({ min: 1, max: 60 }).map(String),
  bytes: fc.constantFrom("a", "a", "a", "b", "c"),
  receivedAt: fc.integer({ min: 1, max: 5 }),
  facility: fc.constantFrom("", ...facilities),
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
  fc.constantFrom(...keywordsOf[level], ...often.filter((key) => keywordsOf[level].includes(key))).chain((keyword) =>
    fc.oneof(
      fc.record({
        keyword: fc.constant(keyword),
        kind: fc.constant("equal" as const),
        values: fc.array(valueFor(keyword), { minLength: 1, maxLength: 3 }),
      }),
      fc.record({ keyword: fc.constant(keyword), kind: fc.constant("wildcard" as const), pattern }),
      fc.record({
        keyword: fc.constant(keyword),
        kind: fc.constant("range" as const),
        from: valueFor(keyword),
        to: valueFor(keyword),
      }),
      { weight: 1, arbitrary: fc.record({ keyword: fc.constant(keyword), kind: fc.constant("empty" as const) }) },
    ),
  );

const queryOf = (level: Level): fc.Arbitrary<Query> => {
  const match = matchOf(level);
  const some = { of: fc.array(match, { maxLength: 3 }) };
  const any = fc.record({ kind: fc.constant("any" as const), ...some });
  const all = fc.record({ kind: fc.constant("all" as const), ...some });
  const sort = fc.record({
    keyword: fc.constantFrom("ArrivedAt", ...keywordsOf[level]),
    ascending: fc.boolean(),
  });
  const paged = {
    matches: fc.array(fc.oneof(match, match, match, any, all), { maxLength: 2 }),
    limit: fc.integer({ min: 0, max: 12 }),
    offset: fc.constantFrom(0, 0, 0, 1, 4),
  };
  return fc.oneof(fc.record(paged), fc.record({ ...paged, sort }));
};

/** As data, so that a counterexample can be read. */
export interface Question {
  readonly ask: "findStudies" | "countStudies" | "findSeries" | "findInstances";
  readonly query: Query;
  /** Of who asks. */
  readonly reach: Reach;
}

const { patientIn } = createTestIndexBox();
const studyToken = someStudy.map((study) => recordOf({ study }).studyToken);
const somePlace: fc.Arbitrary<Place> = fc.oneof(
  fc.record({ kind: fc.constant("facility" as const), id: fc.constantFrom("", ...facilities) }),
  fc.record({
    kind: fc.constant("patient" as const),
    id: fc.oneof(fc.constantFrom(...patients), studyToken.map(patientIn)),
  }),
  fc.record({ kind: fc.constant("study" as const), id: fc.oneof(studyToken, fc.constant("none")) }),
  fc.record({
    kind: fc.constant("order" as const),
    id: text.map((AccessionNumber) => orderOf({ AccessionNumber })),
  }),
  { weight: 1, arbitrary: fc.constant({ kind: "tenant" } as const) },
);
const someReach: fc.Arbitrary<Reach> = fc.oneof(
  { weight: 2, arbitrary: fc.constant(everywhere) },
  { weight: 3, arbitrary: fc.array(fc.array(somePlace, { maxLength: 5 }), { minLength: 1, maxLength: 2 }) },
);

const asking = (ask: Question["ask"], level: Level): fc.Arbitrary<Question> =>
  fc.record({ ask: fc.constant(ask), query: queryOf(level), reach: someReach });

export const someQuestion: fc.Arbitrary<Question> = fc.oneof(
  asking("findStudies", "study"),
  asking("countStudies", "study"),
  asking("findSeries", "series"),
  asking("findInstances", "instance"),
);
