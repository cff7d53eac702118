import { createHash } from "node:crypto";
import type { Correction } from "#trust/vault";
import { type IndexedValues, type InstanceRecord, searchable } from "./study-index.ts";

/** What a test says of an instance; the rest follows from the UIDs. */
export interface RecordOptions {
  readonly study?: string;
  readonly series?: string;
  readonly sop?: string;
  /** Anything that stands for the bytes: another text is another data set. */
  readonly bytes?: string;
  readonly receivedAt?: number;
  readonly facility?: string;
  readonly studyValues?: IndexedValues;
  readonly seriesValues?: IndexedValues;
  readonly instanceValues?: IndexedValues;
}

const root = "1.2.826.0.1.3680043.10.1561";

export function recordOf(options: RecordOptions = {}): InstanceRecord {
  const { study = "1", series = "1", sop = "1", bytes = "a", receivedAt = 1_700_000_000_000 } = options;
  const studyUid = `${root}.${study}`;
  const seriesUid = `${studyUid}.${series}`;
  const sopUid = `${root}.9.${sop}`;
  const digest = (text: string) => createHash("sha256").update(text).digest("hex");
  const placeNumber = (text: string) => 4096 * Number.parseInt(digest(text).slice(0, 6), 16);
  return {
    id: digest(`object ${sopUid} ${bytes} ${receivedAt}`).slice(0, 32),
    studyToken: digest(`study ${studyUid}`).slice(0, 32),
    studyUid,
    seriesUid,
    sopUid,
    sopClassUid: "1.2.840.10008.5.1.4.1.1.2",
    transferSyntaxUid: "1.2.840.10008.1.2.1",
    places: {
      image: { pack: "image-1", offset: placeNumber(`image ${sopUid} ${bytes}`) },
      identity: { pack: "identity-1", offset: placeNumber(`identity ${sopUid} ${bytes}`) },
    },
    sizeBytes: 526_000,
    dataSetOffset: 340,
    dataSetSha256: digest(`${sopUid} ${bytes}`),
    receivedAt,
    receivedFrom: "device:0123456789abcdef",
    ...(options.facility !== undefined && { facility: options.facility }),
    study: {
      PatientName: "Doe^Jane",
      PatientID: "P1",
      StudyDate: "20240131",
      StudyTime: "101500",
      ...options.studyValues,
    },
    series: { Modality: "CT", SeriesNumber: "1", ...options.seriesValues },
    instance: { InstanceNumber: "1", ...options.instanceValues },
  };
}

const correctable = searchable.study.filter(
  (keyword) => keyword !== "StudyInstanceUID" && keyword !== "ModalitiesInStudy",
);

/** A correction after which a study says these values and no others. */
export function correctionTo(version: number, values: IndexedValues): Correction {
  const keywords = new Set([...correctable, ...Object.keys(values)]);
  return {
    version,
    task: String(version),
    act: "study.correct",
    at: 1_700_000_000_000,
    by: "operator",
    reason: { code: "CORRECT", text: "" },
    changes: Object.fromEntries([...keywords].map((keyword) => [keyword, { to: values[keyword] ?? "" }])),
  };
}
