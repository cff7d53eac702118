import type { KeywordDataSet } from "#formats/dicom";
import { angiogramCine } from "./angiogram.ts";
import type { StudyIdentity } from "./attributes.ts";
import {
  angiogramAttributes,
  axialAttributes,
  chestAttributes,
  commonAttributes,
  ctAttributes,
  grayPixelAttributes,
  mrAttributes,
  ultrasoundAttributes,
} from "./attributes.ts";
import { chestRadiograph } from "./chest.ts";
import type { SliceSeries } from "./head-series.ts";
import { ctHeadSeries, mrBrainSeries } from "./head-series.ts";
import type { PhantomPatient } from "./identity.ts";
import { phantomPatient, uidSource } from "./identity.ts";
import { ultrasoundCine } from "./ultrasound.ts";

export type PhantomKind = "ct-head" | "mr-brain" | "us-colour" | "xa-cine" | "dx-chest";

export interface PhantomOptions {
  kind: PhantomKind;
  /** Slices of a CT (120) or MR (28). */
  slices?: number;
  /** Frames of an ultrasound (20) or angiogram (32). */
  frames?: number;
  /** Pixels along a side, even: CT 512, MR 256, angiogram 512, radiograph 1024. Ultrasound is 640 by 480. */
  size?: number;
  /** Anatomy, noise, patient and UIDs follow from it. Default 1. */
  seed?: number;
  patient?: PhantomPatient;
  accessionNumber?: string;
  /** DA. Default a fixed day, so that the bytes do not depend on the clock. */
  date?: string;
}

/** One object of a phantom study, its pixels still by themselves. */
export interface PhantomInstance {
  sopClassUid: string;
  sopInstanceUid: string;
  /** Everything but Pixel Data. */
  attributes: KeywordDataSet;
  /** Frames, uncompressed, little endian. */
  frames: Uint8Array[];
}

export const sopClassUids: Record<PhantomKind, string> = {
  "ct-head": "1.2.840.10008.5.1.4.1.1.2",
  "mr-brain": "1.2.840.10008.5.1.4.1.1.4",
  "us-colour": "1.2.840.10008.5.1.4.1.1.3.1",
  "xa-cine": "1.2.840.10008.5.1.4.1.1.12.1",
  "dx-chest": "1.2.840.10008.5.1.4.1.1.1.1",
};

const regions: Record<PhantomKind, string> = {
  "ct-head": "HEAD",
  "mr-brain": "BRAIN",
  "us-colour": "NECK",
  "xa-cine": "HEART",
  "dx-chest": "CHEST",
};

export interface StudyParts {
  study: StudyIdentity;
  newUid: () => string;
}

export function studyParts(options: PhantomOptions): StudyParts {
  const seed = options.seed ?? 1;
  const newUid = uidSource(seed * 31 + Object.keys(regions).indexOf(options.kind));
  const study: StudyIdentity = {
    patient: options.patient ?? phantomPatient(seed, regions[options.kind]),
    studyUid: newUid(),
    seriesUid: newUid(),
    frameOfReferenceUid: newUid(),
    accessionNumber: options.accessionNumber ?? `A${String(seed >>> 0).padStart(6, "0")}`,
    date: options.date ?? "20250314",
    time: "091500",
  };
  return { study, newUid };
}

/** The Study Instance UID that `phantomStudy` gives for these options, without making the study. */
export const phantomStudyUid = (options: Pick<PhantomOptions, "kind" | "seed">): string =>
  studyParts(options).study.studyUid;

const sop = (uid: string, instance: string): KeywordDataSet => ({ SOPClassUID: uid, SOPInstanceUID: instance });

const twelveBits = { allocated: 16, stored: 12 };

/** What is the same in every slice of an axial series. */
export function axialBase(kind: "ct-head" | "mr-brain", study: StudyIdentity, series: SliceSeries): KeywordDataSet {
  const ct = kind === "ct-head";
  return {
    ...commonAttributes(study, {
      modality: ct ? "CT" : "MR",
      studyDescription: ct ? "CT head" : "MR brain",
      seriesDescription: ct ? "Head 1.25 H31s" : "T1 axial",
      model: ct ? "Phantom CT" : "Phantom MR",
    }),
    ...(ct ? ctAttributes : mrAttributes),
    ...grayPixelAttributes(series.rows, series.columns, twelveBits),
  };
}

