import { Problem } from "#base/problem";
import { type DataSet, Tag, tagOf } from "#formats/dicom";
import type { HeldImage } from "#radiology/archive";
import { overlaysOf } from "./overlays.ts";

const storage = "1.2.840.10008.5.1.4.1.1.";

/**
 * Images that scanners make of nothing but measured values. In all others names and dates are often written into the pixels: ultrasound,
 * secondary captures, photographs, endoscopy, scanned paper, fluoroscopy, computed radiography. Digital X-ray must say (PS3.3 §C.8.11.3).
 */
const measured: ReadonlySet<string> = new Set(
  [
    ...["2", "2.1", "2.2", "4", "4.1", "4.2", "4.3", "4.4"], // CT, MR
    ...["13.1.1", "13.1.2", "13.1.3", "13.1.4", "13.1.5"], // volumes of X-rays
    ...["20", "128", "128.1", "130", "30", "66.4", "481.2"], // NM, PET, parametric maps, segmentations, dose
  ].map((end) => storage + end),
);

/**
 * Lets who sees identity masked look at pixels only where nobody's name is in them: Burned In Annotation says NO, or says nothing and the
 * image is of measured values and no copy of a screen (PS3.3 §C.7.6.1.1.1). Overlay bits hidden among the samples are refused to them too.
 * No picture is searched for text: what is not known to be clean is not shown. Problem `denied`.
 */
export function requireCleanFor(
  { sees, sopClassUid }: Pick<HeldImage, "sees" | "sopClassUid">,
  dataSet: DataSet,
): void {
  if (sees === "whole" || isKnownClean(sopClassUid, dataSet)) return;
  throw new Problem("denied", "the picture may show whose it is", {
    remedy: "it is shown to those who may see identity, or when Burned In Annotation says NO",
  });
}

/** Whether pixels, of a header up to them, are known to show nobody's identity. */
export function isKnownClean(sopClassUid: string, dataSet: DataSet): boolean {
  const isHidden = overlaysOf(dataSet, 0, () => true).some(({ bits }) => "ofSamples" in bits);
  if (isHidden || dataSet.text(tagOf("RecognizableVisualFeatures")) === "YES") return false;
  const stated = dataSet.text(tagOf("BurnedInAnnotation"));
  if (stated === "NO") return true;
  const kinds = dataSet.texts(Tag.ImageType) ?? [];
  return !stated && measured.has(sopClassUid) && !kinds.some((kind) => /SCREEN|CAPTURE|SECONDARY FORM/.test(kind));
}
