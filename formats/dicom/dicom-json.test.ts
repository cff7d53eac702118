import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { isProblem } from "#base/problem";
import { base64Of, bytesOfBase64 } from "./base64.ts";
import { dicomJsonText, elementAtPath, toDicomJson } from "./dicom-json.ts";
import { fromDicomJson } from "./dicom-json-input.ts";
import { type DataSetInput, elementsOf } from "./element-input.ts";
import { readDataSet } from "./read-data-set.ts";
import { Tag } from "./tags.ts";
import { TransferSyntaxUid } from "./transfer-syntaxes.ts";
import { writeDataSet } from "./writer.ts";

const { explicitLittleEndian, explicitBigEndian, jpegBaseline8Bit } = TransferSyntaxUid;

function read(elements: DataSetInput, transferSyntaxUid: string = explicitLittleEndian) {
  return readDataSet(writeDataSet(elements, { transferSyntaxUid }), { transferSyntaxUid });
}
const json = (
  elements: DataSetInput,
  ...options: Parameters<typeof toDicomJson> extends [unknown, ...infer R] ? R : []
) => JSON.parse(JSON.stringify(toDicomJson(read(elements), ...options)));

test("Text is Unicode, names have component groups, numbers are numbers, empty elements only a vr", () => {
  const elements = elementsOf({
    SpecificCharacterSet: ["ISO 2022 IR 6", "ISO 2022 IR 87"],
    PatientName: "Yamada^Tarou=山田^太郎=やまだ^たろう",
    PatientComments: "",
    InstanceNumber: "7 ",
    PixelSpacing: ["0.50", "1e-1"],
    ImageType: ["ORIGINAL", "", "AXIAL"],
    Rows: [512],
    FrameIncrementPointer: [0x00181063],
    FileMetaInformationVersion: Uint8Array.of(0, 1),
  });
  assert.deepEqual(json(elements), {
    "00080005": { vr: "CS", Value: ["ISO_IR 192"] },
    "00080008": { vr: "CS", Value: ["ORIGINAL", null, "AXIAL"] },
    "00100010": {
      vr: "PN",
      Value: [{ Alphabetic: "Yamada^Tarou", Ideographic: "山田^太郎", Phonetic: "やまだ^たろう" }],
    },
    "00104000": { vr: "LT" },
    "00200013": { vr: "IS", Value: [7] },
    "00280009": { vr: "AT", Value: ["00181063"] },
    "00280010": { vr: "US", Value: [512] },
    "00280030": { vr: "DS", Value: [0.5, 0.1] },
  });
});

test("What JSON has no number for becomes a text", () => {
  const elements: DataSetInput = [
    { tag: 0x00091001, vr: "FD", value: [Number.NaN, Number.POSITIVE_INFINITY, -0.5] },
    { tag: 0x00091002, vr: "UV", value: [2n ** 64n - 1n, 5n] },
    { tag: 0x00091003, vr: "IS", value: "not a number" },
  ];
  assert.deepEqual(json(elements), {
    "00091001": { vr: "FD", Value: ["NaN", "Infinity", -0.5] },
    "00091002": { vr: "UV", Value: ["18446744073709551615", 5] },
    "00091003": { vr: "IS", Value: ["not a number"] },
  });
});

