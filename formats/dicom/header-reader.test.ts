import assert from "node:assert/strict";
import { test } from "node:test";
import { elementsOf } from "./element-input.ts";
import { createHeaderReader } from "./header-reader.ts";
import { Tag } from "./tags.ts";
import { TransferSyntaxUid } from "./transfer-syntaxes.ts";
import { writeDataSet, writeMeta } from "./writer.ts";

const transferSyntaxUid = TransferSyntaxUid.explicitLittleEndian;
const elements = elementsOf({
  SpecificCharacterSet: "ISO_IR 100",
  SOPInstanceUID: "1.2.3",
  ReferencedImageSequence: [{ SOPInstanceUID: "9.9", PatientName: "Other" }],
  PatientName: "Röntgen^W",
  StudyInstanceUID: "1.2",
  Rows: 16,
  PixelData: new Uint8Array(512),
});
const bytes = writeDataSet(elements, { transferSyntaxUid });
const wanted = [Tag.Rows, Tag.PatientName, Tag.SOPInstanceUID, Tag.SpecificCharacterSet, Tag.AccessionNumber];

test("Wanted values of the top level are found in pieces of any size", () => {
  for (const size of [1, 7, 64, bytes.length]) {
    const reader = createHeaderReader({ wanted, transferSyntaxUid, dataSetOffset: 300 });
    for (let at = 0; at < bytes.length && reader.write(bytes.slice(at, at + size)); at += size);
    const { dataSet, problem } = reader.header();
    assert.equal(problem, undefined);
    assert.deepEqual(
      dataSet.elements.map(({ tag }) => tag),
      [Tag.SpecificCharacterSet, Tag.SOPInstanceUID, Tag.PatientName, Tag.Rows],
    );
    assert.equal(dataSet.text(Tag.PatientName), "Röntgen^W");
    assert.equal(dataSet.text(Tag.SOPInstanceUID), "1.2.3");
    assert.equal(dataSet.number(Tag.Rows), 16);
  }
});

test("It is known as soon as Study Instance UID has passed, whether or not it was there", () => {
  const reader = createHeaderReader({ wanted: [Tag.StudyInstanceUID], transferSyntaxUid });
  const at = Buffer.from(bytes).indexOf("1.2\0", Buffer.from(bytes).indexOf("Other"));
  reader.write(bytes.subarray(0, at + 3));
  assert.equal(reader.passed(Tag.StudyInstanceUID), false);
  reader.write(bytes.subarray(at + 3, at + 4));
  assert.equal(reader.passed(Tag.StudyInstanceUID), true);
  assert.equal(reader.header(false).dataSet.text(Tag.StudyInstanceUID), "1.2");
  assert.equal(reader.write(bytes.subarray(at + 4)), false, "nothing behind it is wanted");
  const without = createHeaderReader({ wanted: [Tag.StudyInstanceUID], transferSyntaxUid });
  assert.equal(without.write(writeDataSet(elementsOf({ Modality: "CT", Rows: 1 }), { transferSyntaxUid })), false);
  assert.equal(without.passed(Tag.StudyInstanceUID), true);
  assert.equal(without.header().dataSet.has(Tag.StudyInstanceUID), false);
});

test("A file's header and group 0002 are read too, and a cut one says so", () => {
  const meta = writeMeta({
    mediaStorageSopClassUid: "1.2",
    mediaStorageSopInstanceUid: "1.2.3",
    transferSyntaxUid,
    implementationClassUid: "1.5",
    implementationVersionName: "TEST",
  });
  const reader = createHeaderReader({ wanted: [Tag.TransferSyntaxUID, Tag.Rows] });
  reader.write(meta);
  reader.write(bytes.subarray(0, 60));
  const { dataSet, problem, dataSetOffset } = reader.header();
  assert.equal(dataSet.text(Tag.TransferSyntaxUID), transferSyntaxUid);
  assert.equal(dataSetOffset, meta.length);
  assert.equal(problem?.code, "invalid");
});
