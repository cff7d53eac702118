import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isProblem } from "#base/problem";
import { conditionOf } from "./matching.ts";
import { judge, passes } from "./matching-judge.ts";
import { combineDateTimes, readMatches } from "./matching-text.ts";
import type { Match } from "./study-index.ts";

const refused = (work: () => unknown) => assert.throws(work, (error) => isProblem(error, "invalid"));

test("a value, a wildcard, a list and a range are each read as what they are", () => {
  assert.deepEqual(readMatches("AccessionNumber", ["A1"]), [
    { keyword: "AccessionNumber", kind: "equal", values: ["A1"] },
  ]);
  assert.deepEqual(readMatches("PatientName", ["DO?*"]), [
    { keyword: "PatientName", kind: "wildcard", pattern: "DO?*" },
  ]);
  assert.deepEqual(readMatches("StudyInstanceUID", ["1.2", "1.3"]), [
    { keyword: "StudyInstanceUID", kind: "equal", values: ["1.2", "1.3"] },
  ]);
  assert.deepEqual(readMatches("StudyDate", ["20240101-"]), [
    { keyword: "StudyDate", kind: "range", from: "20240101" },
  ]);
  assert.deepEqual(readMatches("StudyTime", ["10:15"]), [
    { keyword: "StudyTime", kind: "range", from: "1015", to: "101559.999999" },
  ]);
});

test("nothing and asterisks alone match everything, whatever they stand in", () => {
  for (const keyword of ["PatientName", "StudyDate", "StudyInstanceUID", "ModalitiesInStudy", "SeriesNumber"]) {
    for (const given of [[], [""], ["*"], ["**"], ["", "*"]]) assert.deepEqual(readMatches(keyword, given), []);
  }
  assert.deepEqual(readMatches("StudyInstanceUID", ["1.2", "*"]), []);
});

test("of several values any one will do, and each must where that was agreed on", () => {
  const [any] = readMatches("PatientID", ["1", "2*"]);
  assert.equal(any?.kind, "any");
  assert.deepEqual(readMatches("ModalitiesInStudy", ["CT", "PT"]), [
    { keyword: "ModalitiesInStudy", kind: "equal", values: ["CT", "PT"] },
  ]);
  assert.equal(readMatches("ModalitiesInStudy", ["CT", "PT"], { multipleValues: true }).length, 2);
});

test("a wildcard of modalities stands for the defined terms that it matches, alone, in a list and where each must be there", () => {
  const meant = (given: string[], manner = {}) =>
    readMatches("ModalitiesInStudy", given, manner).map((match) => (match.kind === "equal" ? match.values : match));
  assert.deepEqual(meant(["RTP*", "X?"]), [["RTPLAN", "XA", "XC"]]);
  assert.deepEqual(meant(["CT", "X?"], { multipleValues: true }), [["CT"], ["XA", "XC"]]);
  assert.deepEqual(meant(["Q*"]), [["Q*"]]);
  assert.deepEqual(readMatches("Modality", ["M?"]).length, 1);
});

test("two quotation marks ask for what has no value where that was agreed on, and are a text where it was not", () => {
  assert.deepEqual(readMatches("AccessionNumber", ['""'], { emptyValues: true }), [
    { kind: "empty", keyword: "AccessionNumber" },
  ]);
  assert.deepEqual(readMatches("AccessionNumber", ['""']), [
    { keyword: "AccessionNumber", kind: "equal", values: ['""'] },
  ]);
});

test("dates that are no dates, and floods, are refused", () => {
  for (const value of ["yesterday", "2024010", "20240101-20240102-20240103", "-"]) {
    refused(() => readMatches("StudyDate", [value]));
  }
  refused(() => readMatches("PatientID", ["1".repeat(20_000)]));
  refused(() =>
    readMatches(
      "PatientID",
      Array.from({ length: 1_001 }, () => "1"),
    ),
  );
});

const isFound = (matches: readonly Match[], values: Record<string, string>): boolean =>
  judge({ all: matches.map((match) => conditionOf(match, "study")) }, ({ key, test }) =>
    passes(test, values[key] ?? ""),
  ) === true;

test("a date and a time as one moment: the first day from its time on, the last until its, all of those between", () => {
  const asked = [...readMatches("StudyDate", ["20231231-20240102"]), ...readMatches("StudyTime", ["10-12"])];
  const found = (StudyDate: string, StudyTime: string) => isFound(combineDateTimes(asked), { StudyDate, StudyTime });
  assert.deepEqual(
    [
      ["20231231", "0959"],
      ["20231231", "1000"],
      ["20240101", "0300"],
      ["20240102", "1259"],
      ["20240102", "1300"],
    ].map(([date = "", time = ""]) => found(date, time)),
    [false, true, true, true, false],
  );
});

test("for any range of moments those are found that lie within it", () => {
  const pad = (value: number) => String(value).padStart(2, "0");
  const day = fc.integer({ min: 1, max: 28 }).map((at) => `202402${pad(at)}`);
  const hour = fc.integer({ min: 0, max: 23 }).map((at) => `${pad(at)}0000`);
  fc.assert(
    fc.property(day, day, hour, hour, day, hour, (a, b, from, to, date, time) => {
      const [first, last] = a < b ? [a, b] : [b, a];
      const asked = [...readMatches("StudyDate", [`${first}-${last}`]), ...readMatches("StudyTime", [`${from}-${to}`])];
      const isWithin = date + time >= first + from && date + time <= last + to;
      assert.equal(isFound(combineDateTimes(asked), { StudyDate: date, StudyTime: time }), isWithin);
    }),
  );
});
