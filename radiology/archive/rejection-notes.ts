import { Problem } from "#base/problem";
import {
  type DataSet,
  elementsOf,
  type KeywordDataSet,
  type MetaInput,
  parseDataSet,
  readFile,
  sopClassOf,
  TransferSyntaxUid,
  tagOf,
  writeFile,
} from "#formats/dicom";
import type { IndexedValues, Rejection } from "./study-index.ts";

/** Key Object Selection Document Storage. */
export const noteSopClass = "1.2.840.10008.5.1.4.1.1.88.59";
/** A note names so many at most: what it says rests in one record. More are rejected by several. */
export const namedMax = 10_000;
const studiesMax = 64;

/**
 * Titles that make a Key Object Selection a rejection note (IHE RAD TF-2 §4.66, IOCM; codes of PS3.16 CID 7011).
 * The last takes rejections back; no standard has one, so it is dcm4chee's.
 */
export const rejectionTitles = [
  { code: "113001", scheme: "DCM", meaning: "Rejected for Quality Reasons" },
  { code: "113037", scheme: "DCM", meaning: "Rejected for Patient Safety Reasons" },
  { code: "113038", scheme: "DCM", meaning: "Incorrect Modality Worklist Entry" },
  { code: "113039", scheme: "DCM", meaning: "Data Retention Policy Expired" },
  { code: "REVOKE_REJECTION", scheme: "99DCM4CHEE", meaning: "Restore rejected Instances" },
] as const;

export type RejectionTitle = (typeof rejectionTitles)[number];
export const takingBack: RejectionTitle = rejectionTitles[4];

export const rejectionTitleOf = (code: string, scheme: string): RejectionTitle | undefined =>
  rejectionTitles.find((title) => title.code === code && title.scheme === scheme);

/** What a note says, with the studies that it speaks of. */
export interface ReadNote extends Rejection {
  readonly studyUids: readonly string[];
}

/**
 * Reads a Key Object Selection: a data set, or a file where `transferSyntaxUid` is undefined. Undefined when its title makes it no
 * rejection note. Throws Problem "invalid" for a note that names nothing, "too-large" for one that names too much.
 */
export function readNote(bytes: Uint8Array, transferSyntaxUid: string | undefined): ReadNote | undefined {
  const { dataSet } = transferSyntaxUid === undefined ? readFile(bytes) : parseDataSet(bytes, { transferSyntaxUid });
  const [title] = itemsOf(dataSet, "ConceptNameCodeSequence");
  const found = rejectionTitleOf(textOf(title, "CodeValue"), textOf(title, "CodingSchemeDesignator"));
  if (found === undefined) return undefined;
  const named = new Set<string>();
  const studyUids = new Set<string>();
  const evidence = ["CurrentRequestedProcedureEvidenceSequence", "PertinentOtherEvidenceSequence"];
  for (const study of evidence.flatMap((keyword) => itemsOf(dataSet, keyword))) {
    studyUids.add(textOf(study, "StudyInstanceUID"));
    for (const series of itemsOf(study, "ReferencedSeriesSequence")) {
      for (const sop of itemsOf(series, "ReferencedSOPSequence")) named.add(textOf(sop, "ReferencedSOPInstanceUID"));
    }
  }
  named.delete("");
  studyUids.delete("");
  if (named.size === 0 || studyUids.size === 0) {
    throw new Problem("invalid", "the rejection note names no instance", {
      remedy: "name what is rejected in its Current Requested Procedure Evidence Sequence",
    });
  }
  if (named.size > namedMax || studyUids.size > studiesMax) {
    throw new Problem("too-large", `a rejection note names more than ${namedMax} instances or ${studiesMax} studies`, {
      remedy: "send several notes",
    });
  }
  return { code: found === takingBack ? "" : found.code, sopUids: [...named], studyUids: [...studyUids] };
}

function itemsOf(dataSet: DataSet, keyword: string): readonly DataSet[] {
  return dataSet.items(tagOf(keyword)) ?? [];
}

function textOf(dataSet: DataSet | undefined, keyword: string): string {
  return dataSet?.text(tagOf(keyword)) ?? "";
}

