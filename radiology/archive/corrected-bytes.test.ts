import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import fc from "fast-check";
import {
  createReader,
  type DataElement,
  type DataSet,
  encodingOf,
  isUid,
  pixelDataTags,
  readFile,
  Tag,
  TransferSyntaxUid,
  usesCharacterSet,
} from "#formats/dicom";
import type { Correction, OpenedObject } from "#trust/vault";
import { currentBytes, type Layout } from "./corrected-bytes.ts";
import { deflatedFile, imageFile, originals } from "./corrections.fixture.ts";

const run = promisify(execFile);
const data = join(process.env.LEADGLASS_DATA ?? join(import.meta.dirname, "../../../shared/data"), "dicom");
const haveData = existsSync(data);
const have = (program: string) =>
  process.env.PATH?.split(":").some((folder) => existsSync(join(folder, program))) ?? false;

function correctionTo(changes: Record<string, string>, version = 1): Correction {
  return {
    version,
    task: String(version),
    act: "study.correct",
    at: Date.UTC(2026, 0, 31, 12, 0, version),
    by: "operator",
    reason: { code: "CORRECT", text: "" },
    changes: Object.fromEntries(Object.entries(changes).map(([keyword, to]) => [keyword, { to }])),
  };
}

function objectOf(bytes: Buffer): OpenedObject {
  return {
    id: "",
    studyToken: "",
    sizeBytes: bytes.length,
    read: async (from, to) => bytes.subarray(from, to),
    async *stream(from = 0, to = bytes.length) {
      for (let at = from; at < to; at += 7_001) yield bytes.subarray(at, Math.min(to, at + 7_001));
    },
  };
}

function layoutOf(bytes: Uint8Array): Layout {
  let pixelOffset: number | undefined;
  const note = (tag: number, offset: number, depth: number) => {
    if (depth === 0 && (pixelDataTags as readonly number[]).includes(tag)) pixelOffset = offset;
  };
  const reader = createReader({
    events: {
      element: (tag, _vr, offset, _length, depth) => note(tag, offset, depth),
      encapsulatedStart: (tag, _vr, offset) => note(tag, offset, 0),
    },
  });
  reader.write(bytes);
  const { transferSyntaxUid, dataSetOffset, problem } = reader.end();
  if (problem !== undefined) throw problem;
  const isPlain = !encodingOf(transferSyntaxUid).deflated;
  return {
    transferSyntaxUid,
    dataSetOffset,
    sizeBytes: bytes.length,
    ...(pixelOffset !== undefined && isPlain && { pixelOffset }),
  };
}

async function corrected(file: Uint8Array, corrections: readonly Correction[]) {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.length);
  const layout = layoutOf(bytes);
  const current = await currentBytes(layout, objectOf(bytes), corrections);
  const pieces: Buffer[] = [];
  for await (const piece of current.spliced(objectOf(bytes).stream())) pieces.push(piece);
  const now = Buffer.concat(pieces);
  assert.equal(now.length, current.layout.sizeBytes);
  assert.ok(now.equals(await current.object.read(0, now.length)));
  assert.deepEqual({ ...layoutOf(now) }, { ...current.layout });
  return { now, layout, current };
}

const touched: ReadonlySet<number> = new Set([Tag.SpecificCharacterSet, Tag.OriginalAttributesSequence]);

/** What is not corrected says what it said. */
function assertSame(before: DataSet, after: DataSet, changed: ReadonlySet<number>): void {
  const others = (dataSet: DataSet): DataElement[] =>
    dataSet.elements.filter(({ tag }) => !changed.has(tag) && !touched.has(tag) && (tag & 0xffff) !== 0);
  const [was, is] = [others(before), others(after)];
  assert.deepEqual(
    is.map(({ tag }) => tag),
    was.map(({ tag }) => tag),
  );
  for (const [at, element] of was.entries()) {
    const now = is[at] as DataElement;
    if (element.items !== undefined) {
      assert.equal(now.items?.length, element.items.length);
      for (const [item, inner] of element.items.entries()) assertSame(inner, now.items?.[item] as DataSet, new Set());
    } else if (usesCharacterSet(element.vr)) assert.deepEqual(after.textsOf(now), before.textsOf(element));
    else if (element.fragments === undefined) {
      assert.deepEqual(after.bytesOf(now), before.bytesOf(element));
    }
  }
}

