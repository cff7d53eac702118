import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { isProblem } from "#base/problem";
import {
  type DicomJson,
  elementsOf,
  fromDicomJson,
  parseDataSet,
  readFile,
  readNativeModel,
  TransferSyntaxUid,
  toDicomJson,
  writeDataSet,
  writeFile,
  writeNativeModel,
} from "./index.ts";

const haveDcm2xml = process.env.PATH?.split(":").some((folder) => existsSync(join(folder, "dcm2xml"))) ?? false;
const explicit = { transferSyntaxUid: TransferSyntaxUid.explicitLittleEndian };
const isRefused = (error: unknown) => isProblem(error, "invalid") || isProblem(error, "too-large");
const inModel = (content: string) => `<NativeDicomModel>${content}</NativeDicomModel>`;
const attribute = (content: string, head = 'tag="00100010" vr="LO"') =>
  `<DicomAttribute ${head}>${content}</DicomAttribute>`;

const sample = {
  SpecificCharacterSet: "ISO_IR 192",
  SOPClassUID: "1.2.840.10008.5.1.4.1.1.2",
  SOPInstanceUID: "1.2.3",
  PatientName: "Müller^Jörg^^Dr.=山田^太郎=やまだ",
  PatientComments: 'a "quoted" <b>&amp;\r\nsecond\tline',
  ImageType: ["ORIGINAL", "PRIMARY", "", "AXIAL"],
  PixelSpacing: ["0.5", "0.25"],
  Rows: 512,
  RedPaletteColorLookupTableDescriptor: [256, 0, 16],
  RequestAttributesSequence: [{ ScheduledProcedureStepID: "7" }, {}],
  "00091001": undefined,
  ReferringPhysicianName: "",
} as const;

/** What a data set holds, however it is written. */
const plain = (json: DicomJson): unknown => JSON.parse(JSON.stringify(json));

test("a data set goes to XML and back with every value", () => {
  const bytes = writeDataSet(elementsOf(sample), explicit);
  const json = toDicomJson(parseDataSet(bytes, explicit).dataSet);
  const xml = writeNativeModel(json);
  const back = toDicomJson(parseDataSet(writeDataSet(fromDicomJson(readNativeModel(xml)), explicit), explicit).dataSet);
  assert.deepEqual(plain(back), plain(json));
});

test("any text, number and name goes to XML and back, but for what XML has no way to write", () => {
  const text = fc.string({ unit: "grapheme", maxLength: 40 });
  const value = fc.array(text, { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(
      value,
      fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { minLength: 1 }),
      text,
      (texts, numbers, name) => {
        const kept = texts.map((one) => one.replace(/[^\P{Cc}\t\n\r\x7f-\x9f]|[\ufffe\uffff]/gu, ""));
        const json: DicomJson = {
          "00081030": { vr: "LO", Value: kept },
          "00720074": { vr: "FD", Value: numbers },
          "00100010": { vr: "PN", Value: [{ Alphabetic: name.replace(/[\p{Cc}^=]/gu, "") }] },
        };
        const back = readNativeModel(writeNativeModel(json));
        assert.deepEqual(
          back["00081030"]?.Value?.map((one) => one ?? ""),
          kept,
        );
        assert.deepEqual(
          back["00720074"]?.Value?.map(Number),
          numbers.map((one) => one + 0),
        );
        assert.deepEqual(back["00100010"]?.Value, json["00100010"]?.Value);
      },
    ),
  );
});

