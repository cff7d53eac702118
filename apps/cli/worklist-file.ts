import { readFile, tagOf } from "#formats/dicom";

const bytesMax = 1024 * 1024;
const modalityWorklist = "1.2.840.10008.5.1.4.31";
const steps = tagOf("ScheduledProcedureStepSequence");
const sopClass = tagOf("SOPClassUID");

/** Whether a file is a modality worklist item (as DCMTK's wlmscpfs and others keep them), which is scheduled and not stored. */
export function isWorklistItem(bytes: Uint8Array): boolean {
  if (bytes.length > bytesMax) return false;
  try {
    const { dataSet } = readFile(bytes, { stopBefore: [steps + 1] });
    const of = dataSet.text(sopClass) ?? "";
    return dataSet.has(steps) && (of === "" || of === modalityWorklist);
  } catch {
    return false;
  }
}
