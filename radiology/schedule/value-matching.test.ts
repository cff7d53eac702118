import assert from "node:assert/strict";
import { test } from "node:test";
import { isProblem } from "#base/problem";
import { tagOf } from "#formats/dicom";
import { valueTest } from "./value-matching.ts";

const start = tagOf("ScheduledProcedureStepStartDateTime");
const matches = (wanted: string, held: string) => valueTest(start, "DT", [wanted])?.([held]);

test("a date and time is matched by itself, by a part of it and by ranges, open ones too", () => {
  const held = "20260301083000";
  for (const wanted of ["20260301083000", "20260301", "2026", "20260301-20260302", "-20260301", "20260301083000-"]) {
    assert.equal(matches(wanted, held), true, wanted);
  }
  for (const wanted of ["20260301083001", "20260302", "2025", "20260302-", "-20260228"]) {
    assert.equal(matches(wanted, held), false, wanted);
  }
});

test("offsets from UTC count, and a hyphen before an offset ends no range", () => {
  assert.equal(matches("202603010830+0100", "202603010730+0000"), true);
  assert.equal(matches("202603010830-0500", "202603011330+0000"), true);
  assert.equal(matches("202603010830-0500-202603010930-0500", "202603011400+0000"), true);
  assert.equal(matches("2025-2027", "20260301"), true);
});

test("what is no date and time is refused as a key, and matched by none as a value", () => {
  for (const wanted of ["tomorrow", "-", "2026-13-01-2", "20260301-20260302-20260303"]) {
    assert.throws(
      () => matches(wanted, "2026"),
      (error) => isProblem(error, "invalid"),
      wanted,
    );
  }
  assert.equal(matches("2026", "soon"), false);
});
