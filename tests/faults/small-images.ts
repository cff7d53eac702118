import { createHash } from "node:crypto";
import { elementsOf, type KeywordDataSet, TransferSyntaxUid, writeFile } from "#formats/dicom";
import type { Copy } from "./ledger.ts";

const root = "1.2.826.0.1.3680043.10.1561.14";
export const sopClassUid = "1.2.840.10008.5.1.4.1.1.7";
export const transferSyntaxUid = TransferSyntaxUid.explicitLittleEndian;

export const studyUidOf = (study: number) => `${root}.${study}`;
export const seriesUidOf = (study: number, series = 1) => `${root}.${study}.1.${series}`;

/** A small image: who the patient is, and bytes that are its own. */
export interface SmallImage {
  readonly study: number;
  readonly number: number;
  readonly series?: number;
  readonly patient?: number;
  readonly pixelBytes?: number;
  /** Tells apart copies of other bytes under one UID. */
  readonly copy?: number;
  readonly isRefused?: boolean;
}

export type SmallCopy = Copy & { readonly file: Buffer };

export function smallImage(of: SmallImage): SmallCopy {
  const { study, number, series = 1, patient = study, pixelBytes = 200, copy = 0, isRefused = false } = of;
  const sopUid = `${root}.${study}.9.${number}`;
  const pixels = Buffer.alloc(pixelBytes);
  for (let at = 0; at < pixelBytes; at++) pixels[at] = (at * 31 + study * 7 + number * 13 + copy * 101) & 0xff;
  const values: KeywordDataSet = {
    SOPClassUID: sopClassUid,
    ...(!isRefused && { SOPInstanceUID: sopUid }),
    StudyDate: "20240131",
    AccessionNumber: `ACC${study}`,
    Modality: "OT",
    PatientName: `Canary^Nr${patient}`,
    PatientID: `PID-${patient}`,
    PatientBirthDate: "19600229",
    PatientSex: "O",
    StudyInstanceUID: studyUidOf(study),
    SeriesInstanceUID: seriesUidOf(study, series),
    InstanceNumber: String(number),
    Rows: 2,
    Columns: 2,
    BitsAllocated: 16,
    PixelData: pixels,
  };
  const meta = {
    mediaStorageSopClassUid: sopClassUid,
    mediaStorageSopInstanceUid: sopUid,
    transferSyntaxUid,
    implementationClassUid: "2.25.1",
    implementationVersionName: "TEST",
  };
  const file = Buffer.from(writeFile(meta, elementsOf(values)));
  // Preamble, prefix, and the group length element, whose value counts what follows it (PS3.10 §7.1).
  const dataSet = file.subarray(144 + file.readUInt32LE(140));
  const sha256 = createHash("sha256").update(dataSet).digest("hex");
  return { studyUid: studyUidOf(study), sopUid, sha256, dataSet, file, isRefused };
}
