import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isProblem } from "#base/problem";
import type { DicomJson, KeywordDataSet } from "#formats/dicom";
import { keyOf } from "./attributes.ts";
import { dataSetOf, itemOf, type Planned } from "./schedule.fixture.ts";
import { contentOf, stepsIn } from "./scheduled-step.ts";
import { termsOf, worklistQuery } from "./worklist-query.ts";

const plannedStep = (planned: Planned = {}): DicomJson => contentOf(stepsIn(itemOf(planned))[0]!, "").attributes;
const matches = (keys: KeywordDataSet, planned: Planned = {}) => {
  const query = worklistQuery(dataSetOf({ SpecificCharacterSet: "ISO_IR 192", ...keys }));
  const step = plannedStep(planned);
  const isFound = query.matches(step);
  // Who is found must be among those that the index would have given.
  const terms = new Set(termsOf(step));
  if (isFound) assert.ok(query.terms.every((group) => group.some((term) => terms.has(term))));
  return isFound;
};
const ofStep = (keys: KeywordDataSet): KeywordDataSet => ({ ScheduledProcedureStepSequence: [keys] });
const refused = (keys: KeywordDataSet) =>
  assert.throws(
    () => worklistQuery(dataSetOf(keys)),
    (error) => isProblem(error, "invalid"),
  );

test("an empty key, an empty sequence and an empty item match everything", () => {
  assert.ok(matches({ PatientName: "", ScheduledProcedureStepSequence: [] }));
  assert.ok(matches(ofStep({})));
  assert.ok(matches(ofStep({ Modality: "", ScheduledStationAETitle: "*", ScheduledProcedureStepStartDate: "" })));
  assert.ok(matches({ PatientComments: "**" }), "even what has no value");
});

test("a single value is matched with its case, but for names", () => {
  assert.ok(matches({ AccessionNumber: "A1" }));
  assert.ok(!matches({ AccessionNumber: "a1" }));
  assert.ok(!matches({ PatientComments: "x" }), "what has no value does not match one");
  assert.ok(matches({ PatientName: "DOE^jane" }));
  assert.ok(!matches({ PatientName: "Doe" }), "a name is matched whole");
  assert.ok(matches({ PatientName: "muller^anne^^" }, { name: "Müller^Änne" }));
});

test("a wildcard stands for other characters where the standard says so", () => {
  assert.ok(matches({ PatientName: "d?e*" }));
  assert.ok(matches({ ...ofStep({ ScheduledStationAETitle: "CT*", Modality: "C?" }) }));
  assert.ok(!matches(ofStep({ ScheduledStationAETitle: "MR*" })));
  assert.ok(!matches({ StudyInstanceUID: "1.2*" }), "in a UID it is itself");
});

test("a name is matched by its component groups", () => {
  const name = "Yamada^Tarou=山田^太郎=やまだ^たろう";
  assert.ok(matches({ PatientName: "山田*" }, { name }));
  assert.ok(matches({ PatientName: "yamada*=山田*" }, { name }));
  assert.ok(matches({ PatientName: "==やまだ*" }, { name }));
  assert.ok(!matches({ PatientName: "山田*=yamada*" }, { name }));
});

test("several values of either side: any one will do", () => {
  assert.ok(matches(ofStep({ ScheduledStationAETitle: "CT2" }), { aes: ["CT1", "CT2"] }));
  assert.ok(matches(ofStep({ Modality: ["MR", "CT"] })));
  assert.ok(matches({ StudyInstanceUID: ["1.2.4", "1.2.3"] }));
  assert.ok(!matches({ StudyInstanceUID: ["1.2.4", "1.2.5"] }));
});

test("all keys of the sequence's item must match within one item", () => {
  assert.ok(matches(ofStep({ Modality: "CT", ScheduledStationAETitle: "CT1" })));
  assert.ok(!matches(ofStep({ Modality: "CT", ScheduledStationAETitle: "CT2" })));
  const codes = {
    ScheduledProtocolCodeSequence: [
      { CodeValue: "A", CodingSchemeDesignator: "L" },
      { CodeValue: "B", CodingSchemeDesignator: "M" },
    ],
  };
  const asked = (CodeValue: string, CodingSchemeDesignator: string) =>
    ofStep({ ScheduledProtocolCodeSequence: [{ CodeValue, CodingSchemeDesignator, CodeMeaning: "" }] });
  assert.ok(matches(asked("B", "M"), { moreOfStep: codes }));
  assert.ok(!matches(asked("A", "M"), { moreOfStep: codes }));
});

test("every sequence of the model is matched by what its items hold, and answered with those that match", () => {
  const ofItem =
    "RequestedProcedureCodeSequence ReasonForRequestedProcedureCodeSequence RequestingServiceCodeSequence".split(" ");
  const all = [...ofItem, "InstitutionCodeSequence", "AdmittingDiagnosesCodeSequence", "PatientSpeciesCodeSequence"];
  const codes = ["A", "B"].map((CodeValue) => ({ CodeValue, CodingSchemeDesignator: "L" }));
  const ask = (sequence: string, keys: KeywordDataSet, held: KeywordDataSet[]) => {
    const query = worklistQuery(dataSetOf({ [sequence]: [keys] }));
    assert.equal(query.keysIgnored, false, sequence);
    const step = plannedStep({ more: { [sequence]: held } });
    return query.matches(step) ? (query.answer(step)[keyOf(sequence)]?.Value?.length ?? 0) : undefined;
  };
  for (const sequence of all) {
    const asked = (CodeValue: string) => ask(sequence, { CodeValue, CodingSchemeDesignator: "" }, codes);
    assert.deepEqual([asked("B"), asked("C"), asked("")], [1, undefined, 2], sequence);
  }
  for (const sequence of ["ReferencedStudySequence", "ReferencedPatientSequence"]) {
    const asked = (ReferencedSOPInstanceUID: string) =>
      ask(sequence, { ReferencedSOPInstanceUID }, [
        { ReferencedSOPInstanceUID: "1.2.8" },
        { ReferencedSOPInstanceUID: "1.2.9" },
      ]);
    assert.deepEqual([asked("1.2.9"), asked("1.2.7"), asked("")], [1, undefined, 2], sequence);
  }
});

