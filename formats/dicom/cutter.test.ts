import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { deflateRawSync } from "node:zlib";
import fc from "fast-check";
import { isProblem } from "#base/problem";
import { assertNothingIdentifies, divide, together } from "./cutter.fixture.ts";
import { createCutter } from "./cutter.ts";
import type { DataSet } from "./data-set.ts";
import { elementsOf } from "./element-input.ts";
import { isIdentifying } from "./identifying.ts";
import { readDataSet, readFile } from "./read-data-set.ts";
import { createReader } from "./reader.ts";
import { hexOfTag, isPrivateTag, Tag } from "./tags.ts";
import { encodingOf, TransferSyntaxUid } from "./transfer-syntaxes.ts";
import { writeDataSet, writeFile, writeMeta } from "./writer.ts";

const { explicitLittleEndian, implicitLittleEndian, explicitBigEndian, deflatedExplicitLittleEndian } =
  TransferSyntaxUid;
const latin1 = (bytes: Uint8Array) => Buffer.from(bytes).toString("latin1");
const meta = (transferSyntaxUid: string) => ({
  mediaStorageSopClassUid: "1.2.840.10008.5.1.4.1.1.2",
  mediaStorageSopInstanceUid: "2.25.11.13",
  transferSyntaxUid,
  implementationClassUid: "2.25.2",
  implementationVersionName: "TEST",
  sourceAe: "SCANNER7",
});

/** An element as the tests write it: in any order, any number of times, in whatever way it can be written. */
type Node =
  | { readonly tag: number; readonly vr: string; readonly value: Uint8Array }
  | { readonly tag: number; readonly vr: "SQ" | "UN"; readonly items: readonly Node[][]; readonly delimited: boolean }
  | { readonly tag: number; readonly vr: "OB"; readonly fragments: readonly Uint8Array[] };

interface Writing {
  readonly explicit: boolean;
  readonly big: boolean;
  /** Writes the image half. */
  readonly blank: boolean;
  readonly out: number[];
  /** Where values of known private creators lie. */
  readonly creatorsAt: (readonly [number, number])[];
}

const longVrs = new Set(["OB", "OW", "SQ", "UN"]);
const sequencesOfStandard = new Set([0x00081140, 0x00400275, 0x52009229]);

/** Writes data sets by itself, and knows by itself what is to be cut: the other opinion of these tests. */
function write(w: Writing, nodes: readonly Node[], cut: boolean): void {
  const creators = new Map<number, string>();
  for (const node of nodes) {
    const { tag, vr } = node;
    const declares = isPrivateTag(tag) && (tag & 0xff00) === 0 && (tag & 0xff) >= 0x10;
    const key = declares ? ((tag >>> 16) << 8) | (tag & 0xff) : tag >>> 8;
    if (declares) creators.set(key, "value" in node ? latin1(node.value).trimEnd() : "");
    const identifies = cut || isIdentifying(tag, creators.get(key) ?? "");
    if ("value" in node) {
      head(w, tag, vr, node.value.length);
      const groupLength = (tag & 0xffff) === 0;
      const hidden = cut || (groupLength ? node.value.length !== 4 : identifies || sequencesOfStandard.has(tag));
      if (declares && !hidden) w.creatorsAt.push([w.out.length, w.out.length + node.value.length]);
      w.out.push(...(hidden && w.blank ? new Uint8Array(node.value.length) : node.value));
    } else if ("fragments" in node) {
      head(w, tag, vr, 0xffffffff);
      for (const fragment of node.fragments) {
        mark(w, 0xe000, fragment.length);
        w.out.push(...(identifies && w.blank ? new Uint8Array(fragment.length) : fragment));
      }
      mark(w, 0xe0dd, 0);
    } else writeItems(w, node.tag, node.vr, node.items, node.delimited, identifies);
  }
}

function writeItems(w: Writing, tag: number, vr: string, items: readonly Node[][], delimited: boolean, cut: boolean) {
  // Where no VR says so, a sequence that is not in the dictionary is known by its undefined length alone (PS3.5 §6.2.2).
  const open = delimited || vr === "UN" || (!w.explicit && !sequencesOfStandard.has(tag));
  const inner: Writing = vr === "UN" ? { ...w, explicit: false, big: false, out: [] } : { ...w, out: [] };
  const base = w.out.length + (w.explicit ? 12 : 8);
  for (const item of items) {
    const body: Writing = { ...inner, out: [], creatorsAt: [] };
    write(body, item, cut);
    mark(inner, 0xe000, open ? 0xffffffff : body.out.length);
    for (const [from, to] of body.creatorsAt) {
      w.creatorsAt.push([base + inner.out.length + from, base + inner.out.length + to]);
    }
    inner.out.push(...body.out);
    if (open) mark(inner, 0xe00d, 0);
  }
  head(w, tag, vr, open ? 0xffffffff : inner.out.length);
  w.out.push(...inner.out);
  if (open) mark(inner.big === w.big ? w : { ...w, big: false }, 0xe0dd, 0);
}

