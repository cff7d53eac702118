// The made-up studies that two archives are given, each with what searches differ by.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PhantomKind } from "#imaging/phantoms";
import { fileOf, type Slice, slicesOf } from "../flows/modality.fixture.ts";
import { run } from "./dimse-query.fixture.ts";

interface MadeStudy {
  /** By series. */
  readonly kinds: readonly PhantomKind[];
  readonly values: Readonly<Record<string, unknown>>;
}

const unicode = { SpecificCharacterSet: "ISO_IR 192" };
const head = { BodyPartExamined: "HEAD", StationName: "CT-ONE" };

/** By the name that questions and answers have for the study. */
const made: Readonly<Record<string, MadeStudy>> = {
  "mueller-ct": {
    kinds: ["ct-head"],
    values: {
      ...{ SpecificCharacterSet: "ISO_IR 100", PatientID: "P1", PatientName: "Müller^Jane", PatientSex: "F" },
      ...{ PatientBirthDate: "19700102", StudyDate: "20240101", StudyTime: "101500", AccessionNumber: "A1" },
      ...{ StudyDescription: "CT Schädel", ReferringPhysicianName: "House^Gregory", StudyID: "S1", ...head },
      RequestAttributesSequence: [{ ScheduledProcedureStepID: "SPS1", RequestedProcedureID: "RP1" }],
    },
  },
  "mueller-mr": {
    kinds: ["mr-brain"],
    values: {
      ...{ ...unicode, PatientID: "P1", PatientName: "Müller^Jane", PatientSex: "F", PatientBirthDate: "19700102" },
      ...{ StudyDate: "20240301", StudyTime: "235959.999999", AccessionNumber: "A2", StudyDescription: "MR Brain" },
      ...{ ReferringPhysicianName: "Wilson^James", StudyID: "S2" },
    },
  },
  "roe-two": {
    kinds: ["ct-head", "dx-chest"],
    values: {
      ...{ ...unicode, PatientID: "P2", PatientName: "Roe^Richard", PatientSex: "M", PatientBirthDate: "19591231" },
      ...{ StudyDate: "20240301", StudyTime: "0915", AccessionNumber: "A3", StudyDescription: "Polytrauma" },
      ...{ ReferringPhysicianName: "House^Gregory", StudyID: "S3", SeriesDescription: "Thin 1 mm" },
    },
  },
  "doe-xa": {
    kinds: ["xa-cine"],
    values: {
      ...{ PatientID: "P3", PatientName: "DOE^JOHN^^^", PatientSex: "M", PatientBirthDate: "19400229" },
      ...{ ...unicode, StudyDate: "20231231", StudyTime: "00", AccessionNumber: "A10", StudyID: "" },
      ...{ StudyDescription: "coronary angiography", ReferringPhysicianName: "" },
    },
  },
  "doe-dx": {
    kinds: ["dx-chest"],
    values: {
      ...{ ...unicode, PatientID: "P30", PatientName: "doe^jane", PatientSex: "F", PatientBirthDate: "" },
      ...{ StudyDate: "20240229", StudyTime: "120000", AccessionNumber: "A1", StudyDescription: "Thorax p.a." },
      ...{ PerformedProcedureStepStartDate: "20240229", PerformedProcedureStepStartTime: "115500" },
    },
  },
  "yamada-mr": {
    kinds: ["mr-brain"],
    values: {
      ...{ SpecificCharacterSet: ["", "ISO 2022 IR 87"], PatientName: "Yamada^Tarou=山田^太郎=やまだ^たろう" },
      ...{ PatientID: "P4", PatientSex: "M", PatientBirthDate: "19650505", AccessionNumber: "A4" },
      ...{ StudyDate: "20240615", StudyTime: "080000", StudyDescription: "MR brain" },
    },
  },
  "petrov-ct": {
    kinds: ["ct-head"],
    values: {
      ...{ SpecificCharacterSet: "ISO_IR 144", PatientName: "Петров^Иван", PatientID: "P5", PatientSex: "M" },
      ...{ PatientBirthDate: "19800808", AccessionNumber: "A5", StudyDate: "20240616", StudyTime: "080001" },
      ...{ StudyDescription: "КТ", ...head },
    },
  },
  "nobody-us": {
    kinds: ["us-colour"],
    values: {
      ...{ ...unicode, PatientID: "P6", PatientName: "", PatientSex: "", PatientBirthDate: "", AccessionNumber: "" },
      ...{ StudyDate: "", StudyTime: "", StudyDescription: "", StudyID: "", ReferringPhysicianName: "" },
    },
  },
  "berg-mr": {
    kinds: ["mr-brain"],
    values: {
      ...{ ...unicode, PatientID: "p1", PatientName: "van der Berg^Jan Willem", PatientSex: "O" },
      ...{ PatientBirthDate: "19991231", AccessionNumber: "B-1", StudyDate: "20251231", StudyTime: "180000.5" },
      StudyDescription: "mr brain, follow-up",
    },
  },
};

export type StudyName = keyof typeof made & string;

export interface Corpus {
  readonly slices: readonly Slice[];
  /** `mueller-ct`, `mueller-ct/1` for its first series, `mueller-ct/1/2` for the second instance of that. */
  readonly uids: ReadonlyMap<string, string>;
  /** Has DCMTK's storescu send all of it. */
  send(at: { readonly dicom: number; readonly aeTitle: string }): Promise<void>;
  remove(): void;
}

export function makeCorpus(): Corpus {
  const folder = mkdtempSync(join(tmpdir(), "lg-corpus-"));
  const uids = new Map<string, string>();
  const all: Slice[] = [];
  Object.entries(made).forEach(([study, { kinds, values }], at) => {
    kinds.forEach((kind, series) => {
      const slices = seriesOf(kind, 10 * at + series + 1, { ...values, ...numbers(uids.get(study), series) });
      uids.set(study, slices[0]?.studyUid ?? "");
      uids.set(`${study}/${series + 1}`, slices[0]?.seriesUid ?? "");
      slices.forEach((slice, index) => void uids.set(`${study}/${series + 1}/${index + 1}`, slice.sopInstanceUid));
      all.push(...slices);
    });
  });
  mkdirSync(folder, { recursive: true });
  const files = all.map((slice, index) => {
    const file = join(folder, `${index}.dcm`);
    writeFileSync(file, fileOf(slice));
    return file;
  });
  return {
    slices: all,
    uids,
    async send({ dicom, aeTitle }) {
      const sent = await run("storescu", ["-aet", "CT1", "-aec", aeTitle, "127.0.0.1", String(dicom), ...files]);
      if (sent.code !== 0) throw new Error(`storescu: ${sent.output}`);
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** The second series of a study is in the same study. */
const numbers = (studyUid: string | undefined, series: number) => ({
  SeriesNumber: series + 1,
  ...(studyUid !== undefined && { StudyInstanceUID: studyUid }),
});

const seriesOf = (kind: PhantomKind, seed: number, values: object) =>
  slicesOf({ kind, seed, slices: 2, frames: 2, size: 32 }, (attributes) => ({ ...attributes, ...values }));
