// What the fuzzer (tests/fuzz) feeds: readers, cutter, JSON and text of this folder. A target throws where they do what they must not.
import assert from "node:assert/strict";
import { deflateRawSync } from "node:zlib";
import fc from "fast-check";
import { isProblem } from "#base/problem";
import { decodeText, encodeText, splitValues } from "./charsets/index.ts";
import { divide, together } from "./cutter.fixture.ts";
import type { DataSet } from "./data-set.ts";
import { dicomJsonText, toDicomJson } from "./dicom-json.ts";
import { fromDicomJson } from "./dicom-json-input.ts";
import { elementsOf } from "./element-input.ts";
import { frameLayoutOf, frameLocations, pixelDataOf } from "./frames.ts";
import { createHeaderReader } from "./header-reader.ts";
import { readNativeModel, writeNativeModel } from "./native-model.ts";
import { readFile } from "./read-data-set.ts";
import { createReader, type ReaderOptions } from "./reader.ts";
import { pixelDataTags, Tag } from "./tags.ts";
import { TransferSyntaxUid } from "./transfer-syntaxes.ts";
import { allVrs, type Vr, vrTable } from "./vr.ts";
import { writeDataSet, writeFile } from "./writer.ts";

/** What `work` gives, or undefined where it refuses as it may: with a Problem that is no fault of ours. */
function orRefused<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (isProblem(error) && error.code !== "fault") return undefined;
    throw error;
  }
}

const { explicitLittleEndian, implicitLittleEndian, explicitBigEndian, deflatedExplicitLittleEndian } =
  TransferSyntaxUid;

const attributes = {
  SpecificCharacterSet: ["", "ISO 2022 IR 87"],
  SOPClassUID: "1.2.840.10008.5.1.4.1.1.2",
  SOPInstanceUID: "2.25.3",
  StudyDate: "20240229",
  AccessionNumber: "A 17",
  Modality: "CT",
  PatientName: "Yamada^Tarou=\u5c71\u7530^\u592a\u90ce",
  PatientID: "4711",
  ReferencedStudySequence: [{ ReferencedSOPInstanceUID: "2.25.4", PatientName: "A^B" }, {}],
  StudyInstanceUID: "2.25.1",
  SeriesInstanceUID: "2.25.2",
  NumberOfFrames: 2,
  SamplesPerPixel: 1,
  PhotometricInterpretation: "MONOCHROME2",
  Rows: 4,
  Columns: 4,
  BitsAllocated: 16,
  BitsStored: 12,
  HighBit: 11,
  PixelRepresentation: 0,
  WindowCenter: [40, 400],
  PixelData: new Uint8Array(64),
};

function fileIn(transferSyntaxUid: string, changes: object = {}): Uint8Array {
  const meta = {
    mediaStorageSopClassUid: attributes.SOPClassUID,
    mediaStorageSopInstanceUid: attributes.SOPInstanceUID,
    transferSyntaxUid,
    implementationClassUid: "2.25.9",
    implementationVersionName: "FUZZ",
  };
  const own = [
    { tag: 0x00090010, vr: "LO" as const, value: "GEMS_IDEN_01" },
    { tag: 0x00091027, vr: "SL" as const, value: 7 },
    { tag: 0x00290010, vr: "LO" as const, value: "SOMEBODY" },
    { tag: 0x00291010, vr: "UN" as const, value: new Uint8Array(12) },
  ];
  return writeFile(meta, [...elementsOf({ ...attributes, ...changes }), ...own], {
    deflate: (bytes) => deflateRawSync(bytes),
    sequences: transferSyntaxUid === explicitLittleEndian ? "delimiters" : "lengths",
  });
}