test("what dcm2xml writes is read, and what we write says the same", (t) => {
  if (!haveDcm2xml) return t.skip("needs dcmtk: apt install dcmtk");
  const folder = mkdtempSync(join(tmpdir(), "leadglass-xml-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "sample.dcm");
  const meta = { mediaStorageSopClassUid: "1.2.840.10008.5.1.4.1.1.2", mediaStorageSopInstanceUid: "1.2.3" };
  const by = { implementationClassUid: "2.25.1", implementationVersionName: "TEST" };
  writeFileSync(path, writeFile({ ...meta, ...by, ...explicit }, elementsOf(sample)));
  const xml = execFileSync("dcm2xml", ["--native-format", path], { encoding: "utf8" });
  const theirs = readNativeModel(xml);
  const ours = readNativeModel(writeNativeModel(toDicomJson(readFile(readFileSync(path)).dataSet)));
  for (const key of Object.keys(ours)) {
    const texts = (json: DicomJson) => JSON.stringify(json[key]?.Value ?? []);
    if (key !== "00080005") assert.equal(texts(theirs), texts(ours), key);
  }
});

test("attack 63: a document type, an external entity or a processing instruction is refused, and nothing is fetched", () => {
  for (const start of [
    '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
    '<!DOCTYPE x SYSTEM "http://127.0.0.1:1/x.dtd">',
    '<!DOCTYPE x [<!ENTITY % p SYSTEM "http://127.0.0.1:1/p"> %p;]>',
    "<?xml-stylesheet href='http://127.0.0.1:1/'?>",
    '<?xml version="1.0" encoding="UTF-16"?>',
    '<?xml version="1.0" encoding="UTF-7"?>',
    '\n<?xml version="1.0"?>',
  ]) {
    assert.throws(() => readNativeModel(`${start}${inModel("")}`), isRefused, start);
  }
  for (const inside of [
    "&a;",
    "&xxe",
    "&",
    "&#0;",
    "&#xD800;",
    "&#x110000;",
    "&#99999999;",
    "&__proto__;",
    "&constructor;",
  ]) {
    assert.throws(() => readNativeModel(inModel(attribute(`<Value number="1">${inside}</Value>`))), isRefused, inside);
  }
  const xi = '<xi:include href="file:///etc/passwd" xmlns:xi="http://www.w3.org/2001/XInclude"/>';
  assert.throws(() => readNativeModel(inModel(xi)), isRefused);
});

test("attack 64: entities do not expand, and nesting, values and attributes have bounds", () => {
  const lol = `<!DOCTYPE l [<!ENTITY a "lol">${Array.from({ length: 9 }, (_, at) => `<!ENTITY a${at} "&a;&a;&a;">`).join("")}]>`;
  assert.throws(() => readNativeModel(`${lol}${inModel(attribute("&a8;"))}`), isRefused);
  const deep = `${'<DicomAttribute tag="00400275" vr="SQ"><Item number="1">'.repeat(100_000)}`;
  assert.throws(() => readNativeModel(`<NativeDicomModel>${deep}`), isRefused);
  assert.throws(() => readNativeModel(inModel(attribute('<Value number="1000000000">x</Value>'))), isRefused);
  const many = Array.from({ length: 100 }, (_, at) => `a${at}="1"`).join(" ");
  assert.throws(() => readNativeModel(`<NativeDicomModel ${many}/>`), isRefused);
});

test("what is no Native DICOM Model is refused by name of the attribute and never by value", () => {
  for (const text of [
    "",
    "   ",
    "{}",
    "<other/>",
    "<NativeDicomModel>",
    "<NativeDicomModel></nativedicommodel>",
    "<NativeDicomModel/><NativeDicomModel/>",
    "<NativeDicomModel/>text",
    "<NativeDicomModel a='1' a='2'/>",
    "<NativeDicomModel a=1/>",
    inModel("secret"),
    inModel("<DicomAttribute/>"),
    inModel(attribute("", 'tag="0010001" vr="LO"')),
    inModel(attribute("", 'tag="00100010" vr="XX"')),
    inModel(attribute("") + attribute("")),
    inModel(attribute('<Value number="2">b</Value><Value number="1">a</Value>')),
    inModel(attribute("<Value>a</Value>")),
    inModel(attribute('<Value number="1">a</Value><BulkData uri="x"/>')),
    inModel(attribute('<BulkData uuid="1-2"/>')),
    inModel(attribute('<Item number="1"/>')),
    inModel(attribute('<Value number="1"><b/></Value>')),
    inModel(attribute('<PersonName number="1"><Other/></PersonName>', 'tag="00100010" vr="PN"')),
  ]) {
    assert.throws(
      () => readNativeModel(text),
      (error: unknown) => isRefused(error) && !(error as Error).message.includes("secret"),
      text,
    );
  }
});

test("no text whatever ends in anything but a model or a Problem", () => {
  const parts = fc.constantFrom(
    "<",
    ">",
    "/",
    "NativeDicomModel",
    "DicomAttribute",
    ' tag="00100010"',
    ' vr="PN"',
    "&",
    ";",
    "<!--",
    "-->",
    "<![CDATA[",
    "]]>",
    "x",
    "Value",
    ' number="1"',
    "PersonName",
    "'",
    '"',
  );
  fc.assert(
    fc.property(fc.array(parts, { maxLength: 30 }), (pieces) => {
      try {
        readNativeModel(pieces.join(""));
      } catch (error) {
        assert.ok(isRefused(error), String(error));
      }
    }),
    { numRuns: 2_000 },
  );
});
