import assert from "node:assert/strict";
import { test } from "node:test";
import { isProblem } from "#base/problem";
import type { SealedIdentity } from "#trust/vault";
import type { TestIndexBox } from "./index-box.fixture.ts";
import { type RecordOptions, recordOf } from "./study-index.fixture.ts";
import type { IndexedValues, Match, Query, StudyIndex } from "./study-index.ts";

export const all: Query = { matches: [], limit: 1000, offset: 0 };
export const where = (...matches: Match[]): Query => ({ ...all, matches });
export const equal = (keyword: string, ...values: string[]): Match => ({ keyword, kind: "equal", values });
export const like = (keyword: string, pattern: string): Match => ({ keyword, kind: "wildcard", pattern });

export interface Row {
  readonly identity: SealedIdentity;
}

/** With a look into its rows. */
export interface Index extends StudyIndex {
  readonly box: TestIndexBox;
  values(row: Row): IndexedValues;
  uid(row: Row): string;
}

export type Cleared = () => Promise<Index>;

export const add = (index: StudyIndex, ...options: RecordOptions[]) => index.add(options.map(recordOf), []);

export const lastNumber = (uid: string) => Number(uid.split(".").at(-1));

/** Adds one study for each set of values, and gives back which are found, by their place in the list. */
async function found(index: Index, studies: readonly IndexedValues[], ...matches: Match[]): Promise<number[]> {
  await index.clear();
  await index.add(
    studies.map((studyValues, i) => recordOf({ study: String(i), sop: String(i), studyValues })),
    [],
  );
  const rows = await index.findStudies({ ...where(...matches), sort: { keyword: "ArrivedAt", ascending: true } });
  assert.deepEqual(await index.countStudies(matches), { count: rows.length, isExact: true });
  return rows.map((row) => lastNumber(index.uid(row)));
}