function number(w: Writing, value: number, size: number): void {
  const bytes = Array.from({ length: size }, (_, i) => Math.floor(value / 256 ** i) % 256);
  w.out.push(...(w.big ? bytes.reverse() : bytes));
}

function head(w: Writing, tag: number, vr: string, length: number): void {
  number(w, tag >>> 16, 2);
  number(w, tag & 0xffff, 2);
  if (w.explicit) w.out.push(vr.charCodeAt(0), vr.charCodeAt(1));
  if (w.explicit && longVrs.has(vr)) w.out.push(0, 0);
  number(w, length, w.explicit && !longVrs.has(vr) ? 2 : 4);
}

function mark(w: Writing, element: number, length: number): void {
  number(w, 0xfffe, 2);
  number(w, element, 2);
  number(w, length, 4);
}

const syntaxes = [explicitLittleEndian, implicitLittleEndian, explicitBigEndian] as const;

function written(nodes: readonly Node[], uid: string, blank: boolean) {
  const w: Writing = {
    explicit: uid !== implicitLittleEndian,
    big: uid === explicitBigEndian,
    blank,
    out: [],
    creatorsAt: [],
  };
  write(w, nodes, false);
  return { bytes: Uint8Array.from(w.out), creatorsAt: w.creatorsAt };
}

const bytesOf = (text: string) => Uint8Array.from(Buffer.from(text, "latin1"));
const value = fc.uint8Array({ maxLength: 40, min: 1 }); // no zeros: what is left standing shows
const leaf = fc.record({
  tag: fc.constantFrom(
    ...[0x00080005, 0x00080016, 0x00080018, 0x00081155, 0x00100000, 0x00100010, 0x00100011, 0x00200052, 0x00280010],
    ...[0x60023000, 0x60020010, 0x50020010, 0x7fe00010, 0x9c78d1ed, 0x00190000],
  ),
  vr: fc.constantFrom("LO", "UN", "OB"),
  value: fc.oneof(value, fc.uint8Array({ minLength: 4, maxLength: 4 })),
});
const creator = fc.record({
  tag: fc.constantFrom(0x00190010, 0x00190011, 0x00290010),
  vr: fc.constantFrom("LO", "UN"),
  value: fc.constantFrom("SIEMENS MR HEADER ", "SIEMENS MR HEADER", "Doe^Jane", "", "x".repeat(80)).map(bytesOf),
});
const creatorOf = (name: string): Node => ({ tag: 0x00190010, vr: "LO", value: bytesOf(name) });
const ofMaker = fc.record({
  tag: fc.constantFrom(0x0019100c, 0x0019110c, 0x0019120c, 0x0019100b, 0x00291010, 0x0019000c),
  vr: fc.constantFrom("IS", "UN", "OB"),
  value,
});
const { nodes } = fc.letrec<{ nodes: Node[]; sequence: Node }>((tie) => ({
  nodes: fc.array(fc.oneof({ maxDepth: 3, depthSize: "small" }, leaf, creator, ofMaker, tie("sequence")), {
    maxLength: 7,
  }) as fc.Arbitrary<Node[]>,
  sequence: fc.record({
    tag: fc.constantFrom(...sequencesOfStandard, 0x00191010, 0x00190011, 0x00100012),
    vr: fc.constantFrom("SQ", "UN"),
    items: fc.array(tie("nodes"), { maxLength: 3 }),
    delimited: fc.boolean(),
  }) as fc.Arbitrary<Node>,
}));
const sizes = fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 6 });

