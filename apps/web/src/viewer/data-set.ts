/** One data set of DICOM JSON (PS3.18 Annex F): keys are eight hexadecimal digits. */
export type DataSet = Readonly<Record<string, Attribute | undefined>>;

export interface Attribute {
  readonly vr: string;
  readonly Value?: readonly unknown[];
  readonly BulkDataURI?: string;
  readonly InlineBinary?: string;
}

export const tags = {
  specificCharacterSet: "00080005",
  sopClassUid: "00080016",
  sopInstanceUid: "00080018",
  contentDate: "00080023",
  modality: "00080060",
  seriesDescription: "0008103E",
  seriesInstanceUid: "0020000E",
  recommendedDisplayFrameRate: "00082144",
  sliceThickness: "00180050",
  cineRate: "00180040",
  frameTime: "00181063",
  patientOrientation: "00200020",
  imagePosition: "00200032",
  imageOrientation: "00200037",
  sliceLocation: "00201041",
  seriesNumber: "00200011",
  instanceNumber: "00200013",
  photometricInterpretation: "00280004",
  numberOfFrames: "00280008",
  rows: "00280010",
  columns: "00280011",
  bitsAllocated: "00280100",
  samplesPerPixel: "00280002",
  availableTransferSyntax: "00083002",
  documentTitle: "00420010",
  encapsulatedDocument: "00420011",
  encapsulatedDocumentType: "00420012",
  contentLabel: "00700080",
  contentDescription: "00700081",
  conceptName: "0040A043",
  conceptCode: "0040A168",
  codeMeaning: "00080104",
  contentSequence: "0040A730",
  valueType: "0040A040",
  textValue: "0040A160",
  dateTimeValue: "0040A120",
  dateValue: "0040A121",
  timeValue: "0040A122",
  personNameValue: "0040A123",
  uidValue: "0040A124",
  measuredValue: "0040A300",
  numericValue: "0040A30A",
  unitsCode: "004008EA",
} as const;

/** The first value as text; `""` when there is none. A person name gives its first group with a value. */
export function text(dataSet: DataSet | undefined, tag: string): string {
  const value = dataSet?.[tag]?.Value?.[0];
  if (typeof value === "string") return value;
  if (typeof value === "number") return String(value);
  if (typeof value === "object" && value !== null) {
    const name = value as { readonly Alphabetic?: string; readonly Ideographic?: string; readonly Phonetic?: string };
    return name.Alphabetic ?? name.Ideographic ?? name.Phonetic ?? "";
  }
  return "";
}

/** Every value that is a number: decimal and integer strings may come as either (PS3.18 F.2.3). */
export function numbers(dataSet: DataSet | undefined, tag: string): readonly number[] {
  return (dataSet?.[tag]?.Value ?? []).map(Number).filter(Number.isFinite);
}

export function number(dataSet: DataSet | undefined, tag: string): number | undefined {
  return numbers(dataSet, tag)[0];
}

export function items(dataSet: DataSet | undefined, tag: string): readonly DataSet[] {
  return (dataSet?.[tag]?.Value ?? []) as readonly DataSet[];
}
