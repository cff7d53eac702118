import assert from "node:assert/strict";
import { test } from "node:test";
import { runsOf } from "./entry-runs.ts";
import { isFiltered, studyListRequest, studyView } from "./study-view.ts";

test("an address that anyone may have typed gives a view of what is understood", () => {
  assert.deepEqual(studyView({ modality: "CT", from: "2026-01-31", sort: "PatientName", ascending: true }), {
    modality: "CT",
    from: "2026-01-31",
    sort: "PatientName",
    ascending: true,
  });
  assert.deepEqual(
    studyView({ modality: "<script>", from: "yesterday", sort: "Password", ascending: "yes", search: "Doe" }),
    {},
  );
});

test("the request carries the filters in the words of the standard", () => {
  assert.deepEqual(studyListRequest({ modality: "MR", from: "2026-01-31" }, "doe", 100, 50), {
    search: "doe",
    modality: "MR",
    dateFrom: "20260131",
    sort: "ArrivedAt",
    ascending: false,
    limit: 50,
    offset: 100,
  });
  assert.equal(isFiltered({ sort: "StudyDate" }, ""), false);
  assert.equal(isFiltered({}, "doe"), true);
});

test("log entries that say the same are one line while their numbers follow on each other", () => {
  const entry = (index: number, act: string, outcome = "done") => ({
    index,
    at: index,
    actor: "user",
    act,
    on: { kind: "study", id: "a" },
    outcome,
  });
  const runs = runsOf([
    entry(9, "study.read"),
    entry(8, "study.read"),
    entry(7, "study.read", "denied"),
    entry(5, "study.read", "denied"),
    entry(4, "study.find"),
  ]);
  assert.deepEqual(
    runs.map(({ newest, oldest }) => [newest.index, oldest.index]),
    [
      [9, 8],
      [7, 7],
      [5, 5],
      [4, 4],
    ],
  );
});