/** What only explicit VR can say: a sequence's bytes as a value of VR UN, and values in fragments. */
const explicitOnly: fc.Arbitrary<Node> = fc.oneof(
  fc.record({ tag: fc.constantFrom(...sequencesOfStandard), vr: fc.constant("UN"), value }),
  fc.record({
    tag: fc.constantFrom(0x00420011, 0x7fe00010, 0x00280010),
    vr: fc.constant("OB" as const),
    fragments: fc.array(value, { maxLength: 3 }),
  }),
);
const anyDataSet = fc.constantFrom(...syntaxes).chain((uid) =>
  fc.record({
    uid: fc.constant(uid),
    nodes:
      uid === implicitLittleEndian
        ? nodes
        : fc.tuple(nodes, fc.array(explicitOnly, { maxLength: 2 })).map(([all, more]) => [...all, ...more]),
  }),
);

test("The image half is what came, with zeros for every value that identifies, in any order and at any depth", () => {
  fc.assert(
    fc.property(anyDataSet, ({ uid, nodes }) => {
      const { bytes } = written(nodes, uid, false);
      const halves = divide(bytes, { reader: { transferSyntaxUid: uid } });
      assert.equal(halves.read.problem, undefined);
      assert.deepEqual(halves.image, Buffer.from(written(nodes, uid, true).bytes));
      assert.deepEqual(together(halves), bytes);
    }),
    { numRuns: 1500, seed: 21 },
  );
});

test("However the stream is divided into pieces, the halves are the same", () => {
  fc.assert(
    fc.property(anyDataSet, sizes, ({ uid, nodes }, sizes) => {
      const { bytes, creatorsAt } = written(nodes, uid, false);
      const reader = { transferSyntaxUid: uid };
      const whole = divide(bytes, { reader });
      const halves = divide(bytes, { reader, sizes });
      assert.deepEqual(together(halves), bytes);
      // A known private creator that the end of a piece divides counts as unknown: then more is cut, never less.
      assert.ok(halves.image.every((byte, i) => byte === 0 || byte === whole.image[i]));
      if (creatorsAt.some(([from, to]) => isDivided(from, to, sizes))) return;
      assert.deepEqual(halves.image, whole.image);
      assert.deepEqual(halves.table, whole.table);
      assert.deepEqual(halves.cuts, whole.cuts);
    }),
    { numRuns: 1500, seed: 22 },
  );
});

function isDivided(from: number, to: number, sizes: readonly number[]): boolean {
  for (let at = 0, i = 0; at < to; i += 1) {
    if (at > from) return true;
    at += sizes[i % sizes.length]!;
  }
  return false;
}

test("Damaged streams are divided too: they mend, and behind the place of the failure nothing stays", () => {
  fc.assert(
    fc.property(
      anyDataSet,
      sizes,
      fc.array(fc.tuple(fc.nat({ max: 400 }), fc.nat({ max: 255 })), { maxLength: 4 }),
      fc.nat({ max: 200 }),
      ({ uid, nodes }, sizes, damage, lost) => {
        const { bytes } = written(nodes, uid, false);
        for (const [at, byte] of damage) if (at < bytes.length) bytes[at] = byte;
        const received = bytes.subarray(0, Math.max(0, bytes.length - lost));
        let failedAt = Number.POSITIVE_INFINITY;
        const unread = (offset: number) => {
          failedAt = offset;
        };
        const whole = divide(received, { reader: { transferSyntaxUid: uid, events: { unread } } });
        assert.deepEqual(together(whole), Uint8Array.from(received));
        assert.equal(whole.read.problem !== undefined, failedAt !== Number.POSITIVE_INFINITY);
        assert.ok(whole.image.subarray(Math.min(failedAt, received.length)).every((byte) => byte === 0));
        const pieces = divide(received, { sizes, reader: { transferSyntaxUid: uid } });
        assert.deepEqual(together(pieces), Uint8Array.from(received));
      },
    ),
    { numRuns: 1500, seed: 23 },
  );
});

const patient = elementsOf({
  SpecificCharacterSet: "ISO_IR 100",
  SOPClassUID: "1.2.840.10008.5.1.4.1.1.2",
  SOPInstanceUID: "2.25.11.13",
  Modality: "CT",
  PatientName: "Doe^Jane",
  PatientID: "P-4711",
  StudyInstanceUID: "2.25.11",
  Rows: 2,
  Columns: 2,
  RequestAttributesSequence: [{ RequestedProcedureID: "R-815", CodeMeaning: "Knee of Jane" }],
  PixelData: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8),
});