export interface NamedInstance {
  readonly seriesUid: string;
  readonly sopUid: string;
  readonly sopClassUid: string;
}

export interface NewNote {
  readonly title: RejectionTitle;
  readonly studyUid: string;
  /** Values of the study by keyword, as it reads now. */
  readonly study: IndexedValues;
  readonly named: readonly NamedInstance[];
  readonly seriesUid: string;
  readonly sopUid: string;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly implementation: { readonly classUid: string; readonly version: string };
}

const studyKeywords = [
  "PatientName",
  "PatientID",
  "PatientBirthDate",
  "PatientSex",
  "StudyDate",
  "StudyTime",
  "AccessionNumber",
  "ReferringPhysicianName",
  "StudyID",
] as const;

/** A note as a file (PS3.3 §A.35.4, PS3.16 TID 2010). */
export function writeNote(note: NewNote): Uint8Array {
  const { title, studyUid, study, named, seriesUid, sopUid, at, implementation } = note;
  const [date = "", time = ""] = new Date(at).toISOString().replace(/[-:Z]/g, "").split("T");
  const meta: MetaInput = {
    mediaStorageSopClassUid: noteSopClass,
    mediaStorageSopInstanceUid: sopUid,
    transferSyntaxUid: TransferSyntaxUid.explicitLittleEndian,
    implementationClassUid: implementation.classUid,
    implementationVersionName: implementation.version,
  };
  const dataSet = elementsOf({
    SpecificCharacterSet: "ISO_IR 192",
    SOPClassUID: noteSopClass,
    SOPInstanceUID: sopUid,
    ...Object.fromEntries(studyKeywords.map((keyword) => [keyword, study[keyword] ?? ""])),
    IssuerOfPatientID: study.IssuerOfPatientID,
    StudyInstanceUID: studyUid,
    Modality: "KO",
    SeriesInstanceUID: seriesUid,
    SeriesNumber: "0",
    InstanceNumber: "1",
    Manufacturer: "Leadglass",
    ReferencedPerformedProcedureStepSequence: [],
    ContentDate: date,
    ContentTime: time,
    TimezoneOffsetFromUTC: "+0000",
    CurrentRequestedProcedureEvidenceSequence: [evidenceOf(studyUid, named)],
    ...contentOf(title, named),
  });
  return writeFile(meta, dataSet);
}

function evidenceOf(studyUid: string, named: readonly NamedInstance[]): KeywordDataSet {
  const bySeries = Map.groupBy(named, ({ seriesUid }) => seriesUid);
  return {
    StudyInstanceUID: studyUid,
    ReferencedSeriesSequence: [...bySeries].map(([SeriesInstanceUID, instances]) => ({
      SeriesInstanceUID,
      ReferencedSOPSequence: instances.map(referenceTo),
    })),
  };
}

const referenceTo = ({ sopClassUid, sopUid }: NamedInstance): KeywordDataSet => ({
  ReferencedSOPClassUID: sopClassUid,
  ReferencedSOPInstanceUID: sopUid,
});

function contentOf(title: RejectionTitle, named: readonly NamedInstance[]): KeywordDataSet {
  const { code: CodeValue, scheme: CodingSchemeDesignator, meaning: CodeMeaning } = title;
  return {
    ValueType: "CONTAINER",
    ConceptNameCodeSequence: [{ CodeValue, CodingSchemeDesignator, CodeMeaning }],
    ContinuityOfContent: "SEPARATE",
    ContentTemplateSequence: [{ MappingResource: "DCMR", TemplateIdentifier: "2010" }],
    ContentSequence: named.map((instance) => ({
      RelationshipType: "CONTAINS",
      ValueType: valueTypeOf(instance.sopClassUid),
      ReferencedSOPSequence: [referenceTo(instance)],
    })),
  };
}

/** Of the three kinds of reference that TID 2010 has. */
function valueTypeOf(sopClassUid: string): "IMAGE" | "WAVEFORM" | "COMPOSITE" {
  const name = sopClassOf(sopClassUid)?.name ?? "";
  if (name.includes("Image Storage")) return "IMAGE";
  return name.includes("Waveform") ? "WAVEFORM" : "COMPOSITE";
}
