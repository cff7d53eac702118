import type { ValueInput, Vr } from "#formats/dicom";
import { vrTable } from "#formats/dicom";

const words = "REMOVED";
const texts: Partial<Readonly<Record<Vr, string>>> = {
  AS: "000Y",
  DA: "19000101",
  DS: "0",
  DT: "19000101000000",
  IS: "0",
  TM: "000000",
  UR: "urn:removed",
};

/** A value that says nothing of anybody and that the VR holds (PS3.15 §E.1, action D). Not for sequences, whose items hold such values. */
export function dummyValue(vr: Vr): ValueInput {
  const { kind, unitBytes } = vrTable[vr];
  if (kind === "number" || kind === "bytes") return new Uint8Array(Math.max(vr === "AT" ? 4 : unitBytes, 2));
  return texts[vr] ?? words;
}
