import { createHash } from "node:crypto";
import { elementsOf, TransferSyntaxUid, writeDataSet, writeMeta } from "#formats/dicom";
import type { IndexedValues, InstanceRecord } from "#radiology/archive";
import { chanceOf, personName } from "../tests/people/index.ts";

/** One study of one tiny image, some 1.3 KB: what fills an index. The same for the same number. */
export interface TinyStudy {
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
  readonly transferSyntaxUid: string;
  readonly dataSet: Uint8Array;
}

const modalities = [
  ["CT", "1.2.840.10008.5.1.4.1.1.2"],
  ["MR", "1.2.840.10008.5.1.4.1.1.4"],
  ["DX", "1.2.840.10008.5.1.4.1.1.1.1"],
] as const;
const regions = ["CHEST", "HEAD", "KNEE", "SPINE"];
const pixels = Uint8Array.from({ length: 512 }, (_, i) => (i % 2 === 0 ? (i * 37) & 0xff : (i * 37) & 0x0f));
const firstDay = Date.UTC(2016, 0, 1);
const transferSyntaxUid = TransferSyntaxUid.explicitLittleEndian;

export const dayOf = (day: number): string =>
  new Date(firstDay + day * 86_400_000).toISOString().slice(0, 10).replaceAll("-", "");
export const accessionOf = (study: number): string => `B${String(study).padStart(8, "0")}`;
export const patientIdOf = (patient: number): string => `F${String(patient).padStart(7, "0")}`;
/** Seven patients have ten studies. */
export const patientOf = (study: number): number => Math.floor(study * 0.7);
/** Studies are spread over so many days. */
export const days = 3_650;

/** What the index keeps of a study with one instance, without the places where it rests. */
export interface TinyValues {
  readonly studyUid: string;
  readonly sopClassUid: string;
  readonly study: IndexedValues;
  readonly series: IndexedValues;
  readonly instance: IndexedValues;
}

export function tinyValues(study: number): TinyValues {
  const patient = patientOf(study);
  const ofStudy = chanceOf(study + 777);
  const day = Math.floor(ofStudy() * days);
  const [modality, sopClassUid] = modalities[Math.floor(ofStudy() * modalities.length)] ?? modalities[0];
  return {
    studyUid: `1.2.826.0.1.3680043.10.1425.8.${study + 1}`,
    sopClassUid,
    study: {
      StudyDate: dayOf(day),
      StudyTime: String(80_000 + (study % 10) * 10_000 + (study % 60)).padStart(6, "0"),
      AccessionNumber: accessionOf(study),
      InstitutionName: "SYNTHETIC GENERAL HOSPITAL",
      ReferringPhysicianName: `REFERRER^${study % 50}`,
      StudyDescription: `${modality} ${regions[study % regions.length]}`,
      PatientName: personName(patient),
      PatientID: patientIdOf(patient),
      PatientBirthDate: `19${20 + (patient % 80)}0${1 + (patient % 9)}1${patient % 9}`,
      PatientSex: "MFO"[patient % 3] ?? "",
      StudyID: String(study % 99_999),
    },
    series: { Modality: modality, SeriesDescription: "SERIES 1", SeriesNumber: "1" },
    instance: {
      InstanceNumber: "1",
      SamplesPerPixel: "1",
      PhotometricInterpretation: "MONOCHROME2",
      Rows: "16",
      Columns: "16",
      BitsAllocated: "16",
      BitsStored: "12",
    },
  };
}

export function tinyStudy(number: number): TinyStudy {
  const { studyUid, sopClassUid, study, series, instance } = tinyValues(number);
  const sopInstanceUid = `${studyUid}.1.1`;
  const dataSet = writeDataSet(
    elementsOf({
      SpecificCharacterSet: "ISO_IR 100",
      SOPClassUID: sopClassUid,
      SOPInstanceUID: sopInstanceUid,
      ...study,
      ...series,
      ...instance,
      StudyInstanceUID: studyUid,
      SeriesInstanceUID: `${studyUid}.1`,
      SamplesPerPixel: 1,
      Rows: 16,
      Columns: 16,
      BitsAllocated: 16,
      BitsStored: 12,
      HighBit: 11,
      PixelRepresentation: 0,
      PixelData: pixels,
    }),
    { transferSyntaxUid },
  );
  return { sopClassUid, sopInstanceUid, transferSyntaxUid, dataSet };
}

/** As its record comes to the index; made up but for the values. */
export function tinyRecord(number: number): Omit<InstanceRecord, "studyToken"> {
  const { studyUid, sopClassUid, study, series, instance } = tinyValues(number);
  const sopUid = `${studyUid}.1.1`;
  const digest = createHash("sha256").update(sopUid).digest("hex");
  return {
    id: digest.slice(0, 32),
    studyUid,
    seriesUid: `${studyUid}.1`,
    sopUid,
    sopClassUid,
    transferSyntaxUid,
    places: {
      image: { pack: `${Math.floor(number / 100_000)}`.padStart(32, "a"), offset: (number % 100_000) * 2_048 },
      identity: { pack: `${Math.floor(number / 100_000)}`.padStart(32, "b"), offset: (number % 100_000) * 1_024 },
    },
    sizeBytes: 1_300,
    dataSetOffset: 340,
    pixelOffset: 800,
    pixelLength: pixels.length,
    dataSetSha256: digest,
    // Of a day to come: no server sets out to gather the metadata of images that are not there.
    receivedAt: firstDay + 2 * days * 86_400_000 + number,
    receivedFrom: "device:bench",
    study,
    series,
    instance,
  };
}

/** As a file. */
export function tinyFile(study: number): Buffer {
  const { sopClassUid, sopInstanceUid, dataSet } = tinyStudy(study);
  const meta = writeMeta({
    mediaStorageSopClassUid: sopClassUid,
    mediaStorageSopInstanceUid: sopInstanceUid,
    transferSyntaxUid,
    implementationClassUid: "1.2.826.0.1.3680043.10.1425.9",
    implementationVersionName: "BENCH",
  });
  return Buffer.concat([meta, dataSet]);
}

/** The classes that occur. */
export const tinySopClassUids = modalities.map(([, sopClassUid]) => sopClassUid);
