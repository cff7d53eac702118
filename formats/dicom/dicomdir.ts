import { Problem } from "#base/problem";
import type { DataSet } from "./data-set.ts";
import { attributeOf, findTag } from "./dictionary.ts";
import { recordKindOf } from "./directory-records.ts";
import { type ElementInput, elementsOf, inputOf } from "./element-input.ts";
import type { DicomFile } from "./read-data-set.ts";
import { Tag } from "./tags.ts";
import { TransferSyntaxUid } from "./transfer-syntaxes.ts";
import { type MetaInput, writeDataSet, writeMeta } from "./writer.ts";

/** What a directory says of one file: a record for each level, taken out of its header. */
export interface DirectoryEntry {
  readonly patient: Level;
  readonly study: Level;
  readonly series: Level;
  readonly instance: Level;
}

/** `key`: entries with the same are under one record. */
interface Level {
  readonly key: string;
  readonly type: string;
  readonly elements: readonly ElementInput[];
}

const mediaStorageDirectory = "1.2.840.10008.1.3.10";

/**
 * The entry of a file that was read at least up to its pixel data. `fileId` has its folders and its name, each of 1 to 8 of
 * A to Z, 0 to 9 and _ (PS3.10 §8.2). Values are taken as they stand, with the character set they stand in; nothing is
 * made up for what is missing, but a number by `position` where readers sort by it.
 */
export function directoryEntryOf(fileId: readonly string[], file: DicomFile, position: number): DirectoryEntry {
  const { dataSet, transferSyntaxUid } = file;
  const text = (tag: number) => dataSet.text(tag) ?? "";
  const sopClassUid = text(Tag.SOPClassUID);
  const { type, keys } = recordKindOf(sopClassUid);
  const characters = dataSet.has(Tag.SpecificCharacterSet) ? copied(dataSet, ["SpecificCharacterSet"]) : [];
  const level = (recordType: string, key: string, elements: readonly ElementInput[]): Level => ({
    key,
    type: recordType,
    elements: [...characters, ...elements].sort((a, b) => a.tag - b.tag),
  });
  const numbered = (keyword: string, tag: number, number: number) =>
    text(tag) === "" ? elementsOf({ [keyword]: String(number) }) : copied(dataSet, [keyword]);
  const patientKey = [text(Tag.PatientID), text(Tag.IssuerOfPatientID), text(Tag.PatientName)];
  return {
    patient: level("PATIENT", JSON.stringify(patientKey), copied(dataSet, ["PatientName", "PatientID"])),
    study: level("STUDY", text(Tag.StudyInstanceUID), copied(dataSet, studyKeys)),
    series: level("SERIES", text(Tag.SeriesInstanceUID), [
      ...copied(dataSet, ["Modality", "SeriesDescription", "SeriesInstanceUID"]),
      ...numbered("SeriesNumber", Tag.SeriesNumber, 0),
    ]),
    instance: level(type, fileId.join("\\"), [
      ...copied(dataSet, keys),
      ...numbered("InstanceNumber", Tag.InstanceNumber, position),
      ...elementsOf({
        ReferencedFileID: fileId.join("\\"),
        ReferencedSOPClassUIDInFile: sopClassUid,
        ReferencedSOPInstanceUIDInFile: text(Tag.SOPInstanceUID),
        ReferencedTransferSyntaxUIDInFile: transferSyntaxUid,
      }),
    ]),
  };
}

const studyKeys = ["StudyDate", "StudyTime", "AccessionNumber", "StudyDescription", "StudyInstanceUID", "StudyID"];

/** Copies of values, so that an entry does not keep the header it came from; what is not there is empty, but for a sequence. */
function copied(dataSet: DataSet, keywords: readonly string[]): ElementInput[] {
  return keywords.flatMap((keyword): ElementInput[] => {
    const attribute = attributeOf(findTag(keyword) ?? 0);
    if (attribute === undefined) throw new Problem("fault", `the data dictionary has no attribute ${keyword}`);
    const { tag, vrs } = attribute;
    const vr = vrs[0] ?? "UN";
    const element = dataSet.get(tag);
    const value = element && inputOf(dataSet, element).value;
    if (vr === "SQ") return Array.isArray(value) ? [{ tag, vr, value }] : [];
    // Whatever VR an odd file gives it.
    return [{ tag, vr, value: value instanceof Uint8Array ? value.slice() : new Uint8Array(0) }];
  });
}