const files = (): Uint8Array[] => [
  ...[explicitLittleEndian, implicitLittleEndian, explicitBigEndian, deflatedExplicitLittleEndian].map((uid) =>
    fileIn(uid),
  ),
  fileIn(TransferSyntaxUid.jpegBaseline8Bit, {
    PixelData: {
      fragments: [new Uint8Array(8), Uint8Array.of(0xff, 0xd8, 0xff, 0), Uint8Array.of(0xff, 0xd8, 0xff, 1)],
    },
  }),
];

/** One element, explicit VR, that may say any length. */
const builtElement = fc
  .record({
    tag: fc.oneof(
      fc.constantFrom(...Object.values(Tag)),
      fc.constantFrom(0xfffee000, 0xfffee00d, 0xfffee0dd, 0x00090010, 0x00091001, 0, 0x00020010, 0xffffffff),
      fc.integer({ min: 0, max: 0xffffffff }),
    ),
    vr: fc.oneof(fc.constantFrom(...allVrs), fc.constantFrom("  ", "XX", "\0\0")),
    value: fc.uint8Array({ maxLength: 40 }),
    lie: fc.oneof({ weight: 6, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: fc.nat(0xffffffff) }),
    open: fc.boolean(),
  })
  .map(({ tag, vr, value, lie, open }) => {
    const isLong =
      (vrTable as Readonly<Record<string, { readonly longLength?: boolean }>>)[vr] === undefined ||
      /^(O.|SQ|U[CNRT]|SV|UV)$/.test(vr);
    const isMark = tag >>> 16 === 0xfffe;
    const head = Buffer.alloc(isMark ? 8 : isLong ? 12 : 8);
    head.writeUInt16LE(tag >>> 16, 0);
    head.writeUInt16LE(tag & 0xffff, 2);
    const length = lie ?? (vr === "SQ" && open ? 0xffffffff : value.length);
    if (!isMark) head.write(vr, 4, "latin1");
    if (head.length === 12) head.writeUInt32LE(length, 8);
    else if (isMark) head.writeUInt32LE(length, 4);
    else head.writeUInt16LE(length & 0xffff, 6);
    return Buffer.concat([head, value]);
  });
const builtFile = fc
  .array(builtElement, { maxLength: 30 })
  .map((elements) => Buffer.concat([fileIn(explicitLittleEndian).subarray(0, 300), ...elements]));

const word = (...bytes: number[]) => Uint8Array.from(bytes);
const words = [
  word(0xfe, 0xff, 0x00, 0xe0, 0xff, 0xff, 0xff, 0xff),
  word(0xfe, 0xff, 0x00, 0xe0, 0, 0, 0, 0),
  word(0xfe, 0xff, 0x0d, 0xe0, 0, 0, 0, 0),
  word(0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0),
  word(0x40, 0x00, 0x75, 0x02, 0x53, 0x51, 0, 0, 0xff, 0xff, 0xff, 0xff),
  word(0x09, 0x00, 0x10, 0x10, 0x55, 0x4e, 0, 0, 0xff, 0xff, 0xff, 0xff),
  word(0xe0, 0x7f, 0x10, 0x00, 0x4f, 0x42, 0, 0, 0xff, 0xff, 0xff, 0xff),
  ...allVrs.map((vr) => Uint8Array.from(Buffer.from(vr, "latin1"))),
  ...Object.values(TransferSyntaxUid).map((uid) => Uint8Array.from(Buffer.from(uid, "latin1"))),
  ...["ISO_IR 192", "GB18030", "ISO 2022 IR 149", "DICM", "\x1b$B", "\x1b(B", "\\", "^", "="].map((text) =>
    Uint8Array.from(Buffer.from(text, "latin1")),
  ),
];

/** Asks everything of a data set, items too, that others of this folder and of those above it ask. */
function readAll(root: DataSet): void {
  const open = [root];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const element of next) {
      next.textsOf(element);
      next.numbersOf(element);
      next.vrOf(element);
      open.push(...(element.items ?? []));
    }
  }
}

