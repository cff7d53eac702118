import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { type DirectoryEntry, directoryEntryOf, writeDicomdir } from "./dicomdir.ts";
import { elementsOf, type KeywordDataSet } from "./element-input.ts";
import { readFile } from "./read-data-set.ts";
import { pixelDataTags, Tag } from "./tags.ts";
import { TransferSyntaxUid } from "./transfer-syntaxes.ts";
import { writeFile } from "./writer.ts";

const options = { uid: "1.2.3.4", implementationClassUid: "1.2.3", implementationVersionName: "TEST" };
const ctImage = "1.2.840.10008.5.1.4.1.1.2";
const report = "1.2.840.10008.5.1.4.1.1.88.11";
const names = {
  first: 0x00041200,
  last: 0x00041202,
  next: 0x00041400,
  lower: 0x00041420,
  type: 0x00041430,
  file: 0x00041500,
};

function fileWith(values: KeywordDataSet): Uint8Array {
  const { SOPClassUID = ctImage, SOPInstanceUID = "1.2.9" } = values;
  const meta = {
    mediaStorageSopClassUid: String(SOPClassUID),
    mediaStorageSopInstanceUid: String(SOPInstanceUID),
    transferSyntaxUid: TransferSyntaxUid.explicitLittleEndian,
    ...options,
  };
  return writeFile(meta, elementsOf({ SOPClassUID, SOPInstanceUID, ...values }));
}

const entryWith = (values: KeywordDataSet, at: number): DirectoryEntry =>
  directoryEntryOf(["ST000001", `IM${String(at).padStart(6, "0")}`], readFile(fileWith(values)), at);

/** What a reader finds that follows the offsets and nothing else. */
function followed(file: Uint8Array) {
  const read = readFile(file);
  const sequence = read.dataSet.get(0x00041220);
  assert.ok(sequence?.items);
  const byOffset = new Map<number, (typeof sequence.items)[number]>();
  // Offsets count from the first byte of the file; an item of a stated length says where it begins.
  let at = sequence.offset;
  const view = new DataView(file.buffer, file.byteOffset);
  for (const item of sequence.items) {
    assert.equal(view.getUint32(at, true), 0xe000fffe);
    byOffset.set(at, item);
    at += 8 + view.getUint32(at + 4, true);
  }
  const seen: string[] = [];
  let last = 0;
  const walk = (from: number, depth: number) => {
    for (let offset = from; offset !== 0; ) {
      const item = byOffset.get(offset);
      assert.ok(item, "an offset names a record");
      seen.push(`${depth} ${item.text(names.type)} ${(item.texts(names.file) ?? []).join("/")}`.trim());
      walk(item.number(names.lower) ?? 0, depth + 1);
      if (depth === 0) last = offset;
      offset = item.number(names.next) ?? 0;
    }
  };
  walk(read.dataSet.number(names.first) ?? 0, 0);
  assert.equal(read.dataSet.number(names.last), last);
  assert.equal(seen.length, sequence.items.length, "every record is reached");
  return { seen, items: sequence.items };
}

test("records stand in a tree of patients, studies, series and instances, and the offsets lead through all of it", () => {
  const entries = [
    { PatientID: "1", StudyInstanceUID: "1.1", SeriesInstanceUID: "1.1.1", SOPInstanceUID: "1.1.1.1" },
    { PatientID: "1", StudyInstanceUID: "1.1", SeriesInstanceUID: "1.1.1", SOPInstanceUID: "1.1.1.2" },
    {
      PatientID: "1",
      StudyInstanceUID: "1.1",
      SeriesInstanceUID: "1.1.2",
      SOPInstanceUID: "1.1.2.1",
      SOPClassUID: report,
    },
    { PatientID: "2", StudyInstanceUID: "1.2", SeriesInstanceUID: "1.2.1", SOPInstanceUID: "1.2.1.1" },
  ].map((values, at) => entryWith(values, at + 1));
  const { seen } = followed(writeDicomdir(entries, options));
  assert.deepEqual(seen, [
    "0 PATIENT",
    "1 STUDY",
    "2 SERIES",
    "3 IMAGE ST000001/IM000001",
    "3 IMAGE ST000001/IM000002",
    "2 SERIES",
    "3 SR DOCUMENT ST000001/IM000003",
    "0 PATIENT",
    "1 STUDY",
    "2 SERIES",
    "3 IMAGE ST000001/IM000004",
  ]);
});

test("names keep the character set that they came in", () => {
  const values = {
    SpecificCharacterSet: "ISO_IR 192",
    PatientName: "Ямада^太郎",
    PatientID: "7",
    StudyInstanceUID: "1.1",
  };
  const { items } = followed(writeDicomdir([entryWith(values, 1)], options));
  assert.equal(items[0]?.text(Tag.PatientName), "Ямада^太郎");
});