test("A file shows its elements, its transfer syntax and its pixels, and nothing of the patient", () => {
  const file = writeFile(meta(explicitLittleEndian), patient);
  const halves = divide(file);
  const image = readFile(halves.image);
  assert.doesNotMatch(latin1(halves.image), /Doe|4711|2\.25\.11|R-815|Knee|SCANNER7/);
  assert.equal(image.transferSyntaxUid, explicitLittleEndian);
  assert.equal(image.dataSet.text(Tag.Modality), "CT");
  assert.equal(image.dataSet.text(Tag.PatientName), "");
  assert.deepEqual([...image.dataSet.bytes(Tag.PixelData)!], [1, 2, 3, 4, 5, 6, 7, 8]);
  assert.deepEqual(
    image.dataSet.elements.map(({ tag, vr, offset, length }) => [hexOfTag(tag), vr, offset, length]),
    readFile(file).dataSet.elements.map(({ tag, vr, offset, length }) => [hexOfTag(tag), vr, offset, length]),
  );
  assertNothingIdentifies(image);
  assert.deepEqual(together(halves), Uint8Array.from(file));
});

test("A data set with the file meta information that is put in front of it is cut as the file that both make", () => {
  for (const transferSyntaxUid of [...syntaxes, deflatedExplicitLittleEndian]) {
    const start = writeMeta(meta(transferSyntaxUid));
    const body = writeDataSet(patient, { transferSyntaxUid, deflate: deflateRawSync });
    const whole = divide(Buffer.concat([start, body]));
    const halves = divide(body, { meta: start, sizes: [100], reader: { transferSyntaxUid } });
    assert.deepEqual(halves.image, whole.image);
    assert.deepEqual(halves.table, whole.table);
    assert.equal(halves.read.dataSetOffset, start.length);
    assert.deepEqual(together(halves), Uint8Array.from(Buffer.concat([start, body])));
  }
});

test("A deflated data set is cut as a whole, and its values are still told", () => {
  const transferSyntaxUid = deflatedExplicitLittleEndian;
  const file = writeFile(meta(transferSyntaxUid), patient, { deflate: deflateRawSync });
  const names: string[] = [];
  const halves = divide(file, {
    sizes: [50],
    reader: {
      capture: (tag) => tag === Tag.PatientName,
      events: { value: (bytes, from, to) => void names.push(latin1(bytes.subarray(from, to))) },
    },
  });
  assert.deepEqual(names, ["Doe^Jane"]);
  assert.ok(halves.image.subarray(halves.read.dataSetOffset).every((byte) => byte === 0));
  assert.deepEqual(together(halves), Uint8Array.from(file));
});

test("A preamble that holds something is cut, one of zeros is not", () => {
  const file = writeFile(meta(explicitLittleEndian), patient);
  assert.ok(divide(file).table.offsets[0]! > 132);
  file.set(Buffer.from("II*\0 Doe^Jane"), 0);
  const halves = divide(file);
  assert.deepEqual([halves.table.offsets[0], halves.table.lengths[0]], [0, 128]);
  assert.doesNotMatch(latin1(halves.image), /Doe/);
  assert.deepEqual(together(halves), Uint8Array.from(file));
});

test("A piece with nothing to cut comes back as it is, and the caller's captured values come to the caller alone", () => {
  const body = writeDataSet(
    [
      ...patient,
      { tag: 0x00190010, vr: "LO", value: "SIEMENS MR HEADER" },
      { tag: 0x0019100c, vr: "IS", value: "1000" },
    ],
    { transferSyntaxUid: explicitLittleEndian },
  );
  const values: string[] = [];
  const cutter = createCutter({ onCut: () => {} });
  const reader = createReader(
    cutter.beside({
      transferSyntaxUid: explicitLittleEndian,
      capture: (tag) => tag === Tag.PatientID,
      events: { value: (bytes, from, to) => void values.push(latin1(bytes.subarray(from, to))) },
    }),
  );
  const header = body.subarray(0, body.length - 4);
  reader.write(header);
  assert.notEqual(cutter.cut(header), header);
  const rest = body.subarray(body.length - 4);
  reader.write(rest);
  assert.equal(cutter.cut(rest), rest);
  assert.deepEqual(values, ["P-4711"]);
});