function locateFrames(dataSet: DataSet): void {
  const pixels = pixelDataOf(dataSet);
  if (pixels !== undefined) orRefused(() => frameLocations(pixels, frameLayoutOf(dataSet)));
}

/** A whole file to a data set, its values, its frames, its JSON and back. */
export const part10Target = {
  cpuMsMax: 100,
  seeds: files,
  words,
  built: builtFile,
  run(input: Uint8Array): void {
    const { dataSet, transferSyntaxUid } = readFile(input, { partial: true });
    readAll(dataSet);
    locateFrames(dataSet);
    const options = { bulkDataUri: (path: string, vr: Vr) => (vr === "OW" ? path : undefined) };
    const json = JSON.stringify(toDicomJson(dataSet, options));
    assert.deepEqual(JSON.parse([...dicomJsonText(dataSet, options)].join("")), JSON.parse(json));
    const bulkData = () => new Uint8Array(0);
    const elements = orRefused(() => fromDicomJson(JSON.parse(json), { bulkData }));
    if (elements === undefined) return;
    const deflate = (bytes: Uint8Array) => deflateRawSync(bytes);
    orRefused(() => writeDataSet(elements, { transferSyntaxUid, deflate }));
  },
};

const piecesMost = 200;

/** How the input is to be divided: by its own bytes, so that it says all there is to a run. */
function sizesIn(input: Uint8Array): number[] {
  const least = Math.ceil(input.length / piecesMost);
  return [...input.subarray(-7)].map((byte) => Math.max(least, 1 + byte * (byte % 5 === 0 ? 19 : 1)));
}

function told(input: Uint8Array, sizes: readonly number[], options: ReaderOptions) {
  const events: string[] = [];
  const note =
    (name: string) =>
    (...what: unknown[]) =>
      void events.push(`${name} ${what.join(" ")}`);
  const reader = createReader({
    ...options,
    capture: (_tag, _vr, length) => length < 200,
    events: {
      ...Object.fromEntries(
        ["preamble", "dataSetStart", "element", "sequenceStart", "itemStart", "itemEnd", "sequenceEnd"].map((name) => [
          name,
          note(name),
        ]),
      ),
      ...Object.fromEntries(["encapsulatedStart", "fragment", "encapsulatedEnd"].map((name) => [name, note(name)])),
      value: (bytes, from, to) => void events.push(`value ${Buffer.from(bytes.subarray(from, to)).toString("hex")}`),
    },
  });
  for (let at = 0, turn = 0; at < input.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1;
    if (!reader.write(Buffer.from(input.subarray(at, at + size)))) break;
    at += size;
  }
  const { problem, bytesReceived: _, ...result } = reader.end();
  assert.ok(problem === undefined || problem.code !== "fault", problem?.message);
  return { events: events.join("\n"), result: JSON.stringify(result), problem: problem?.message };
}

/** That a stream in pieces is told of as the whole is. */
function isSame(input: Uint8Array, sizes: readonly number[], options: ReaderOptions): void {
  const [divided, whole] = [told(input, sizes, options), told(input, [input.length], options)];
  // What was inflated in front of the damage is read only where it had come in a piece of its own.
  if (whole.problem?.includes("deflated") === true) {
    assert.notEqual(divided.problem, undefined);
    assert.ok(divided.events.startsWith(whole.events));
  } else assert.deepEqual(divided, whole);
}

/** A file, or the same bytes as a bare data set, in pieces of any size: what is told is the same. */
export const piecesTarget = {
  cpuMsMax: 100,
  seeds: files,
  words,
  built: builtFile,
  run(input: Uint8Array): void {
    const sizes = sizesIn(input);
    isSame(input, sizes, {});
    for (const transferSyntaxUid of [implicitLittleEndian, explicitBigEndian]) {
      isSame(input, sizes, { transferSyntaxUid });
    }
    const header = createHeaderReader({ wanted: [Tag.SOPInstanceUID, Tag.StudyInstanceUID, Tag.PatientName] });
    header.write(input);
    readAll(header.header().dataSet);
    orRefused(() => readFile(input, { stopBefore: pixelDataTags }));
  },
};