function filesUnder(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/\.(md|tsv|mpeg|txt)$/.test(entry.name) && entry.name !== "DICOMDIR")
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** Real files that intake takes, not too large to be read a few times. */
function realFiles(): { name: string; bytes: Buffer }[] {
  const folders = ["charsets", "transfer-syntaxes", "objects", "photometric"].map((folder) => join(data, folder));
  return folders.flatMap(filesUnder).flatMap((path) => {
    const bytes = readFileSync(path);
    if (bytes.length > 2 * 1024 * 1024) return [];
    const { dataSet, problem } = readFile(bytes, { partial: true });
    const isStorable = problem === undefined && isUid(dataSet.text(Tag.StudyInstanceUID) ?? "");
    return isStorable ? [{ name: relative(data, path), bytes }] : [];
  });
}

const names = [
  "Roe^Richard",
  "Müller^Jürgen",
  "Yamada^Tarou=山田^太郎=やまだ^たろう",
  "Люкceмбypг",
  "Διονυσιος",
  "홍^길동",
];

test("real files of every transfer syntax and character set say the new name, keep the old one, and nothing else changes", async (t) => {
  if (!haveData) return t.skip("needs the shared test data: set LEADGLASS_DATA");
  const files = realFiles();
  let converted = 0;
  for (const { name, bytes } of files) {
    const { dataSet: before } = readFile(bytes);
    for (const text of name.startsWith("charsets") ? names : names.slice(0, 3)) {
      const { now, layout, current } = await corrected(bytes, [correctionTo({ PatientName: text })]);
      const { dataSet: after } = readFile(now);
      const old = (before.texts(Tag.PatientName) ?? []).join("\\");
      if (old === text) continue;
      assert.equal(after.text(Tag.PatientName), text, name);
      assert.equal((originals(now).at(-1)?.texts(Tag.PatientName) ?? []).join("\\"), old, name);
      assertSame(before, after, new Set([Tag.PatientName]));
      if (after.text(Tag.SpecificCharacterSet) !== before.text(Tag.SpecificCharacterSet)) converted++;
      if (layout.pixelOffset === undefined) continue;
      const pixels = now.subarray(current.layout.pixelOffset);
      assert.ok(pixels.equals(bytes.subarray(layout.pixelOffset)), `pixels of ${name}`);
    }
  }
  t.diagnostic(`${files.length} files, ${converted} times put in UTF-8`);
  assert.ok(files.length > 100);
});