test("whatever stands in the files, every record is reached by its offsets", () => {
  const text = fc.string({ maxLength: 20 }).map((value) => Buffer.from(value, "utf8"));
  const uid = fc.integer({ min: 1, max: 4 }).map((n) => `1.2.${n}`);
  const file = fc.record({
    PatientName: text,
    PatientID: text,
    StudyID: text,
    StudyInstanceUID: uid,
    SeriesInstanceUID: uid,
  });
  fc.assert(
    fc.property(fc.array(file, { minLength: 0, maxLength: 12 }), (files) => {
      const entries = files.map((values, at) => entryWith({ ...values, SOPInstanceUID: `1.9.${at}` }, at + 1));
      const { seen } = followedOrEmpty(writeDicomdir(entries, options), entries.length);
      assert.equal(seen.filter((line) => line.startsWith("3 ")).length, files.length);
    }),
    { numRuns: 200 },
  );
});

const followedOrEmpty = (file: Uint8Array, entries: number) =>
  entries === 0 ? { seen: [] as string[] } : followed(file);

const data = join(process.env.LEADGLASS_DATA ?? join(import.meta.dirname, "../../../shared/data"), "dicom");

test("every real file gets records that the offsets lead to, odd and broken ones too", (t) => {
  if (!existsSync(data)) return t.skip("needs the shared test data: set LEADGLASS_DATA");
  const entries: DirectoryEntry[] = [];
  for (const found of readdirSync(data, { recursive: true, withFileTypes: true })) {
    if (!found.isFile()) continue;
    const bytes = readFileSync(join(found.parentPath, found.name));
    if (bytes.length > 8 * 1024 * 1024 || bytes.toString("latin1", 128, 132) !== "DICM") continue;
    const file = readFile(bytes, { stopBefore: pixelDataTags, partial: true });
    const name = `IM${String(entries.length + 1).padStart(6, "0")}`;
    entries.push(directoryEntryOf(["ST000001", name], file, entries.length + 1));
  }
  assert.ok(entries.length > 100, `${entries.length} files`);
  const { seen } = followed(writeDicomdir(entries, options));
  assert.equal(seen.filter((line) => line.startsWith("3 ")).length, entries.length);
});

test("DCMTK reads it, and finds what it makes of the same files itself", (t) => {
  if (spawnSync("dcmdump", ["--version"]).error || spawnSync("dcmmkdir", ["--version"]).error) {
    return t.skip("needs dcmtk: apt install dcmtk");
  }
  const folder = mkdtempSync(join(tmpdir(), "lg-dicomdir-"));
  try {
    mkdirSync(join(folder, "ST000001"));
    const common = {
      PatientName: "Doe^Jane",
      StudyDate: "20200102",
      StudyTime: "101112",
      StudyID: "5",
      AccessionNumber: "A",
      Modality: "CT",
      SeriesNumber: 3,
      PatientID: "1",
      StudyInstanceUID: "1.2.1",
    };
    const entries = [1, 2, 3].map((at) => {
      const file = fileWith({
        ...common,
        InstanceNumber: at,
        SeriesInstanceUID: `1.2.1.${at % 2}`,
        SOPInstanceUID: `1.2.1.1.${at}`,
        ...{
          Rows: 1,
          Columns: 1,
          BitsAllocated: 8,
          BitsStored: 8,
          HighBit: 7,
          SamplesPerPixel: 1,
          PixelRepresentation: 0,
        },
        PhotometricInterpretation: "MONOCHROME2",
        PixelData: Uint8Array.of(1, 0),
      });
      writeFileSync(join(folder, "ST000001", `IM00000${at}`), file);
      return directoryEntryOf(["ST000001", `IM00000${at}`], readFile(file), at);
    });
    const lines = (name: string) =>
      execFileSync("dcmdump", ["+P", "0004,1430", "+P", "0004,1500", "+P", "0004,1511", join(folder, name)])
        .toString()
        .split("\n")
        .filter((line) => line.startsWith("("));
    writeFileSync(join(folder, "DICOMDIR"), writeDicomdir(entries, options));
    const ours = lines("DICOMDIR");
    execFileSync("dcmmkdir", ["+r", "+id", folder, "+D", join(folder, "THEIRS"), "-Pgp"], { stdio: "pipe" });
    assert.deepEqual(ours.sort(), lines("THEIRS").sort());
    // dcmmkdir +A takes what is there, checks its records and their files, and adds nothing.
    writeFileSync(join(folder, "THEIRS"), readFileSync(join(folder, "DICOMDIR")));
    execFileSync("dcmmkdir", ["+A", "+r", "+id", folder, "+D", join(folder, "THEIRS"), "-Pgp"], { stdio: "pipe" });
    assert.deepEqual(lines("THEIRS").sort(), ours.sort());
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
