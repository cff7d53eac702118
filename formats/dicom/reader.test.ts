import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateRawSync } from "node:zlib";
import fc from "fast-check";
import { isProblem } from "#base/problem";
import { type ElementInput, elementsOf } from "./element-input.ts";
import { parseDataSet, readDataSet, readFile } from "./read-data-set.ts";
import { createReader, type ReaderOptions } from "./reader.ts";
import { Tag } from "./tags.ts";
import { TransferSyntaxUid } from "./transfer-syntaxes.ts";
import { writeDataSet, writeFile } from "./writer.ts";

const { explicitLittleEndian, implicitLittleEndian, explicitBigEndian, deflatedExplicitLittleEndian } =
  TransferSyntaxUid;
const hex = (text: string) => Uint8Array.from(Buffer.from(text.replaceAll(/[^0-9a-f]/g, ""), "hex"));

function read(bytes: Uint8Array, options: ReaderOptions = { transferSyntaxUid: explicitLittleEndian }) {
  const tags: string[] = [];
  const reader = createReader({
    ...options,
    events: {
      element: (tag, vr, offset, length, depth) =>
        void tags.push(`${tag.toString(16)} ${vr} ${offset} ${length} ${depth}`),
      sequenceStart: (tag, vr, offset, length) => void tags.push(`${tag.toString(16)} ${vr} ${offset} ${length} [`),
      sequenceEnd: (offset) => void tags.push(`] ${offset}`),
      ...options.events,
    },
  });
  reader.write(bytes);
  return { ...reader.end(), tags };
}

const meta = (transferSyntaxUid: string) => ({
  mediaStorageSopClassUid: "1.2.840.10008.5.1.4.1.1.2",
  mediaStorageSopInstanceUid: "2.25.1",
  transferSyntaxUid,
  implementationClassUid: "2.25.2",
  implementationVersionName: "TEST",
});

test("A private sequence of VR UN and undefined length is read as implicit VR little endian, also in big endian", () => {
  const inner = "feff00e0 ffffffff 10001000 04000000 415e4220 feff0de0 00000000 feffdde0 00000000";
  const big = hex(`0029 1010 554e 0000 ffffffff ${inner} 0040 0100 5553 0000`);
  const { tags, problem } = read(big, { transferSyntaxUid: explicitBigEndian });
  assert.equal(problem, undefined);
  assert.deepEqual(tags, ["291010 UN 12 4294967295 [", "100010 PN 28 4 1", "] 48", "400100 US 56 0 0"]);
  const item = readDataSet(big, { transferSyntaxUid: explicitBigEndian }).items(0x00291010)![0]!;
  assert.equal(item.text(Tag.PatientName), "A^B");
  assert.equal(item.bigEndian, false);
});

test("The reader stops in front of pixel data and says where it is", () => {
  const bytes = writeDataSet(elementsOf({ Rows: 2, Columns: 2, PixelData: new Uint8Array(8) }), {
    transferSyntaxUid: explicitLittleEndian,
  });
  const { stoppedAt, tags, complete } = read(bytes, {
    transferSyntaxUid: explicitLittleEndian,
    stopBefore: [Tag.PixelData],
  });
  assert.equal(complete, true);
  assert.equal(tags.length, 2);
  assert.deepEqual(stoppedAt, { tag: Tag.PixelData, vr: "OW", headOffset: 20, valueOffset: 32, length: 8 });
});

test("The reader stops in front of the first tag beyond the last that is wanted, a sequence and a group from 8000 on too", () => {
  const rows = elementsOf({ PatientID: "1", ReferencedImageSequence: [{ PixelSpacing: ["1", "2"] }], Rows: 2 });
  const odd: ElementInput = { tag: 0x80010010, vr: "LO", value: "x" };
  const bytes = writeDataSet([...rows, odd], { transferSyntaxUid: explicitLittleEndian });
  const stop = (stopBeyond: number) => read(bytes, { transferSyntaxUid: explicitLittleEndian, stopBeyond });
  assert.deepEqual([stop(-1).stoppedAt?.tag, stop(-1).tags.length], [0x00081140, 0]);
  assert.equal(stop(0x00081140).stoppedAt?.tag, Tag.PatientID, "what is in an item is beyond nothing");
  assert.equal(stop(Tag.PatientID).stoppedAt?.tag, Tag.Rows);
  assert.equal(stop(Tag.Rows).stoppedAt?.tag, odd.tag);
  assert.deepEqual([stop(odd.tag).stoppedAt, stop(odd.tag).complete], [undefined, true]);
});

