import { elementsOf, TransferSyntaxUid, writeDataSet, writeMeta } from "#formats/dicom";

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
const syllables = "BA KO LIN MAR NEL OR PET RO SAN TOR VAL WIN DER GAR HOF JEN FER CAS EL UL".split(" ");
const givenNames = "ANNA BEN CARLA DAN EVA FRED GINA HUGO IDA JACK KARIM LEA MARC NORA OLE PIA".split(" ");
const regions = ["CHEST", "HEAD", "KNEE", "SPINE"];
const pixels = Uint8Array.from({ length: 512 }, (_, i) => (i % 2 === 0 ? (i * 37) & 0xff : (i * 37) & 0x0f));
const firstDay = Date.UTC(2016, 0, 1);
const transferSyntaxUid = TransferSyntaxUid.explicitLittleEndian;

/** Repeatable chance for one number: xorshift, after some turns. */
function chanceOf(seed: number): () => number {
  let state = (Math.imul(seed, 2_654_435_761) + 12_345) >>> 0 || 1;
  const next = () => {
    state ^= state << 13;
    state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 2 ** 32;
  };
  for (let i = 0; i < 4; i++) next();
  return next;
}

/** One in a hundred patients is a SMITH, one in three hundred a SMIRNOV, one in five hundred a SMILEY. */
function familyName(chance: () => number): string {
  const drawn = chance();
  if (drawn < 0.01) return "SMITH";
  if (drawn < 0.013) return "SMIRNOV";
  if (drawn < 0.015) return "SMILEY";
  return [0, 1, 2].map(() => syllables[Math.floor(chance() * syllables.length)]).join("");
}

export const dayOf = (day: number): string =>
  new Date(firstDay + day * 86_400_000).toISOString().slice(0, 10).replaceAll("-", "");
export const accessionOf = (study: number): string => `B${String(study).padStart(8, "0")}`;
export const patientIdOf = (patient: number): string => `F${String(patient).padStart(7, "0")}`;
/** Seven patients have ten studies. */
export const patientOf = (study: number): number => Math.floor(study * 0.7);
/** Studies are spread over so many days. */
export const days = 3_650;

export function tinyStudy(study: number): TinyStudy {
  const patient = patientOf(study);
  const ofPatient = chanceOf(patient + 1);
  const ofStudy = chanceOf(study + 777);
  const name = `${familyName(ofPatient)}^${givenNames[patient % givenNames.length]}`;
  const day = Math.floor(ofStudy() * days);
  const [modality, sopClassUid] = modalities[Math.floor(ofStudy() * modalities.length)] ?? modalities[0];
  const uid = `1.2.826.0.1.3680043.10.1425.8.${study + 1}`;
  const sopInstanceUid = `${uid}.1.1`;
  const dataSet = writeDataSet(
    elementsOf({
      SpecificCharacterSet: "ISO_IR 100",
      SOPClassUID: sopClassUid,
      SOPInstanceUID: sopInstanceUid,
      StudyDate: dayOf(day),
      StudyTime: String(80_000 + (study % 10) * 10_000 + (study % 60)).padStart(6, "0"),
      AccessionNumber: accessionOf(study),
      Modality: modality,
      InstitutionName: "SYNTHETIC GENERAL HOSPITAL",
      ReferringPhysicianName: `REFERRER^${study % 50}`,
      StudyDescription: `${modality} ${regions[study % regions.length]}`,
      SeriesDescription: "SERIES 1",
      PatientName: name,
      PatientID: patientIdOf(patient),
      PatientBirthDate: `19${20 + (patient % 80)}0${1 + (patient % 9)}1${patient % 9}`,
      PatientSex: "MFO"[patient % 3],
      StudyInstanceUID: uid,
      SeriesInstanceUID: `${uid}.1`,
      StudyID: String(study % 99_999),
      SeriesNumber: 1,
      InstanceNumber: 1,
      SamplesPerPixel: 1,
      PhotometricInterpretation: "MONOCHROME2",
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