/** The part of the contract that says what a match means. */
export function matchingTests(cleared: Cleared): void {
  const names = [
    "MÜLLER^Jörg",
    "Muller^Anna",
    "Møller^Ib",
    "Yamada^Tarou=山田^太郎=やまだ^たろう",
    "",
    "O'Neil^Pat^^",
  ].map((PatientName) => ({ PatientName }));

  test("names are compared without case, accents and trailing carets, in every component group", async () => {
    const index = await cleared();
    assert.deepEqual(await found(index, names, equal("PatientName", "muller^jorg")), [0]);
    assert.deepEqual(await found(index, names, like("PatientName", "Mül*")), [0, 1]);
    assert.deepEqual(await found(index, names, like("PatientName", "m?ller^*")), [0, 1, 2]);
    assert.deepEqual(await found(index, names, like("PatientName", "山田*")), [3]);
    assert.deepEqual(await found(index, names, like("PatientName", "*たろう*")), [3]);
    assert.deepEqual(await found(index, names, like("PatientName", "yamada*=山田*")), [3]);
    assert.deepEqual(await found(index, names, like("PatientName", "yamada*=田中*")), []);
    assert.deepEqual(await found(index, names, equal("PatientName", "o'neil^pat")), [5]);
    assert.deepEqual(await found(index, names, equal("PatientName", "O'NEIL^PAT^^^")), [5]);
    assert.deepEqual(await found(index, names, equal("PatientName", "YAMADA^TAROU", "Muller^Anna")), [1, 3]);
  });

  test("a lone star matches what is empty too, a question mark one character", async () => {
    const index = await cleared();
    assert.equal((await found(index, names, like("PatientName", "*"))).length, names.length);
    assert.deepEqual(await found(index, names, like("PatientName", "?*")), [0, 1, 2, 3, 5]);
    const ids = ["A", "AB", "𠮷", "ABC"].map((PatientID) => ({ PatientID }));
    assert.deepEqual(await found(index, ids, like("PatientID", "?")), [0, 2]);
    assert.deepEqual(await found(index, ids, like("PatientID", "A?*")), [1, 3]);
  });

  test("characters with a meaning in SQL patterns stand for themselves", async () => {
    const index = await cleared();
    const odd = ["50%", "50x", "a_b", "axb", "a\\b", "[ab]", "a", "'; drop table studies --", "]", "^a"];
    const ids = odd.map((AccessionNumber) => ({ AccessionNumber }));
    const matches = (pattern: string) => found(index, ids, like("AccessionNumber", pattern));
    assert.deepEqual(await matches("5?%"), [0]);
    assert.deepEqual(await matches("?_*"), [2]);
    assert.deepEqual(await matches("?\\*"), [4]);
    assert.deepEqual(await matches("[?b]"), [5]);
    assert.deepEqual(await matches("*]"), [5, 8]);
    assert.deepEqual(await matches("*'; drop*"), [7]);
    assert.deepEqual(await matches("[^b]*"), []);
  });

  test("identifiers keep case; descriptions lose it for wildcards only", async () => {
    const index = await cleared();
    const rows = [
      { PatientID: "ab", StudyDescription: "CT Schädel" },
      { PatientID: "AB", StudyDescription: "ct schadel" },
    ];
    assert.deepEqual(await found(index, rows, equal("PatientID", "AB")), [1]);
    assert.deepEqual(await found(index, rows, like("PatientID", "A*")), [1]);
    assert.deepEqual(await found(index, rows, like("StudyDescription", "*SCHADEL*")), [0, 1]);
    assert.deepEqual(await found(index, rows, equal("StudyDescription", "CT Schädel")), [0]);
  });

  test("ranges include both ends and never what is empty", async () => {
    const index = await cleared();
    const days = ["20240101", "20240102", "20240103", ""].map((StudyDate) => ({ StudyDate }));
    const range = (ends: { from?: string; to?: string }) =>
      found(index, days, { keyword: "StudyDate", kind: "range", ...ends });
    assert.deepEqual(await range({ from: "20240102", to: "20240103" }), [1, 2]);
    assert.deepEqual(await range({ from: "20240102" }), [1, 2]);
    assert.deepEqual(await range({ to: "20240102" }), [0, 1]);
  });

  test("ranges of dates of series and instances are those of texts, for dates that are none too", async () => {
    const index = await cleared();
    const dates = ["20231231", "20240101", "20240229", "20240301", "2024:", "2024", "20241399", "20250101", ""];
    const options = dates.map((date, i) => ({
      ...{ study: String(i), sop: String(i) },
      ...{ seriesValues: { SeriesDate: date }, instanceValues: { ContentDate: date } },
    }));
    await add(index, ...options);
    const inRange = dates
      .map((_, i) => i)
      .filter((i) => (dates[i] ?? "") >= "20240101" && (dates[i] ?? "") <= "20250101");
    const range = { kind: "range", from: "20240101", to: "20250101" } as const;
    const sort = { keyword: "ArrivedAt", ascending: true };
    const series = await index.findSeries({ ...where({ ...range, keyword: "SeriesDate" }), sort });
    assert.deepEqual(
      series.map(({ study }) => study.id - 1),
      inRange,
    );
    const instances = await index.findInstances({ ...where({ ...range, keyword: "ContentDate" }), sort });
    assert.deepEqual(
      instances.map((row) => row.series.study.id - 1),
      inRange,
    );
  });

  test("any of several matches is enough, and all that stand side by side are needed", async () => {
    const index = await cleared();
    const rows = [
      { PatientName: "Doe^A", PatientID: "1" },
      { PatientName: "Roe^B", PatientID: "2" },
      { PatientName: "Doe^C", PatientID: "3" },
    ];
    const any: Match = { kind: "any", of: [equal("PatientID", "2"), like("PatientName", "*c")] };
    assert.deepEqual(await found(index, rows, any), [1, 2]);
    assert.deepEqual(await found(index, rows, any, like("PatientName", "doe*")), [2]);
    assert.deepEqual(await found(index, rows, { kind: "any", of: [] }), []);
  });

  test("modalities in study are those of its series, and one of several is enough", async () => {
    const index = await cleared();
    const options = [
      { study: "1", series: "1", sop: "1", seriesValues: { Modality: "CT" } },
      { study: "1", series: "2", sop: "2", seriesValues: { Modality: "SR" } },
      { study: "2", series: "1", sop: "3", seriesValues: { Modality: "MR" } },
      { study: "3", series: "1", sop: "4", seriesValues: { Modality: "C" } },
      // Of a series that is of another modality by its first instance.
      { study: "3", series: "1", sop: "5", seriesValues: { Modality: "PT\\NM" } },
    ];
    await add(index, ...options);
    const count = async (...values: string[]) =>
      (await index.countStudies([equal("ModalitiesInStudy", ...values)])).count;
    assert.equal(await count("CT"), 1);
    assert.equal(await count("SR", "MR"), 2);
    assert.equal(await count("C"), 1);
    assert.equal(await count("NM"), 1);
    assert.equal(await count("T\\S"), 0);
    assert.equal(await count("CT\\SR"), 0);
    assert.deepEqual((await index.study(recordOf().studyUid))?.modalities, ["CT", "SR"]);
  });

  test("a value with every odd character is stored, found again and given back", async () => {
    const index = await cleared();
    const PatientID = "a\0b\ud800c\u{10ffff}\t\"'\\ü𠮷";
    assert.deepEqual(await found(index, [{ PatientID }, {}], equal("PatientID", PatientID)), [0]);
    const first = (await index.findStudies(all)).find((row) => row.id === 1);
    assert.equal(first && index.values(first).PatientID, PatientID);
    assert.equal(await index.study("1\0.2"), undefined);
  });

  test("what cannot be searched so is refused, and a pattern longer than any key finds nothing", async () => {
    const index = await cleared();
    const refused = (error: unknown) => isProblem(error, "invalid");
    await assert.rejects(index.findStudies(where(equal("Modality", "CT"))), refused);
    await assert.rejects(index.findStudies(where(equal("PixelData", "x"))), refused);
    await assert.rejects(index.findSeries({ ...all, sort: { keyword: "SOPInstanceUID", ascending: true } }), refused);
    await add(index, { studyValues: { PatientName: "a".repeat(5000) } });
    assert.deepEqual(await index.findStudies(where(like("PatientName", `*${"a*".repeat(60_000)}`))), []);
    assert.equal((await index.findStudies(where(like("PatientName", `${"a*".repeat(120)}b`)))).length, 0);
    assert.equal((await index.findStudies(where(like("PatientName", "*a*a*a*a*")))).length, 1);
  });
}