/** The head of an element that was divided by the end of a piece has gone by when it turns out to be none. */
const dividedHeadBytesMax = 11;

/** Whatever comes is divided into two halves that give it back bit for bit, and nothing that was not understood stays. */
export const halvesTarget = {
  cpuMsMax: 100,
  seeds: files,
  words,
  built: builtFile,
  run(input: Uint8Array): void {
    const sizes = sizesIn(input);
    let failedAt = Number.POSITIVE_INFINITY;
    const unread = (offset: number) => {
      failedAt = offset;
    };
    for (const reader of [{}, { transferSyntaxUid: implicitLittleEndian }]) {
      failedAt = Number.POSITIVE_INFINITY;
      const halves = divide(input, { sizes, reader: { ...reader, events: { unread } } });
      assert.ok(Buffer.from(together(halves)).equals(input), "the halves give other bytes");
      assert.ok(
        halves.image.subarray(Math.min(failedAt + dividedHeadBytesMax, input.length)).every((byte) => byte === 0),
        "something stays behind the failure",
      );
    }
  },
};

const jsonKey = fc.oneof(
  fc.constantFrom("00100010", "00080005", "0040A730", "7FE00010", "__proto__", "constructor", "toString", "0010001G"),
  fc.stringMatching(/^[0-9A-F]{8}$/),
);
const { jsonElement } = fc.letrec<{ jsonElement: unknown; jsonSet: unknown }>((tie) => ({
  jsonSet: fc.dictionary(jsonKey, tie("jsonElement"), { maxKeys: 5 }),
  jsonElement: fc.record(
    {
      vr: fc.oneof(fc.constantFrom<string>(...allVrs), fc.string()),
      Value: fc.oneof(
        { maxDepth: 4, depthSize: "small" },
        fc.array(fc.oneof(fc.string(), fc.double(), fc.constant(null), fc.record({ Alphabetic: fc.string() })), {
          maxLength: 4,
        }),
        fc.anything({ maxDepth: 2 }).filter((value) => typeof value !== "bigint"),
        fc.array(tie("jsonSet"), { maxLength: 3 }),
      ),
      InlineBinary: fc.base64String(),
      BulkDataURI: fc.webUrl(),
    },
    { requiredKeys: ["vr"] },
  ),
}));
const builtJson = fc.dictionary(jsonKey, jsonElement, { maxKeys: 8 }).map((json) => {
  try {
    return Uint8Array.from(Buffer.from(JSON.stringify(json)));
  } catch {
    return Uint8Array.from(Buffer.from("{}"));
  }
});

/** DICOM JSON from anyone: refused, or elements that can be written and read. */
export const jsonTarget = {
  cpuMsMax: 100,
  seeds: (): Uint8Array[] =>
    files().map((file) => Uint8Array.from(Buffer.from(JSON.stringify(toDicomJson(readFile(file).dataSet))))),
  words: [
    '"Value":[',
    '{"vr":"SQ","Value":[{',
    '"__proto__":',
    '"constructor":',
    '"InlineBinary":"AA=="',
    "null",
    "1e999",
    '"\\ud800"',
  ].map((text) => Uint8Array.from(Buffer.from(text))),
  built: builtJson,
  run(input: Uint8Array): void {
    let json: unknown;
    try {
      json = JSON.parse(Buffer.from(input).toString());
    } catch {
      return;
    }
    const names = Object.getOwnPropertyNames(Object.prototype).join();
    const elements = orRefused(() => fromDicomJson(json));
    assert.equal(Object.getOwnPropertyNames(Object.prototype).join(), names, "the prototype of all objects changed");
    if (elements === undefined) return;
    const bytes = orRefused(() => writeDataSet(elements, { transferSyntaxUid: explicitLittleEndian }));
    const written = bytes && orRefused(() => readFile(Buffer.concat([bytes]), { partial: true }));
    if (written !== undefined) toDicomJson(written.dataSet);
  },
};