test("Where a reading of a deflated data set stops or fails, no more of it is inflated", () => {
  const elements = elementsOf({ PatientID: "1", Rows: 2, PixelData: new Uint8Array(10_000_000) });
  const options = { transferSyntaxUid: deflatedExplicitLittleEndian };
  const bytes = writeDataSet(elements, { ...options, deflate: deflateRawSync });
  const inflated = (more: ReaderOptions) => {
    let size = 0;
    const { stoppedAt, problem } = read(bytes, { ...options, ...more, onInflated: (piece) => (size += piece.length) });
    return { size, stoppedAt, problem };
  };
  assert.ok(inflated({}).size > 10_000_000);
  for (const more of [{ stopBefore: [Tag.PixelData] }, { stopBeyond: Tag.Rows }, { limits: { elementsMax: 1 } }]) {
    const { size, stoppedAt, problem } = inflated(more);
    assert.ok(size < 100_000, String(size));
    assert.equal(problem === undefined ? stoppedAt?.tag : problem.code, "limits" in more ? "too-large" : Tag.PixelData);
  }
});

test("An implicit data set in a file labelled explicit is read as what it is, and the other way round", () => {
  const elements = elementsOf({ SpecificCharacterSet: "ISO_IR 100", PatientName: "Doe^Jane", Rows: 7 });
  for (const [label, real] of [
    [TransferSyntaxUid.jpegBaseline8Bit, implicitLittleEndian],
    [implicitLittleEndian, explicitLittleEndian],
  ] as const) {
    const dataSet = readDataSet(writeDataSet(elements, { transferSyntaxUid: real }), { transferSyntaxUid: label });
    assert.equal(dataSet.text(Tag.PatientName), "Doe^Jane");
    assert.equal(dataSet.number(Tag.Rows), 7);
  }
});

test("A file without preamble, without meta information, or without group length is read", () => {
  const elements = elementsOf({ Modality: "CT", PatientID: "1" });
  const file = writeFile(meta(explicitLittleEndian), elements);
  const bare = writeDataSet(elements, { transferSyntaxUid: explicitBigEndian });
  assert.equal(readFile(file.subarray(132)).dataSet.text(Tag.PatientID), "1");
  assert.equal(readFile(bare).transferSyntaxUid, explicitBigEndian);
  assert.equal(readFile(bare).dataSet.text(Tag.PatientID), "1");
  const noGroupLength = new Uint8Array([...file.subarray(0, 132), ...file.subarray(144)]);
  assert.equal(readFile(noGroupLength).dataSet.text(Tag.PatientID), "1");
});

test("Every way of running over a budget is too-large and names the place, not the value", () => {
  const nested = (depth: number): ElementInput[] =>
    depth === 0 ? elementsOf({ PatientName: "SECRET" }) : [{ tag: 0x00081140, vr: "SQ", value: [nested(depth - 1)] }];
  const deep = writeDataSet(nested(5), { transferSyntaxUid: explicitLittleEndian });
  const many = writeDataSet(elementsOf({ PatientName: "SECRET", PatientID: "SECRET", Rows: 1 }), {
    transferSyntaxUid: explicitLittleEndian,
  });
  const bomb = deflateRawSync(Buffer.alloc(40_000_000));
  const cases: readonly (readonly [Uint8Array, ReaderOptions, RegExp])[] = [
    [deep, { limits: { depthMax: 4 } }, /nest deeper than 4: \(0008,1140\)\[0\]\.\(0008,1140\)/],
    [many, { limits: { elementsMax: 2 } }, /more than 2 elements: \(0028,0010\), byte 28/],
    [many, { limits: { bytesMax: 10 } }, /more than 10 bytes/],
    [many, { limits: { capturedBytesMax: 8 }, capture: () => true }, /more than 8 bytes of values: \(0010,0020\)/],
    [bomb, { transferSyntaxUid: deflatedExplicitLittleEndian, limits: { inflateRatioMax: 50 } }, /more than 50 times/],
  ];
  for (const [bytes, options, message] of cases) {
    const { problem } = read(bytes, { transferSyntaxUid: explicitLittleEndian, ...options });
    assert.ok(isProblem(problem, "too-large"), String(problem));
    assert.match(problem.message, message);
    assert.doesNotMatch(problem.message, /SECRET/);
  }
});