test("What a reader has not told about is cut: before the data set begins, behind a failure, behind a stop", () => {
  const file = writeFile(meta(explicitLittleEndian), patient);
  const unheard = createCutter({ onCut: () => {} });
  assert.ok(unheard.cut(file).every((byte) => byte === 0));

  const before = createCutter({ onCut: () => {} });
  const reader = createReader(before.beside({}));
  const [first, second] = [file.subarray(0, 100), file.subarray(100)];
  reader.write(first);
  assert.ok(before.cut(first).every((byte) => byte === 0));
  reader.write(second);
  const { dataSet } = readFile(Buffer.concat([first, before.cut(second)]));
  assert.equal(dataSet.text(Tag.Modality), "CT");
  assert.equal(dataSet.text(Tag.PatientName), "");

  const stopped = divide(file, { reader: { stopBefore: [Tag.Rows] } });
  assert.equal(stopped.read.stoppedAt?.tag, Tag.Rows);
  assert.ok(stopped.image.subarray(stopped.read.stoppedAt!.headOffset).every((byte) => byte === 0));
  assert.match(latin1(stopped.image), /ISO_IR 100/);

  const limited = divide(file, { sizes: [file.length - 20], reader: { limits: { bytesMax: file.length - 10 } } });
  assert.ok(isProblem(limited.read.problem, "too-large"));
  assert.ok(limited.image.subarray(file.length - 20).every((byte) => byte === 0));
  assert.deepEqual(together(limited), Uint8Array.from(file));
});

test("A private creator that the end of a piece divides counts as unknown, and so does its block", () => {
  const transferSyntaxUid = explicitLittleEndian;
  const nodes = [creatorOf("SIEMENS MR HEADER "), { tag: 0x0019100c, vr: "IS", value: bytesOf("1000") }];
  const { bytes } = written(nodes, transferSyntaxUid, false);
  const kept = (size: number) => latin1(divide(bytes, { sizes: [size, 900], reader: { transferSyntaxUid } }).image);
  assert.match(kept(8), /SIEMENS MR HEADER .*1000/s);
  assert.doesNotMatch(kept(12), /SIE|HEADER|1000/);
});

test("A sequence whose items cannot be told apart, a document in fragments and an icon show nothing", () => {
  const items = writeDataSet(elementsOf({ ReferencedImageSequence: [{ PatientName: "Doe^Jane", Rows: 7 }] }), {
    transferSyntaxUid: implicitLittleEndian,
  }).subarray(8);
  const document = [bytesOf("%PDF"), bytesOf("Doe^Jane")];
  const { bytes } = written(
    [
      { tag: 0x00081140, vr: "UN", value: items },
      { tag: Tag.EncapsulatedDocument, vr: "OB", fragments: document },
      {
        tag: 0x00880200, // Icon Image Sequence
        vr: "SQ",
        items: [[{ tag: Tag.PixelData, vr: "OB", fragments: [bytesOf("Jane")] }]],
        delimited: true,
      },
    ],
    explicitLittleEndian,
    false,
  );
  const halves = divide(bytes, { reader: { transferSyntaxUid: explicitLittleEndian } });
  assert.doesNotMatch(latin1(halves.image), /Doe|PDF|Jane/);
  assertNothingIdentifies({ dataSet: readDataSet(halves.image, { transferSyntaxUid: explicitLittleEndian }) });
});

test("Every real file, odd and malformed ones too, is divided, shows nothing, keeps its structure, and mends", (t) => {
  const root = join(process.env.LEADGLASS_DATA ?? join(import.meta.dirname, "../../../shared/data"), "dicom");
  if (!existsSync(root)) return t.skip("needs the shared test data: set LEADGLASS_DATA");
  const count = { divided: 0, refused: 0, cuts: 0 };
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const bytes = readFileSync(join(entry.parentPath, entry.name));
    const halves = divide(bytes, { sizes: [1000, 16_384, 65_536] });
    assert.ok(Buffer.from(together(halves)).equals(bytes), entry.name);
    if (halves.read.problem !== undefined) {
      count.refused += 1;
      continue;
    }
    count.divided += 1;
    count.cuts += halves.table.offsets.length;
    if (encodingOf(halves.read.transferSyntaxUid).deflated) {
      assert.ok(halves.image.subarray(halves.read.dataSetOffset).every((byte) => byte === 0));
      continue;
    }
    const image = readFile(halves.image);
    assertNothingIdentifies(image);
    assert.deepEqual(structureOf(image.dataSet), structureOf(readFile(bytes).dataSet), entry.name);
  }
  t.diagnostic(`${count.divided} files divided, ${count.cuts} cuts, ${count.refused} files that the reader refuses`);
  assert.ok(count.divided > 500);
});

function structureOf(dataSet: DataSet): unknown[] {
  return dataSet.elements.map(({ tag, vr, offset, length, items, fragments }) => {
    return [tag, vr, offset, length, items?.map(structureOf), fragments];
  });
}
