import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateRawSync } from "node:zlib";
import fc from "fast-check";
import { isProblem } from "#base/problem";
import type { DataSet } from "./data-set.ts";
import { implicitVrOf } from "./dictionary.ts";
import { type ElementInput, elementsOf } from "./element-input.ts";
import { readDataSet, readFile } from "./read-data-set.ts";
import { createReader } from "./reader.ts";
import { Tag } from "./tags.ts";
import { TransferSyntaxUid } from "./transfer-syntaxes.ts";
import { decimalString } from "./value-bytes.ts";
import { allVrs, type Vr, vrTable } from "./vr.ts";
import { writeDataSet, writeFile } from "./writer.ts";

const syntaxes = [
  TransferSyntaxUid.implicitLittleEndian,
  TransferSyntaxUid.explicitLittleEndian,
  TransferSyntaxUid.explicitBigEndian,
  TransferSyntaxUid.deflatedExplicitLittleEndian,
] as const;
const deflate = (bytes: Uint8Array) => deflateRawSync(bytes);

/** Tags of a private block, one for each VR, so that generated data sets hold every VR in explicit syntaxes. */
const privateTag = (vr: Vr) => 0x00991000 + allVrs.indexOf(vr);

function valueFor(vr: Vr): fc.Arbitrary<string[] | number[] | bigint[] | Uint8Array> {
  const { kind, unitBytes } = vrTable[vr];
  if (kind === "bytes") {
    return fc.uint8Array({ maxLength: 6 }).map((units) => {
      const unit = vr === "OB" || vr === "UN" ? 2 : unitBytes;
      return Uint8Array.from({ length: units.length * unit }, (_, i) => units[Math.floor(i / unit)]! ^ i);
    });
  }
  if (vr === "SV") return fc.array(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), { maxLength: 3 });
  if (vr === "UV") return fc.array(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), { maxLength: 3 });
  if (vr === "FD") return fc.array(fc.double({ noNaN: true }), { maxLength: 3 });
  if (vr === "FL") return fc.array(fc.float({ noNaN: true }), { maxLength: 3 });
  if (kind === "number") {
    const signed = vr === "SS" || vr === "SL";
    const bits = vr === "US" || vr === "SS" ? 16 : 32;
    const min = signed ? -(2 ** (bits - 1)) : 0;
    return fc.array(fc.integer({ min, max: min + 2 ** bits - 1 }), { maxLength: 3 });
  }
  const unit = fc.constantFrom(...(kind === "words" ? "aZ9Äéπ東" : "A09."));
  const word = fc.string({ unit, minLength: 1, maxLength: 12 });
  return fc.array(word, { maxLength: vrTable[vr].multiple ? 3 : 1 });
}

const elementFor = (vr: Vr, tag: number): fc.Arbitrary<ElementInput> =>
  valueFor(vr).map((value) => ({ tag, vr, value }));

const valueVrs = allVrs.filter((vr) => vr !== "SQ");
const known = [0x00080060, 0x00100010, 0x00100020, 0x00180050, 0x0020000d, 0x00280010, 0x00281050, 0x00209057];

const { dataSet: generated } = fc.letrec<{ dataSet: ElementInput[]; sequence: ElementInput }>((tie) => ({
  dataSet: fc
    .record({
      plain: fc.uniqueArray(fc.constantFrom(...valueVrs), { maxLength: 10 }),
      standard: fc.uniqueArray(fc.constantFrom(...known), { maxLength: 5 }),
      sequences: fc.oneof(
        { maxDepth: 3, depthSize: "small", withCrossShrink: true },
        fc.constant([]),
        fc.array(tie("sequence"), { minLength: 1, maxLength: 1 }),
      ),
    })
    .chain(({ plain, standard, sequences }) =>
      fc
        .tuple(
          ...standard.map((tag) => elementFor(implicitVrOf(tag), tag)),
          ...plain.map((vr) => elementFor(vr, privateTag(vr))),
        )
        .map((elements) => [...elements, ...sequences]),
    ),
  sequence: fc
    .array(tie("dataSet"), { maxLength: 3 })
    .map((value) => ({ tag: 0x00081140, vr: "SQ" as const, value: value as ElementInput[][] })),
}));

const utf8: ElementInput = { tag: Tag.SpecificCharacterSet, vr: "CS", value: "ISO_IR 192" };

/** A read data set as the values that were given to the writer. */
function valuesOf(dataSet: DataSet): unknown[] {
  return dataSet.elements.map((element) => {
    const vr = dataSet.vrOf(element);
    const value =
      element.items?.map(valuesOf) ??
      (vrTable[vr].kind === "bytes" ? [...dataSet.bytesOf(element)!] : undefined) ??
      (vr === "SV" || vr === "UV" ? dataSet.bigintsOf(element) : undefined) ??
      (vrTable[vr].kind === "number" ? dataSet.numbersOf(element) : dataSet.textsOf(element));
    return [element.tag, vr, value];
  });
}

