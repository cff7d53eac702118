/*
 * Which directory record stands for an instance, and what is copied into it (PS3.3 §F.4 and §F.5). Keys that are sequences are copied
 * whole.
 */

interface RecordKind {
  readonly type: string;
  readonly keys: readonly string[];
}

const content = ["ContentDate", "ContentTime"];
const identification = [
  ...content,
  "ContentLabel",
  "ContentDescription",
  "ContentCreatorName",
  "PresentationCreationDate",
  "PresentationCreationTime",
];

const kinds = {
  image: { type: "IMAGE", keys: [] },
  sr: {
    type: "SR DOCUMENT",
    keys: ["CompletionFlag", "VerificationFlag", ...content, "VerificationDateTime", "ConceptNameCodeSequence"],
  },
  keyObject: { type: "KEY OBJECT DOC", keys: [...content, "ConceptNameCodeSequence"] },
  presentation: { type: "PRESENTATION", keys: [...identification.slice(2), "ReferencedSeriesSequence"] },
  waveform: { type: "WAVEFORM", keys: content },
  dose: { type: "RT DOSE", keys: ["DoseSummationType"] },
  structures: { type: "RT STRUCTURE SET", keys: ["StructureSetLabel", "StructureSetDate", "StructureSetTime"] },
  plan: { type: "RT PLAN", keys: ["RTPlanLabel", "RTPlanDate", "RTPlanTime"] },
  treatment: { type: "RT TREAT RECORD", keys: ["TreatmentDate", "TreatmentTime"] },
  document: {
    type: "ENCAP DOC",
    keys: [
      ...content,
      "DocumentTitle",
      "HL7InstanceIdentifier",
      "ConceptNameCodeSequence",
      "MIMETypeOfEncapsulatedDocument",
    ],
  },
  raw: { type: "RAW DATA", keys: content },
  registration: { type: "REGISTRATION", keys: identification },
  fiducial: { type: "FIDUCIAL", keys: identification },
  surface: { type: "SURFACE", keys: identification },
  tract: { type: "TRACT", keys: identification },
  valueMap: { type: "VALUE MAP", keys: identification },
  spectroscopy: {
    type: "SPECTROSCOPY",
    keys: ["ImageType", ...content, "NumberOfFrames", "Rows", "Columns", "DataPointRows", "DataPointColumns"],
  },
  stereometric: { type: "STEREOMETRIC", keys: identification },
  measurement: { type: "MEASUREMENT", keys: content },
  assessment: { type: "ASSESSMENT", keys: content },
  annotation: { type: "ANNOTATION", keys: identification },
} as const satisfies Record<string, RecordKind>;

/** Below 1.2.840.10008.5.1.4.1.1; the longest that fits counts, what is in none is an image (PS3.3 Table F.4-1). */
const kindOf: ReadonlyMap<string, RecordKind> = new Map<string, RecordKind>([
  ["88", kinds.sr],
  ["88.59", kinds.keyObject],
  ["11", kinds.presentation],
  ["9", kinds.waveform],
  ["481.2", kinds.dose],
  ["481.3", kinds.structures],
  ["481.5", kinds.plan],
  ["481.8", kinds.plan],
  ["481.4", kinds.treatment],
  ["481.6", kinds.treatment],
  ["481.7", kinds.treatment],
  ["481.9", kinds.treatment],
  ["104", kinds.document],
  ["66", kinds.raw],
  ["66.1", kinds.registration],
  ["66.3", kinds.registration],
  ["66.2", kinds.fiducial],
  ["66.4", kinds.image],
  ["66.5", kinds.surface],
  ["66.6", kinds.tract],
  ["67", kinds.valueMap],
  ["4.2", kinds.spectroscopy],
  ["77.1.5.3", kinds.stereometric],
  ["78", kinds.measurement],
  ["90.1", kinds.assessment],
  ["91.1", kinds.annotation],
]);

const storage = "1.2.840.10008.5.1.4.1.1.";

export function recordKindOf(sopClassUid: string): RecordKind {
  if (!sopClassUid.startsWith(storage)) return kinds.image;
  for (
    let rest = sopClassUid.slice(storage.length);
    rest !== "";
    rest = rest.slice(0, Math.max(0, rest.lastIndexOf(".")))
  ) {
    const found = kindOf.get(rest);
    if (found !== undefined) return found;
  }
  return kinds.image;
}