test("Large binary values and pixel data go by reference, small ones in line, little endian always", () => {
  const elements: DataSetInput = [
    { tag: 0x00091001, vr: "OW", value: Uint8Array.of(1, 2, 3, 4) },
    { tag: 0x00091002, vr: "OB", value: new Uint8Array(2000) },
    ...elementsOf({
      ReferencedImageSequence: [{}, { EncapsulatedDocument: new Uint8Array(4000) }],
      PixelData: new Uint8Array(4),
    }),
  ];
  const bulkDataUri = (path: string, vr: string, length: number | undefined) => `bulk/${path}?${vr}=${length}`;
  const expected = {
    "00081140": {
      vr: "SQ",
      Value: [{}, { "00420011": { vr: "OB", BulkDataURI: "bulk/00081140/2/00420011?OB=4000" } }],
    },
    "00091001": { vr: "OW", InlineBinary: "AQIDBA==" },
    "00091002": { vr: "OB", BulkDataURI: "bulk/00091002?OB=2000" },
    "7FE00010": { vr: "OW", BulkDataURI: "bulk/7FE00010?OW=4" },
  };
  for (const uid of [explicitLittleEndian, explicitBigEndian]) {
    const dataSet = read(elements, uid);
    assert.deepEqual(JSON.parse(JSON.stringify(toDicomJson(dataSet, { bulkDataUri }))), expected);
    assert.equal(elementAtPath(dataSet, "00081140/2/00420011")?.element.length, 4000);
  }
  for (const path of ["", "x", "00081140/3/00420011", "00081140/2", "__proto__/1/00420011", "00091001/1/00420011"]) {
    assert.equal(elementAtPath(read(elements), path), undefined, path);
  }
  const encapsulated = read(
    elementsOf({ PixelData: { fragments: [new Uint8Array(0), new Uint8Array(8)] } }),
    jpegBaseline8Bit,
  );
  const fragments = toDicomJson(encapsulated, { bulkDataUri });
  assert.equal(fragments["7FE00010"]?.BulkDataURI, "bulk/7FE00010?OB=undefined");
  assert.deepEqual(toDicomJson(encapsulated)["7FE00010"], { vr: "OB" });
});

test("JSON, elements, bytes and JSON again are the same", () => {
  const object = {
    "00080005": { vr: "CS", Value: ["ISO_IR 192"] },
    "00081140": { vr: "SQ", Value: [{ "00081155": { vr: "UI", Value: ["1.2"] } }, {}] },
    "00091001": { vr: "UN", InlineBinary: "AAEC/w==" },
    "00100010": { vr: "PN", Value: [{ Alphabetic: "Äpfel^A", Phonetic: "x" }, null, { Alphabetic: "B" }] },
    "00100040": { vr: "CS" },
    "00189087": { vr: "FD", Value: [1.5, -2] },
    "00280030": { vr: "DS", Value: [0.5, 0.25] },
    "00720082": { vr: "SV", Value: [-3] },
  };
  assert.deepEqual(json(fromDicomJson(object)), object);
});

test("A file's JSON of others is taken in and given out with the same values", (t) => {
  const path = join(
    process.env.LEADGLASS_DATA ?? join(import.meta.dirname, "../../../shared/data"),
    "dicomweb/metadata.json",
  );
  if (!existsSync(path)) return t.skip("needs the shared test data: set LEADGLASS_DATA");
  const [given] = JSON.parse(readFileSync(path, "utf8"));
  const bytes = new Map<string, Uint8Array>();
  const elements = fromDicomJson(given, {
    bulkData: (uri) => {
      bytes.set(uri, new Uint8Array(1024));
      return bytes.get(uri);
    },
  });
  const ours = json(elements, { bulkDataUri: () => "by reference" });
  for (const [tag, { vr, Value }] of Object.entries<{ vr: string; Value?: unknown[] }>(given)) {
    if (tag === "00080005" || tag.endsWith("0000") || vr === "SQ" || Value === undefined) continue;
    if (vr === "PN" || (Value.length === 1 && Value[0] === "")) continue;
    const values = Value.flatMap((value) => (typeof value === "string" ? value.split("\\") : [value]));
    const plain = (value: unknown) => (vr === "DS" || vr === "IS" ? Number(value) : String(value));
    assert.deepEqual((ours[tag]?.Value ?? []).map(plain), values.map(plain), tag);
  }
});

