import assert from "node:assert/strict";
import { test } from "node:test";
import { isProblem } from "#base/problem";
import { tagOf } from "#formats/dicom";
import { parseSearch } from "./search-query.ts";

const limits = { limitDefault: 100, limitMax: 1_000, offsetMax: 1_000_000 };
const parse = (text: string, level: "study" | "series" | "instance" = "study") =>
  parseSearch(new URLSearchParams(text), level, {}, limits);
const refused = (text: string) =>
  assert.throws(
    () => parse(text),
    (error) => isProblem(error, "invalid"),
  );

test("the study list that OHIF asks for", () => {
  const { query, limit, include, ignored } = parse(
    "limit=101&offset=0&fuzzymatching=false&includefield=00081030%2C00080060&includefield=PatientBirthDate" +
      "&PatientName=*do*&00100020=*12*&ModalitiesInStudy=CT&StudyDate=19700102-20240131&StudyInstanceUID=1.2%5C1.3",
  );
  assert.deepEqual(query.matches, [
    { keyword: "PatientName", kind: "wildcard", pattern: "*do*" },
    { keyword: "PatientID", kind: "wildcard", pattern: "*12*" },
    { keyword: "ModalitiesInStudy", kind: "equal", values: ["CT"] },
    { keyword: "StudyDate", kind: "range", from: "19700102", to: "20240131" },
    { keyword: "StudyInstanceUID", kind: "equal", values: ["1.2", "1.3"] },
  ]);
  assert.equal(limit, 101);
  assert.equal(query.limit, 102);
  for (const keyword of ["StudyDescription", "Modality", "PatientBirthDate", "PatientName"]) {
    assert.ok(include.has(tagOf(keyword)), keyword);
  }
  assert.deepEqual(ignored, []);
});

test("UID lists may be separated by commas, backslashes or by repeating the key", () => {
  const { query } = parse("0020000D=1.2,1.3%5C1.4&0020000D=1.5");
  assert.deepEqual(query.matches, [
    { keyword: "StudyInstanceUID", kind: "equal", values: ["1.2", "1.3", "1.4", "1.5"] },
  ]);
});

test("an empty value matches everything and asks for the attribute", () => {
  const { query, include } = parse("StudyDescription=&PatientName=*");
  assert.deepEqual(query.matches, []);
  assert.ok(include.has(tagOf("StudyDescription")));
});

test("unknown keys are ignored, keys of a lower level are ignored and told", () => {
  const { query, ignored } = parse("whatever=1&99990000=2&SeriesNumber=3");
  assert.deepEqual(query.matches, []);
  assert.deepEqual(ignored, ["SeriesNumber"]);
  assert.equal(parse("SeriesNumber=3", "series").query.matches.length, 1);
});

test("dates and times: one, from, until", () => {
  const only = (text: string) => parse(text).query.matches[0];
  assert.deepEqual(only("StudyDate=20240131"), { keyword: "StudyDate", kind: "equal", values: ["20240131"] });
  assert.deepEqual(only("StudyDate=20240131-"), { keyword: "StudyDate", kind: "range", from: "20240131" });
  assert.deepEqual(only("StudyDate=-20240131"), { keyword: "StudyDate", kind: "range", to: "20240131" });
  assert.deepEqual(only("StudyTime=10-12"), { keyword: "StudyTime", kind: "range", from: "10", to: "125959.999999" });
  assert.deepEqual(only("StudyTime=1015"), { keyword: "StudyTime", kind: "range", from: "1015", to: "101559.999999" });
});

test("limits that are no numbers, dates that are no dates and floods are refused", () => {
  for (const text of ["limit=-1", "limit=0", "limit=ten", "offset=1e9", "offset=1000000000", "StudyDate=yesterday"]) {
    refused(text);
  }
  refused(`StudyInstanceUID=${Array.from({ length: 1_001 }, (_, at) => `1.${at}`).join(",")}`);
  refused(`includefield=${"00100010,".repeat(600)}`);
  refused(Array.from({ length: 65 }, (_, at) => `k${at}=1`).join("&"));
  assert.equal(parse("limit=99999999").limit, 1_000);
});
