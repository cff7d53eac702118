import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { DicomJson, PersonNameJson } from "#formats/dicom";
import { findscu, openWorklist, queryFile, sampleItems, samples, startWlmscpfs } from "./worklist-door.fixture.ts";

const needs =
  spawnSync("wlmscpfs", ["--version"]).status !== 0
    ? "needs dcmtk: apt install dcmtk"
    : existsSync(samples)
      ? false
      : "needs the sample data: set LEADGLASS_DATA";

const steps = "00400100";
const itemOf = (found: DicomJson): DicomJson => (found[steps]?.Value?.[0] ?? {}) as DicomJson;

/**
 * Where DCMTK's server answers otherwise (docs/conformance-worklist.md): in a whole Scheduled Procedure Step Sequence it adds attributes
 * that no item has, empty, and knows no status.
 */
function alike(found: DicomJson): DicomJson {
  const step = itemOf(found);
  const { "00400020": _status, "00400004": _endDate, "00400005": _endTime, ...rest } = step;
  return found[steps] === undefined ? found : { ...found, [steps]: { vr: "SQ", Value: [rest] } };
}

test("the 13 sample queries are answered as wlmscpfs answers them, and with what Orthanc finds", {
  skip: needs,
}, async (t) => {
  const ours = await openWorklist(t, sampleItems());
  const theirs = await startWlmscpfs(t, sampleItems());
  for (let at = 0; at <= 12; at++) {
    const query = await queryFile(t, `wlistqry${at}`);
    const found = await findscu(t, ours.port, query);
    assert.deepEqual(found.map(alike), (await findscu(t, theirs, query)).map(alike), `query ${at}`);
    const expected = JSON.parse(readFileSync(join(samples, "expected", `all-${at}.json`), "utf8")) as string[][];
    const names = expected.map(
      (lines) => lines.find((line) => line.startsWith("(0010,0010)"))?.match(/\[(.*?) *\]/)?.[1],
    );
    const told = found.map((one) => (one["00100010"]?.Value?.[0] as PersonNameJson | undefined)?.Alphabetic);
    assert.deepEqual(told.sort(), names.sort(), `query ${at}`);
  }
});

const inStep = (keyword: string, value: string) => `(0040,0100)[0].${keyword}=${value}`;

const further: Readonly<Record<string, readonly string[]>> = {
  "a machine": [inStep("ScheduledStationAETitle", "AA33")],
  "a modality": [inStep("Modality", "MR")],
  "a day": [inStep("ScheduledProcedureStepStartDate", "19960406")],
  "a range of days": [inStep("ScheduledProcedureStepStartDate", "19950101-19960430")],
  "days with an open end": [inStep("ScheduledProcedureStepStartDate", "19960701-")],
  "a time": [inStep("ScheduledProcedureStepStartTime", "-120000")],
  moments: [
    inStep("ScheduledProcedureStepStartDate", "19951015-19960406"),
    inStep("ScheduledProcedureStepStartTime", "090000-160700"),
  ],
  "a console's own": [
    inStep("Modality", "MR"),
    inStep("ScheduledStationAETitle", "TT67"),
    inStep("ScheduledProcedureStepStartDate", "19960805"),
  ],
  "the beginning of a name": ["PatientName=VIV*"],
  "any one character": ["PatientName=HAYDN^FRAN?^JOSEPH"],
  "a number": ["PatientID=AV35674"],
  "a physician": [inStep("ScheduledPerformingPhysicianName", "JOHN*")],
};

test("single values, wildcards and ranges are matched as wlmscpfs matches them", { skip: needs }, async (t) => {
  const ours = await openWorklist(t, sampleItems());
  const theirs = await startWlmscpfs(t, sampleItems());
  let compared = 0;
  for (const [what, asked] of Object.entries(further)) {
    const keys = ["AccessionNumber", ...asked].flatMap((key) => ["-k", key]);
    const found = await findscu(t, ours.port, keys);
    assert.deepEqual(found, await findscu(t, theirs, keys), what);
    compared += found.length;
  }
  assert.ok(compared > 20, `only ${compared} answers were compared`);
});

/** Where wlmscpfs finds another number of steps, and docs/conformance-worklist.md says why: what is asked, what we find, what it finds. */
const otherwise: readonly (readonly [string, number, number])[] = [
  ["PatientName=viv*", 3, 0],
  ["PatientName=VIVALDI^ANTONIO^", 3, 0],
  [inStep("ScheduledPerformingPhysicianName", "johnson"), 3, 0],
  [inStep("ScheduledStationAETitle", "AA3?"), 2, 0],
  [inStep("ScheduledProcedureStepStartTime", "0856"), 1, 0],
  [inStep("ScheduledProcedureStepStartTime", "08-09"), 2, 1],
  [inStep("Modality", "MR\\CT"), 6, 0],
  ["StudyInstanceUID=1.2.276.0.7230010.3.2.101\\1.2.276.0.7230010.3.2.102", 2, 10],
  [inStep("ScheduledProcedureStepID", "SPD3445"), 1, 10],
  ["RequestedProcedureDescription=EXAM6", 1, 10],
  ["MedicalAlerts=ABZ*", 6, 10],
];

test("where wlmscpfs finds others, the standard is ours", { skip: needs }, async (t) => {
  const ours = await openWorklist(t, sampleItems());
  const theirs = await startWlmscpfs(t, sampleItems());
  for (const [asked, found, foundThere] of otherwise) {
    const keys = ["-k", "AccessionNumber", "-k", asked];
    assert.equal((await findscu(t, ours.port, keys)).length, found, asked);
    assert.equal((await findscu(t, theirs, keys)).length, foundThere, `${asked}, by wlmscpfs`);
  }
});
