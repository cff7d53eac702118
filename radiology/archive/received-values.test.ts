import assert from "node:assert/strict";
import { test } from "node:test";
import { Tag } from "#formats/dicom";
import { indexedValues } from "./received-values.ts";

const modalityOf = (text: string) => {
  const value = { vr: "CS" as const, bytes: Buffer.from(text, "latin1") };
  return indexedValues(new Map([[Tag.Modality, value]]), false).series.Modality;
};

test("a modality that the standard defines is indexed as it came", () => {
  for (const text of ["CT", "MR ", " US", "RTSTRUCT", "OPTBSV", "M3D", "CF"])
    assert.equal(modalityOf(text), text.trim());
  assert.equal(modalityOf("PT\\CT"), "PT\\CT");
});

test("anything else in Modality, which may be a name, is indexed as other", () => {
  for (const text of ["SMITH^JOHN", "SMITHJOHN", "ct", "1943", "Mr", "XYZ"]) assert.equal(modalityOf(text), "OT");
  assert.equal(modalityOf("CT\\SMITH\\JOHN"), "CT\\OT");
  assert.equal(modalityOf("  "), undefined);
});