function* axialStudy(kind: "ct-head" | "mr-brain", options: PhantomOptions): Generator<PhantomInstance> {
  const { study, newUid } = studyParts(options);
  const ct = kind === "ct-head";
  const thicknessMm = ct ? 1.25 : 5;
  const common = { seed: options.seed ?? 1, stepMm: thicknessMm };
  const series = ct
    ? ctHeadSeries({ ...common, slices: options.slices ?? 120, size: options.size ?? 512 })
    : mrBrainSeries({ ...common, slices: options.slices ?? 28, size: options.size ?? 256 });
  const base = axialBase(kind, study, series);
  for (let index = 0; index < series.heightsMm.length; index++) {
    const sopInstanceUid = newUid();
    const zMm = series.heightsMm[index] as number;
    yield {
      sopClassUid: sopClassUids[kind],
      sopInstanceUid,
      attributes: {
        ...base,
        ...sop(sopClassUids[kind], sopInstanceUid),
        ...axialAttributes(study, { ...series, thicknessMm, zMm }, index),
      },
      frames: [series.slice(index)],
    };
  }
}

function cineStudy(options: PhantomOptions): PhantomInstance {
  const { study, newUid } = studyParts(options);
  const sopInstanceUid = newUid();
  const seed = options.seed ?? 1;
  const uid = sopClassUids[options.kind];
  const colour = options.kind === "us-colour";
  const cine = colour
    ? ultrasoundCine({ frames: options.frames ?? 20, seed })
    : angiogramCine({ frames: options.frames ?? 32, size: options.size ?? 512, seed });
  const { rows, columns, frameMs } = cine;
  const words = colour
    ? { modality: "US", studyDescription: "US carotid", seriesDescription: "Colour Doppler", model: "Phantom US" }
    : { modality: "XA", studyDescription: "Coronary angiography", seriesDescription: "LCA", model: "Phantom XA" };
  const image = colour
    ? ultrasoundAttributes(rows, columns, cine.frames, frameMs)
    : {
        ...grayPixelAttributes(rows, columns, { allocated: 8, stored: 8 }),
        ...angiogramAttributes(cine.frames, frameMs),
      };
  return {
    sopClassUid: uid,
    sopInstanceUid,
    attributes: { ...commonAttributes(study, words), ...image, ...sop(uid, sopInstanceUid) },
    frames: Array.from({ length: cine.frames }, (_, index) => cine.frame(index)),
  };
}

function radiographStudy(options: PhantomOptions): PhantomInstance {
  const { study, newUid } = studyParts(options);
  const sopInstanceUid = newUid();
  const size = options.size ?? 1024;
  const { spacingMm, pixels } = chestRadiograph({ size, seed: options.seed ?? 1 });
  const uid = sopClassUids["dx-chest"];
  return {
    sopClassUid: uid,
    sopInstanceUid,
    attributes: {
      ...commonAttributes(study, {
        modality: "DX",
        studyDescription: "Chest PA",
        seriesDescription: "Chest PA",
        model: "Phantom DX",
      }),
      ...grayPixelAttributes(size, size, twelveBits),
      ...chestAttributes(spacingMm),
      ...sop(uid, sopInstanceUid),
    },
    frames: [pixels],
  };
}

/**
 * A made-up study that looks like one: the same options give the same bytes. A CT of 120 slices is made slice by slice, so
 * that no more than one is in memory.
 */
export function* phantomStudy(options: PhantomOptions): Generator<PhantomInstance> {
  switch (options.kind) {
    case "ct-head":
    case "mr-brain":
      yield* axialStudy(options.kind, options);
      break;
    case "us-colour":
    case "xa-cine":
      yield cineStudy(options);
      break;
    case "dx-chest":
      yield radiographStudy(options);
  }
}