test("A truncated file gives what was there and says what lacks", () => {
  const file = writeFile(meta(explicitLittleEndian), elementsOf({ PatientID: "1234", Rows: 512, Columns: 512 }));
  const cut = file.subarray(0, file.length - 1);
  assert.throws(
    () => readFile(cut),
    (error) => isProblem(error, "invalid") && /ends 1 bytes before a value does: \(0028,0011\)/.test(error.message),
  );
  const { dataSet, problem } = readFile(cut, { partial: true });
  assert.equal(dataSet.text(Tag.PatientID), "1234");
  assert.ok(isProblem(problem, "invalid"));
  const headless = readFile(file.subarray(0, 150), { partial: true });
  assert.ok(isProblem(headless.problem, "invalid"));
});

test("A length that the input does not have costs no memory", () => {
  const lies = hex("28000010 4f570000 f0ffffff 0000");
  const before = process.memoryUsage().arrayBuffers;
  const { problem, tags } = read(lies, {
    transferSyntaxUid: explicitLittleEndian,
    capture: (_t, _v, n) => n < 2 ** 32,
  });
  assert.ok(isProblem(problem));
  assert.ok(process.memoryUsage().arrayBuffers - before < 1_000_000);
  assert.ok(tags.length <= 1);
});

test("Damaged and random input ends with a result or a Problem, whole or in pieces, and the same", () => {
  const sample = writeFile(
    meta(explicitLittleEndian),
    elementsOf({
      SpecificCharacterSet: ["", "ISO 2022 IR 87"],
      PatientName: "Yamada^Tarou",
      ReferencedImageSequence: [{ ReferencedSOPInstanceUID: "1.2" }, { PixelSpacing: ["1", "2"] }],
      RequestAttributesSequence: [{ ScheduledProtocolCodeSequence: [{ CodeValue: "1" }] }],
      PixelData: new Uint8Array(32),
    }),
    { sequences: "delimiters" },
  );
  const damage = fc.array(fc.tuple(fc.nat({ max: sample.length - 1 }), fc.nat({ max: 255 })), { maxLength: 6 });
  const damaged = damage.map((changes) => {
    const bytes = sample.slice();
    for (const [at, byte] of changes) bytes[at] = byte;
    return bytes;
  });
  const syntaxes = [undefined, ...Object.values(TransferSyntaxUid)];
  fc.assert(
    fc.property(
      fc.oneof(damaged, fc.uint8Array({ maxLength: 300 })),
      fc.constantFrom(...syntaxes),
      fc.integer({ min: 1, max: 50 }),
      (bytes, uid, size) => {
        const options = uid === undefined ? {} : { transferSyntaxUid: uid };
        const whole = read(bytes, options);
        const log: string[] = [];
        const reader = createReader({
          ...options,
          events: {
            element: (tag, vr, offset, length, depth) =>
              void log.push(`${tag.toString(16)} ${vr} ${offset} ${length} ${depth}`),
            sequenceStart: (tag, vr, offset, length) =>
              void log.push(`${tag.toString(16)} ${vr} ${offset} ${length} [`),
            sequenceEnd: (offset) => void log.push(`] ${offset}`),
          },
        });
        for (let at = 0; at < bytes.length && reader.write(bytes.slice(at, at + size)); at += size);
        assert.equal(reader.end().problem?.message, whole.problem?.message);
        assert.deepEqual(log, whole.tags);
        const { dataSet, problem } = uid === undefined ? readFile(bytes, { partial: true }) : parsed(bytes, uid);
        assert.equal(problem?.message, whole.problem?.message);
        for (const element of dataSet) {
          dataSet.textsOf(element);
          dataSet.numbersOf(element);
        }
      },
    ),
    { numRuns: 4000, seed: 5 },
  );
});

function parsed(bytes: Uint8Array, transferSyntaxUid: string) {
  return parseDataSet(bytes, { transferSyntaxUid, partial: true });
}
