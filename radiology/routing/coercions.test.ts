import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateRawSync } from "node:zlib";
import fc from "fast-check";
import { createVirtualClock } from "#base/clock";
import { isProblem } from "#base/problem";
import {
  type DataSet,
  elementsOf,
  type KeywordDataSet,
  parseDataSet,
  Tag,
  TransferSyntaxUid,
  tagOf,
  writeDataSet,
} from "#formats/dicom";
import { createChanging } from "./changing.ts";
import { checkRule } from "./check-rule.ts";
import { rewritten } from "./coercions.ts";
import { keeping, machineA } from "./routing.fixture.ts";
import type { Coercion } from "./rule.ts";

const changing = createChanging({ key: new Uint8Array(32), clock: createVirtualClock() });
const image: KeywordDataSet = {
  ...{ SOPClassUID: "1.2.840.10008.5.1.4.1.1.2", SOPInstanceUID: "1.2.3.4", StudyInstanceUID: "1.2.3" },
  ...{ AccessionNumber: "4711", InstitutionName: "Nord\\Süd", SpecificCharacterSet: "ISO_IR 100", Modality: "CT" },
  ...{ PatientID: "P1", PatientName: "Doe^Jane", BitsAllocated: 16, PixelData: Uint8Array.of(1, 2, 3, 4) },
  RequestAttributesSequence: [{ AccessionNumber: "4711" }, { RequestedProcedureID: "R1" }],
};
const written = (transferSyntaxUid: string) =>
  writeDataSet(elementsOf(image), { transferSyntaxUid, deflate: (bytes) => deflateRawSync(bytes) });

function coerced(coercions: readonly Coercion[], syntax: string = TransferSyntaxUid.explicitLittleEndian): DataSet {
  const changed = changing.change(written(syntax), syntax, { coercions });
  assert.ok("bytes" in changed);
  return parseDataSet(changed.bytes, { transferSyntaxUid: syntax }).dataSet;
}

test("coercions are made one after the other, in what was asked for too, and what was said before stands in the image", () => {
  const after = coerced([
    { does: "prefix", attribute: "AccessionNumber", value: "N-" },
    { does: "rewrite", attribute: "AccessionNumber", pattern: "N-*1", value: "S-*" },
    { does: "copy", attribute: "StudyID", from: "AccessionNumber" },
    { does: "map", attribute: "PatientID", table: [["P1", "Q1"]] },
    { does: "remove", attribute: "InstitutionName" },
    { does: "set", attribute: "StationName", value: "CT 3" },
  ]);
  const texts = ["AccessionNumber", "StudyID", "PatientID", "InstitutionName", "StationName"];
  assert.deepEqual(
    texts.map((keyword) => after.text(tagOf(keyword))),
    ["S-471", "S-471", "Q1", undefined, "CT 3"],
  );
  const items = after.items(tagOf("RequestAttributesSequence")) ?? [];
  assert.deepEqual(
    items.map((item) => item.text(Tag.AccessionNumber)),
    ["S-471", undefined],
  );
  const [original] = after.items(tagOf("OriginalAttributesSequence")) ?? [];
  assert.equal(original?.text(tagOf("ReasonForTheAttributeModification")), "COERCE");
  const [before] = original?.items(tagOf("ModifiedAttributesSequence")) ?? [];
  assert.deepEqual(
    texts.slice(0, 4).map((keyword) => before?.texts(tagOf(keyword))?.join("\\") ?? ""),
    ["4711", "", "P1", "Nord\\Süd"],
  );
});

test("in every way of writing a data set the pixels stay as they are", () => {
  for (const syntax of ["1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2"]) {
    const after = coerced([{ does: "set", attribute: "InstitutionName", value: "Łódź" }], syntax);
    assert.equal(after.text(tagOf("InstitutionName")), "Łódź");
    const before = parseDataSet(written(syntax), { transferSyntaxUid: syntax }).dataSet;
    const [is, was] = [after, before].map((one) => [...(one.bytes(Tag.PixelData) ?? [])]);
    assert.deepEqual(is, was, syntax);
    assert.equal(after.text(Tag.PatientName), "Doe^Jane");
  }
});

test("what an attribute cannot hold holds the image back", () => {
  const value = "a text that is longer than sixteen characters";
  const changes = { coercions: [{ does: "prefix", attribute: "AccessionNumber", value }] } as const;
  assert.deepEqual(changing.change(written("1.2.840.10008.1.2"), "1.2.840.10008.1.2", changes), { held: "value" });
});

test("a rule that changes UIDs, sequences or how bytes are read is refused, and one that loses images", () => {
  const refused = (more: object) =>
    assert.throws(
      () => checkRule({ ...keeping, machines: [machineA], ...more }),
      (error) => isProblem(error, "invalid"),
      JSON.stringify(more),
    );
  for (const attribute of [
    "StudyInstanceUID",
    "SpecificCharacterSet",
    "RequestAttributesSequence",
    "Rows",
    "PixelData",
    "NoSuch",
    "TransferSyntaxUID",
  ]) {
    refused({ changes: { coercions: [{ does: "set", attribute, value: "1" }] } });
  }
  refused({ changes: { coercions: [{ does: "set", attribute: "StudyDate", value: "yesterday" }] } });
  refused({ changes: { coercions: [{ does: "rewrite", attribute: "StudyID", pattern: "A", value: "*" }] } });
  refused({ machines: [], keep: false });
  refused({ keep: false, cloud: true });
  refused({ when: { modality: { is: [] } } });
  checkRule({ ...keeping, machines: [machineA], when: { modality: { is: ["CT"] } } });
});

test("a pattern without a * in what it becomes gives that; what does not fit stays; any texts are rewritten in little time", () => {
  assert.equal(rewritten("OLD-77-x", "OLD-*-*", "*/*"), "77/x");
  assert.equal(rewritten("OLD-77", "OLD-??", "NEW"), "NEW");
  assert.equal(rewritten("OLD-77", "OLD-?", "NEW"), "OLD-77");
  assert.equal(rewritten("aa", "a*a", "*"), "");
  assert.equal(rewritten("a", "a*a", "*"), "a");
  const part = fc.stringMatching(/^[ab?*]{0,12}$/);
  fc.assert(
    fc.property(part, part, (value, pattern) => {
      const runs = pattern.split("*").length - 1;
      const found = rewritten(value, pattern, Array.from({ length: runs + 1 }, () => "").join("*"));
      assert.ok(found === value || value.length >= found.length);
      assert.equal(rewritten(value, "*", "<*>"), `<${value}>`);
    }),
    { seed: 62, numRuns: 500 },
  );
});
