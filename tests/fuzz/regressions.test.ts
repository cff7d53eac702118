// What the fuzzer found, each mended since.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  elementsOf,
  readDataSet,
  readNativeModel,
  Tag,
  TransferSyntaxUid,
  toDicomJson,
  writeDataSet,
  writeNativeModel,
} from "#formats/dicom";

const { explicitLittleEndian } = TransferSyntaxUid;

test("a Specific Character Set of a VR that itself is text in a character set is read, not asked for over and over", () => {
  for (const vr of ["LO", "PN", "UT", "SH", "ST", "LT", "UC"] as const) {
    // With an escape sequence: a plain value is the same in every set and asks for none.
    const named = {
      tag: Tag.SpecificCharacterSet,
      vr,
      value: Uint8Array.from(Buffer.from("\x1b$B \\ISO_IR 100", "latin1")),
    };
    const bytes = writeDataSet([named, ...elementsOf({ PatientName: "A^B" })], {
      transferSyntaxUid: explicitLittleEndian,
    });
    const dataSet = readDataSet(bytes, { transferSyntaxUid: explicitLittleEndian });
    assert.equal(dataSet.text(Tag.PatientName), "A^B");
    assert.deepEqual(toDicomJson(dataSet)["00100010"]?.Value, [{ Alphabetic: "A^B" }]);
  }
});

test("what says that it is base64 and is not is written as text of the model, not as marks of it", () => {
  const json = { "7FE00010": { vr: "OW", InlineBinary: "AA</InlineBinary><Item/>&A" } } as const;
  assert.equal(JSON.stringify(readNativeModel(writeNativeModel(json))), JSON.stringify(json));
});