function expected(elements: readonly ElementInput[], bigEndian: boolean): unknown[] {
  return [...elements]
    .sort((a, b) => a.tag - b.tag)
    .map(({ tag, vr, value }) => {
      if (vr === "SQ") return [tag, vr, (value as ElementInput[][]).map((item) => expected(item, bigEndian))];
      if (!(value instanceof Uint8Array)) return [tag, vr, value];
      const unit = bigEndian ? vrTable[vr].unitBytes : 1;
      const units = Array.from({ length: value.length / unit }, (_, i) => [
        ...value.subarray(i * unit, i * unit + unit),
      ]);
      return [tag, vr, units.flatMap((bytes) => bytes.reverse())];
    });
}

/** In implicit VR a private element has no VR: its bytes are compared as UN. */
function withoutPrivate(elements: readonly ElementInput[]): ElementInput[] {
  return elements
    .filter(({ tag }) => ((tag >>> 16) & 1) === 0)
    .map((element) =>
      element.vr === "SQ" ? { ...element, value: (element.value as ElementInput[][]).map(withoutPrivate) } : element,
    );
}

test("What is written is read again, in every way of writing a data set", () => {
  fc.assert(
    fc.property(
      generated,
      fc.constantFrom(...syntaxes),
      fc.constantFrom("lengths", "delimiters"),
      (elements, uid, sequences) => {
        const implicit = uid === TransferSyntaxUid.implicitLittleEndian;
        const given = [utf8, ...(implicit ? withoutPrivate(elements) : elements)];
        const bytes = writeDataSet(given, { transferSyntaxUid: uid, deflate, sequences });
        const read = readDataSet(bytes, { transferSyntaxUid: uid });
        const bigEndian = uid === TransferSyntaxUid.explicitBigEndian;
        const wanted = expected([{ ...utf8, value: ["ISO_IR 192"] }, ...given.slice(1)], bigEndian);
        assert.deepEqual(valuesOf(read), wanted);
        assert.deepEqual(writeDataSet(read, { transferSyntaxUid: uid, deflate, sequences }), bytes);
      },
    ),
    { numRuns: 500, seed: 20 },
  );
});

test("Any split of the stream tells the same events and values", () => {
  const logOf = (pieces: Iterable<Uint8Array>, transferSyntaxUid: string | undefined) => {
    const log: string[] = [];
    const note =
      (name: string) =>
      (...args: unknown[]) =>
        void log.push(`${name} ${args.join(" ")}`);
    const reader = createReader({
      ...(transferSyntaxUid === undefined ? {} : { transferSyntaxUid }),
      capture: () => true,
      events: {
        element: note("element"),
        value: (bytes, from, to) => void log.push(Buffer.from(bytes.subarray(from, to)).toString("hex")),
        sequenceStart: note("sequence"),
        sequenceEnd: note("sequence end"),
        itemStart: note("item"),
        itemEnd: note("item end"),
        encapsulatedStart: note("encapsulated"),
        fragment: note("fragment"),
        encapsulatedEnd: note("encapsulated end"),
      },
    });
    for (const piece of pieces) if (!reader.write(piece)) break;
    log.push(String(reader.end().problem?.message));
    return log;
  };
  function* pieces(bytes: Uint8Array, sizes: readonly number[]) {
    for (let at = 0, i = 0; at < bytes.length; at += sizes[i++ % sizes.length]!) {
      yield bytes.slice(at, at + sizes[i % sizes.length]!); // a fresh copy each: nothing may be kept of a piece
    }
  }
  fc.assert(
    fc.property(
      generated,
      fc.constantFrom(...syntaxes),
      fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 4 }),
      fc.boolean(),
      fc.nat({ max: 30 }),
      (elements, uid, sizes, asFile, cut) => {
        const given = [utf8, ...elements];
        const meta = {
          mediaStorageSopClassUid: "1.2.840.10008.5.1.4.1.1.2",
          mediaStorageSopInstanceUid: "2.25.1",
          transferSyntaxUid: uid,
          implementationClassUid: "2.25.2",
          implementationVersionName: "TEST",
        };
        const whole = asFile
          ? writeFile(meta, given, { deflate })
          : writeDataSet(given, { transferSyntaxUid: uid, deflate });
        const bytes = whole.subarray(0, Math.max(0, whole.length - (cut > 20 ? cut : 0)));
        const bare = asFile ? undefined : uid;
        assert.deepEqual(logOf(pieces(bytes, sizes), bare), logOf([bytes], bare));
      },
    ),
    { numRuns: 300, seed: 21 },
  );
});