test("a date or a time alone is matched by itself and by a range with an open end", () => {
  for (const date of ["20260301", "20260301-", "-20260301", "20260201-20260331", "20250101-20270101"]) {
    assert.ok(matches(ofStep({ ScheduledProcedureStepStartDate: date })), date);
  }
  assert.ok(!matches(ofStep({ ScheduledProcedureStepStartDate: "20260302-" })));
  for (const time of ["083000", "0830", "08", "0800-0900", "-0830", "083000.5-", "0700-08"]) {
    assert.equal(matches(ofStep({ ScheduledProcedureStepStartTime: time })), time !== "083000.5-", time);
  }
  assert.ok(matches(ofStep({ ScheduledProcedureStepStartTime: "080000-090000" }), { time: "0800" }));
});

test("a range of dates with a range of times is one range of moments", () => {
  const asked = ofStep({
    ScheduledProcedureStepStartDate: "20260301-20260303",
    ScheduledProcedureStepStartTime: "1000-1800",
  });
  assert.ok(!matches(asked, { date: "20260301", time: "0900" }));
  assert.ok(matches(asked, { date: "20260301", time: "1000" }));
  assert.ok(matches(asked, { date: "20260302", time: "0300" }));
  assert.ok(matches(asked, { date: "20260303", time: "180059" }));
  assert.ok(!matches(asked, { date: "20260303", time: "1801" }));
  const oneTime = ofStep({
    ScheduledProcedureStepStartDate: "20260301-20260303",
    ScheduledProcedureStepStartTime: "1000",
  });
  assert.ok(!matches(oneTime, { date: "20260302", time: "0300" }), "a single time is no range");
  const open = ofStep({ ScheduledProcedureStepStartDate: "20260301-", ScheduledProcedureStepStartTime: "1000-" });
  assert.ok(matches(open, { date: "20310101", time: "0000" }));
});

test("what cannot be read, and floods, are refused", () => {
  refused(ofStep({ ScheduledProcedureStepStartDate: "tomorrow" }));
  refused(ofStep({ ScheduledProcedureStepStartTime: "10-11-12" }));
  refused({ ScheduledProcedureStepSequence: [{ Modality: "CT" }, { Modality: "MR" }] });
  refused({ PatientComments: "x".repeat(2_000) });
  refused({ StudyInstanceUID: Array.from({ length: 1_001 }, (_, n) => `1.2.${n}`) });
});

test("what was asked for is answered, empty where there is no value; all of a sequence that is asked for by an empty one", () => {
  const answer = (keys: KeywordDataSet, planned: Planned = {}) =>
    worklistQuery(dataSetOf(keys)).answer(plannedStep(planned));
  assert.deepEqual(answer({ PatientName: "", PatientWeight: "" }), {
    [keyOf("PatientName")]: { vr: "PN", Value: [{ Alphabetic: "Doe^Jane" }] },
    [keyOf("PatientWeight")]: { vr: "DS" },
  });
  const [step] = answer(ofStep({ Modality: "", PreMedication: "" }))[keyOf("ScheduledProcedureStepSequence")]!
    .Value as DicomJson[];
  assert.deepEqual(step, { [keyOf("Modality")]: { vr: "CS", Value: ["CT"] }, [keyOf("PreMedication")]: { vr: "LO" } });
  for (const keys of [{ ScheduledProcedureStepSequence: [] }, ofStep({})]) {
    const [whole] = answer(keys)[keyOf("ScheduledProcedureStepSequence")]!.Value as DicomJson[];
    assert.equal(Object.keys(whole!).length, 6, "with the status");
  }
});

test("a key that the model does not have is not matched by, and answered where a step has it", () => {
  const query = worklistQuery(dataSetOf({ PatientName: "", StudyID: "S1", ...ofStep({ BodyPartExamined: "HEAD" }) }));
  assert.ok(query.keysIgnored);
  assert.ok(query.matches(plannedStep()));
  assert.deepEqual(Object.keys(query.answer(plannedStep())).length, 2);
  assert.ok(keyOf("StudyID") in query.answer(plannedStep({ more: { StudyID: "S9" } })));
  assert.ok(!worklistQuery(dataSetOf({ PatientName: "", ...ofStep({ Modality: "" }) })).keysIgnored);
});

test("whoever asks for the values of a step finds it", () => {
  const word = fc.stringMatching(/^[A-Za-zÄÖÜäöü0-9]{1,12}$/);
  const aes = fc.array(fc.stringMatching(/^[A-Z0-9]{1,16}$/), { minLength: 1, maxLength: 3 });
  fc.assert(
    fc.property(fc.record({ name: word, accession: word, step: word, aes }), (planned) => {
      const { name, accession, step } = planned;
      assert.ok(matches({ PatientName: name.toUpperCase(), AccessionNumber: accession }, planned));
      const ofIt = ofStep({ ScheduledProcedureStepID: step, ScheduledStationAETitle: planned.aes.at(-1)! });
      assert.ok(matches({ PatientName: `${name.slice(0, 3)}*`, ...ofIt }, planned));
    }),
    { numRuns: 200 },
  );
});