interface DirectoryRecord {
  readonly level: Level;
  readonly lower: Map<string, DirectoryRecord>;
}

/** The file DICOMDIR (PS3.3 Annex F, PS3.10 §8.6). `uid` is a new UID of this directory. */
export function writeDicomdir(
  entries: Iterable<DirectoryEntry>,
  { uid, ...implementation }: Pick<MetaInput, "implementationClassUid" | "implementationVersionName"> & { uid: string },
): Uint8Array<ArrayBuffer> {
  const roots = treeOf(entries);
  const records = inOrder(roots);
  const transferSyntaxUid = TransferSyntaxUid.explicitLittleEndian;
  const meta = writeMeta({
    ...implementation,
    mediaStorageSopClassUid: mediaStorageDirectory,
    mediaStorageSopInstanceUid: uid,
    transferSyntaxUid,
  });
  const head = (first: number, last: number) =>
    elementsOf({
      FileSetID: "",
      OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity: first,
      OffsetOfTheLastDirectoryRecordOfTheRootDirectoryEntity: last,
      FileSetConsistencyFlag: 0,
    });
  const written = (elements: readonly ElementInput[]) => writeDataSet(elements, { transferSyntaxUid });
  // Offsets are from the first byte of the file, and have the same length whatever they are (PS3.3 §F.3.2.2).
  const offsets = new Map<DirectoryRecord, number>();
  let at = meta.length + written(head(0, 0)).length + sequenceHeadBytes;
  for (const record of records) {
    offsets.set(record, at);
    at += itemHeadBytes + written(recordElements(record, 0, 0)).length;
  }
  const offsetOf = (record: DirectoryRecord | undefined) => (record === undefined ? 0 : (offsets.get(record) ?? 0));
  const next = nextOf(roots);
  const items = records.map((record) => {
    const [lower] = record.lower.values();
    return recordElements(record, offsetOf(next.get(record)), offsetOf(lower));
  });
  const body = written([
    ...head(offsetOf(roots[0]), offsetOf(roots.at(-1))),
    { tag: Tag.DirectoryRecordSequence, vr: "SQ", value: items },
  ]);
  const file = new Uint8Array(meta.length + body.length);
  file.set(meta);
  file.set(body, meta.length);
  return file;
}

/** Tag, VR, two reserved bytes, length; tag, length (PS3.5 §7.1.2, §7.5). */
const sequenceHeadBytes = 12;
const itemHeadBytes = 8;

function treeOf(entries: Iterable<DirectoryEntry>): DirectoryRecord[] {
  const roots = new Map<string, DirectoryRecord>();
  const within = (records: Map<string, DirectoryRecord>, level: Level): DirectoryRecord => {
    const found = records.get(level.key);
    if (found !== undefined) return found;
    const made: DirectoryRecord = { level, lower: new Map() };
    records.set(level.key, made);
    return made;
  };
  for (const { patient, study, series, instance } of entries) {
    const under = within(within(within(roots, patient).lower, study).lower, series);
    within(under.lower, instance);
  }
  return [...roots.values()];
}

/** Each record in front of those below it. The tree has four levels. */
function inOrder(records: readonly DirectoryRecord[]): DirectoryRecord[] {
  return records.flatMap((record) => [record, ...inOrder([...record.lower.values()])]);
}

/** The record behind each at its level, under the same one above. */
function nextOf(roots: readonly DirectoryRecord[]): Map<DirectoryRecord, DirectoryRecord> {
  const next = new Map<DirectoryRecord, DirectoryRecord>();
  const link = (records: readonly DirectoryRecord[]) => {
    records.forEach((record, at) => {
      const following = records[at + 1];
      if (following !== undefined) next.set(record, following);
      link([...record.lower.values()]);
    });
  };
  link(roots);
  return next;
}

function recordElements({ level }: DirectoryRecord, next: number, lower: number): ElementInput[] {
  const own = elementsOf({
    OffsetOfTheNextDirectoryRecord: next,
    RecordInUseFlag: 0xffff,
    OffsetOfReferencedLowerLevelDirectoryEntity: lower,
    DirectoryRecordType: level.type,
  });
  return [...own, ...level.elements];
}