test("A data set is written whole wherever the buffer has to grow", () => {
  for (let size = 4050; size < 4110; size += 1) {
    const elements: ElementInput[] = [
      { tag: 0x00091001, vr: "OB", value: new Uint8Array(size + (size % 2)) },
      { tag: 0x00100020, vr: "LO", value: size % 2 === 0 ? "A" : "ABCDEFGHI" },
      { tag: 0x00200052, vr: "UI", value: "1.2.3" },
      { tag: 0x7fe00010, vr: "OW", value: new Uint8Array(9000) },
    ];
    const read = readDataSet(writeDataSet(elements, { transferSyntaxUid: syntaxes[1] }), {
      transferSyntaxUid: syntaxes[1],
    });
    assert.deepEqual(
      read.elements.map(({ vr }) => vr),
      ["OB", "LO", "UI", "OW"],
    );
    assert.equal(read.text(0x00200052), "1.2.3");
  }
});

test("A file holds preamble, group 0002 with its length, and encapsulated pixel data with even fragments", () => {
  const file = writeFile(
    {
      mediaStorageSopClassUid: "1.2.840.10008.5.1.4.1.1.7",
      mediaStorageSopInstanceUid: "2.25.7",
      transferSyntaxUid: TransferSyntaxUid.jpegBaseline8Bit,
      implementationClassUid: "2.25.2",
      implementationVersionName: "TEST",
      sourceAe: "CT1",
    },
    elementsOf({
      PatientName: "Röntgen^Wilhelm",
      SpecificCharacterSet: "ISO_IR 100",
      PixelData: { fragments: [new Uint8Array(0), Uint8Array.of(0xff, 0xd8, 0xff)] },
    }),
  );
  const { meta, dataSet, transferSyntaxUid, dataSetOffset } = readFile(file);
  assert.equal(transferSyntaxUid, TransferSyntaxUid.jpegBaseline8Bit);
  assert.equal(meta.text(Tag.SourceApplicationEntityTitle), "CT1");
  const groupLength = meta.get(Tag.FileMetaInformationGroupLength)!;
  assert.equal(meta.number(Tag.FileMetaInformationGroupLength), dataSetOffset - groupLength.offset - 4);
  assert.deepEqual([...dataSet.bytes(Tag.PatientName)!.subarray(0, 3)], [0x52, 0xf6, 0x6e]);
  assert.equal(dataSet.text(Tag.PatientName), "Röntgen^Wilhelm");
  const fragments = dataSet.get(Tag.PixelData)!.fragments!;
  assert.deepEqual(
    fragments.map((one) => [...dataSet.range(one)]),
    [[], [0xff, 0xd8, 0xff, 0]],
  );
});

test("A value too long for a 16-bit length is written as UN, and read back byte for byte", () => {
  const long = "1\\".repeat(40_000);
  const bytes = writeDataSet([{ tag: 0x00281050, vr: "DS", value: long }], {
    transferSyntaxUid: TransferSyntaxUid.explicitLittleEndian,
  });
  const read = readDataSet(bytes, { transferSyntaxUid: TransferSyntaxUid.explicitLittleEndian });
  assert.equal(read.vr(0x00281050), "UN");
  assert.equal(read.bytes(0x00281050)!.length, 80_000);
});

test("A number becomes a decimal string of at most 16 characters that is nearest to it", () => {
  fc.assert(
    fc.property(fc.double({ min: -1e300, max: 1e300, noNaN: true }), (value) => {
      const text = decimalString(value);
      assert.ok(text.length <= 16, text);
      assert.match(text, /^[+-]?[0-9]*\.?[0-9]*(e[+-]?[0-9]+)?$/i);
      assert.ok(
        Math.abs(Number(text) - value) <= Math.abs(value) * 1e-7 || Math.abs(value) < 1e-300,
        `${value} ${text}`,
      );
    }),
    { numRuns: 2000, seed: 3 },
  );
});

test("What does not fit its VR is refused without a word of the value", () => {
  const secret = "Mustermann";
  const write = (element: ElementInput) => writeDataSet([element], { transferSyntaxUid: syntaxes[1] });
  for (const element of [
    { tag: Tag.Rows, vr: "US", value: secret },
    { tag: Tag.PatientName, vr: "PN", value: `${secret}東` },
    { tag: 0x00081140, vr: "SQ", value: secret },
    { tag: Tag.PixelData, vr: "OB", value: { fragments: [] } },
  ] satisfies ElementInput[]) {
    assert.throws(
      () => write(element),
      (error) => isProblem(error, "invalid") && !error.message.includes(secret),
    );
  }
  assert.throws(
    () => writeDataSet([], { transferSyntaxUid: TransferSyntaxUid.deflatedExplicitLittleEndian }),
    (error) => isProblem(error, "unsupported"),
  );
});