const modelWords = [
  "<DicomAttribute ",
  'tag="00400275" vr="SQ">',
  '<Item number="1">',
  "</Item>",
  "<PersonName",
  "&#0;",
  "&amp;",
]
  .concat(["<!DOCTYPE a [", "<!ENTITY", "<![CDATA[", "]]>", "<!--", "-->", "<?xml", "?>", "</", "/>", "&#xD800;"])
  .map((text) => Uint8Array.from(Buffer.from(text)));

/** The Native DICOM Model from anyone: refused, or JSON that is written as the same model again. */
export const modelTarget = {
  cpuMsMax: 100,
  seeds: (): Uint8Array[] =>
    files().map((file) => Uint8Array.from(Buffer.from(writeNativeModel(toDicomJson(readFile(file).dataSet))))),
  words: modelWords,
  run(input: Uint8Array): void {
    const json = orRefused(() => readNativeModel(Buffer.from(input).toString()));
    if (json === undefined) return;
    const written = orRefused(() => writeNativeModel(json));
    if (written !== undefined)
      assert.deepEqual(
        orRefused(() => readNativeModel(written)),
        json,
      );
    orRefused(() => fromDicomJson(json));
  },
};

const characterSets = [
  "",
  "ISO_IR 6",
  "ISO_IR 13",
  "ISO_IR 100",
  "ISO_IR 144",
  "ISO_IR 166",
  "ISO_IR 192",
  "GB18030",
  "GBK",
].concat([
  "ISO 2022 IR 6",
  "ISO 2022 IR 13",
  "ISO 2022 IR 58",
  "ISO 2022 IR 87",
  "ISO 2022 IR 149",
  "ISO 2022 IR 159",
  "nonsense",
]);
const textVrs: readonly Vr[] = ["PN", "LO", "SH", "ST", "UT", "CS"];

/** Text in any character set: its first four bytes choose sets and VR. */
export const textTarget = {
  cpuMsMax: 100,
  seeds: (): Uint8Array[] =>
    [
      "Wang^XiaoDong=\x1b$)A\x0e\x1b$B;3ED\x1b(B^",
      "\xcf\xe0\x82\x30\x81\x30\\\x81",
      "a\\b\\c^d=e=f",
      "\xe5\xb1\xb1\\\xed\xa0\x80",
    ].flatMap((text) =>
      characterSets.map((_, index) =>
        Uint8Array.from(Buffer.concat([word(index, index + 3, 0, index), Buffer.from(text, "latin1")])),
      ),
    ),
  words: [
    "\x1b$B",
    "\x1b(J",
    "\x1b$)C",
    "\x1b$(D",
    "\x1b-A",
    "\x1b",
    "\\",
    "^",
    "=",
    "\x84\x31\xa4\x39",
    "\xf0\x90\x80\x80",
    "\0",
  ].map((text) => Uint8Array.from(Buffer.from(text, "latin1"))),
  run(input: Uint8Array): void {
    const [first = 0, second = 0, count = 0, kind = 0] = input;
    const sets = [first, second, first ^ second]
      .slice(0, count % 4)
      .map((each) => characterSets[each % characterSets.length]!);
    const vr = textVrs[kind % textVrs.length]!;
    const bytes = input.subarray(4);
    const text = decodeText(bytes, sets, vr);
    assert.ok(text.length <= bytes.length, "more characters than bytes");
    const values = splitValues(bytes, sets, vr);
    assert.ok(values.reduce((sum, value) => sum + value.length, 0) <= bytes.length);
    for (const value of values.slice(0, 100)) decodeText(value, sets, vr);
    const again = orRefused(() => encodeText(text, sets, vr));
    if (again !== undefined) decodeText(again, sets, vr);
  },
};