test("DCMTK reads what was corrected in every transfer syntax, and finds no more wrong with it than before", async (t) => {
  if (!haveData) return t.skip("needs the shared test data: set LEADGLASS_DATA");
  if (!have("dcmdump")) return t.skip("needs dcmtk: apt install dcmtk");
  const folder = mkdtempSync(join(tmpdir(), "leadglass-corrected-"));
  try {
    const files = realFiles().filter(({ name }) => /^(transfer-syntaxes|charsets)/.test(name));
    const dumped = async (bytes: Uint8Array): Promise<string> => {
      const path = join(folder, "x.dcm");
      writeFileSync(path, bytes);
      const { stdout, stderr } = await run("dcmdump", ["-q", path]).catch((error) => error);
      return `${stdout}${stderr}`;
    };
    let compared = 0;
    for (const { name, bytes } of files) {
      if (/^[EFW]: /m.test(await dumped(bytes))) continue;
      const { now } = await corrected(bytes, [correctionTo({ PatientName: "Müller^Jürgen", PatientID: "Q1" })]);
      const text = await dumped(now);
      assert.doesNotMatch(text, /^[EFW]: /m, name);
      assert.match(text, /^\(0010,0020\) LO \[Q1 ?\]/m, name);
      assert.match(
        text,
        /\(0400,0561\) SQ[\s\S]*\(0400,0550\) SQ[\s\S]*\(0010,0020\)[\s\S]*\(0400,0565\) CS \[CORRECT ?\]/,
        name,
      );
      compared++;
    }
    t.diagnostic(`${compared} files`);
    assert.ok(compared > 40);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("dciodvfy finds nothing wrong in the sequence of a corrected image", async (t) => {
  if (!haveData) return t.skip("needs the shared test data: set LEADGLASS_DATA");
  if (!have("dciodvfy")) return t.skip("needs dicom3tools: apt install dicom3tools");
  const folder = mkdtempSync(join(tmpdir(), "leadglass-corrected-"));
  try {
    const verified = async (bytes: Uint8Array): Promise<string[]> => {
      const path = join(folder, "x.dcm");
      writeFileSync(path, bytes);
      const { stdout, stderr } = await run("dciodvfy", [path]).catch((error) => error);
      return `${stdout}${stderr}`.split("\n").filter((line) => line.startsWith("Error"));
    };
    let compared = 0;
    for (const { bytes } of realFiles().filter(({ name }) => /^objects\/(mr|mg|nm|us|enhanced)/.test(name))) {
      const corrections = [
        correctionTo({ PatientName: "Roe^Richard", PatientID: "Q1", StudyDescription: "Head" }),
        correctionTo({ PatientID: "Q2", IssuerOfPatientID: "H" }, 2),
      ];
      const { now } = await corrected(bytes, corrections);
      const known = new Set(await verified(bytes));
      assert.deepEqual(
        (await verified(now)).filter((line) => !known.has(line)),
        [],
      );
      compared++;
    }
    t.diagnostic(`${compared} files`);
    assert.ok(compared > 3);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

const syntaxes = [
  TransferSyntaxUid.implicitLittleEndian,
  TransferSyntaxUid.explicitLittleEndian,
  TransferSyntaxUid.explicitBigEndian,
] as const;

test("any corrections, in any syntax, say at the end what a plain list of attributes would", () =>
  fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...syntaxes, "deflated"),
      fc.array(
        fc.dictionary(
          fc.constantFrom("PatientName", "PatientID", "StudyID", "AccessionNumber", "OtherPatientIDs"),
          fc.constantFrom("", "A", "Ä", "山", "x\\y"),
          { minKeys: 1 },
        ),
        { maxLength: 5 },
      ),
      async (syntax, steps) => {
        const file = fileIn(syntax);
        const { now } = await corrected(
          file,
          steps.map((changes, at) => correctionTo(changes, at + 1)),
        );
        const plain: Record<string, string> = { PatientName: "Doe^Jane", PatientID: "P1" };
        const kept: Record<string, string>[] = [];
        for (const changes of steps) {
          const before: Record<string, string> = {};
          for (const [keyword, to] of Object.entries(changes)) {
            if ((plain[keyword] ?? "") === to) continue;
            before[keyword] = plain[keyword] ?? "";
            plain[keyword] = to;
          }
          if (Object.keys(before).length > 0) kept.push(before);
        }
        const { dataSet } = readFile(now);
        const said = (from: DataSet, keyword: string) => (from.texts(tags[keyword] ?? 0) ?? []).join("\\");
        for (const [keyword, value] of Object.entries(plain)) assert.equal(said(dataSet, keyword), value);
        const before = originals(now);
        assert.equal(before.length, kept.length);
        for (const [at, values] of kept.entries()) {
          for (const [keyword, value] of Object.entries(values)) {
            assert.equal(said(before[at] as DataSet, keyword), value);
          }
        }
        if (kept.length === 0) assert.ok(now.equals(file));
      },
    ),
    { numRuns: 300, seed: 5 },
  ));

const tags: Readonly<Record<string, number>> = {
  PatientName: Tag.PatientName,
  PatientID: Tag.PatientID,
  StudyID: 0x00200010,
  AccessionNumber: Tag.AccessionNumber,
  OtherPatientIDs: 0x00101000,
};

function fileIn(syntax: string): Buffer {
  return Buffer.from(syntax === "deflated" ? deflatedFile() : imageFile({}, { syntax }));
}

test("items that came with the instance stay in front, in the character set that the data set has now", async () => {
  const came = [
    {
      ModifiedAttributesSequence: [{ PatientName: "Früher^A" }],
      AttributeModificationDateTime: "20200101",
      ModifyingSystem: "OTHER",
      SourceOfPreviousValues: "",
      ReasonForTheAttributeModification: "COERCE",
    },
  ];
  const file = imageFile({ SpecificCharacterSet: "ISO_IR 100", OriginalAttributesSequence: came });
  const { now } = await corrected(file, [correctionTo({ PatientName: "山田" })]);
  assert.deepEqual(
    originals(now).map((before) => before.text(Tag.PatientName)),
    ["Früher^A", "Doe^Jane"],
  );
  assert.equal(readFile(now).dataSet.text(Tag.SpecificCharacterSet), "ISO_IR 192");
});

test("lengths of groups that change are left out rather than wrong", async () => {
  const groupLength = { tag: 0x00100000, vr: "UL", value: 1 } as const;
  const plain = readFile(imageFile());
  const withLength = withElement(plain.dataSet, groupLength.tag);
  const { now } = await corrected(withLength, [correctionTo({ PatientID: "A much longer one" })]);
  assert.equal(readFile(now).dataSet.has(0x00100000), false);
  assert.equal(readFile(now).dataSet.text(Tag.PatientID), "A much longer one");
});

/** A file with a group length in it, which the writer leaves out. */
function withElement(dataSet: DataSet, tag: number): Buffer {
  const file = Buffer.from(imageFile());
  const { dataSetOffset } = readFile(file);
  const place = dataSet.elements.find((element) => element.tag > tag);
  const head = Buffer.alloc(12);
  head.writeUInt16LE(tag >>> 16, 0);
  head.write("UL", 4, "latin1");
  head.writeUInt16LE(4, 6);
  const at = (place?.offset ?? dataSetOffset) - 8;
  return Buffer.concat([file.subarray(0, at), head, file.subarray(at)]);
}