test("JSON from anyone is refused with the attribute and without its value", () => {
  const secret = "Mustermann";
  const bad: unknown[] = [
    null,
    [],
    "x",
    { name: {} },
    { "00100010": secret },
    { "00100010": { vr: "XX", Value: [secret] } },
    { "00100010": { vr: "PN", Value: secret } },
    { "00100010": { vr: "PN", Value: [{ Alphabetic: 7 }] } },
    { "00100010": { vr: "PN", Value: [{ Alphabetic: `${secret}\\x` }] } },
    { "00100020": { vr: "LO", Value: [{}] } },
    { "00280010": { vr: "US", Value: [secret] } },
    { "00280010": { vr: "US", Value: [null] } },
    { "00280009": { vr: "AT", Value: [secret] } },
    { "7FE00010": { vr: "OW", InlineBinary: "*" } },
    { "7FE00010": { vr: "OW", BulkDataURI: `http://${secret}` } },
    { "7FE00010": { vr: "OW", Value: [1] } },
    { "00081140": { vr: "SQ", Value: [1] } },
  ];
  for (const one of bad) {
    assert.throws(
      () => fromDicomJson(one),
      (error) => isProblem(error, "invalid") && !error.message.includes(secret),
      JSON.stringify(one),
    );
  }
  let nested: unknown = {};
  for (let i = 0; i < 80; i += 1) nested = { "00081140": { vr: "SQ", Value: [nested] } };
  assert.throws(
    () => fromDicomJson(nested),
    (error) => isProblem(error, "too-large"),
  );
  const polluted = fromDicomJson(JSON.parse('{"00100020":{"vr":"LO","Value":["1"],"__proto__":{"polluted":1}}}'));
  assert.equal(polluted[0]?.tag, Tag.PatientID);
  assert.equal((Object.prototype as { polluted?: unknown }).polluted, undefined);
});

test("An attribute that stands there twice, its digits in other cases, is refused", () => {
  const named = { vr: "LO", Value: ["a"] };
  for (const twice of [
    { "0010ABCD": named, "0010abcd": named },
    { "00081140": { vr: "SQ", Value: [{ "0010ABCD": named, "0010abcD": named }] } },
  ]) {
    assert.throws(
      () => fromDicomJson(twice),
      (error) => isProblem(error, "invalid") && error.message.includes("(0010,ABCD)"),
    );
  }
});

test("Text in items is taken in whatever character set the items name: JSON is Unicode", () => {
  const item = { "00080005": { vr: "CS", Value: ["ISO_IR 100"] }, "00081030": { vr: "LO", Value: ["Żółć"] } };
  const elements = fromDicomJson({ "00081140": { vr: "SQ", Value: [item] } });
  const back = read(elements).items(0x00081140)?.[0];
  assert.equal(back?.text(0x00081030), "Żółć");
});

test("Base64 is that of RFC 4648", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      const text = Buffer.from(bytes).toString("base64");
      assert.equal(base64Of(bytes), text);
      assert.deepEqual(bytesOfBase64(text), bytes);
    }),
  );
  const large = new Uint8Array(100_001).fill(7);
  assert.equal(base64Of(large), Buffer.from(large).toString("base64"));
  for (const text of ["A", "AAAAA", "A*AA", "====", "AA=A"]) assert.equal(bytesOfBase64(text), undefined, text);
});

test("JSON in pieces is the text of JSON in one go: sequences in sequences, bulk data, an element that stands twice", () => {
  const twice = writeDataSet(elementsOf({ Modality: "CT" }), { transferSyntaxUid: explicitLittleEndian });
  const nested = elementsOf({
    ...{ PatientName: "A^B", Rows: 512, PixelData: new Uint8Array(2_000) },
    RequestAttributesSequence: [
      { ScheduledProcedureStepID: "7", ReferencedSeriesSequence: [{}, { Modality: "MR" }] },
      {},
    ],
    ReferencedImageSequence: [],
  });
  const bytes = writeDataSet(nested, { transferSyntaxUid: explicitLittleEndian });
  for (const dataSet of [
    read(nested),
    read([]),
    readDataSet(Buffer.concat([twice, twice, bytes]), { transferSyntaxUid: explicitLittleEndian }),
  ]) {
    for (const options of [{}, { bulkDataUri: (path: string) => `bulk/${path}` }])
      assert.equal([...dicomJsonText(dataSet, options)].join(""), JSON.stringify(toDicomJson(dataSet, options)));
  }
});
