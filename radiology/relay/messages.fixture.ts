import { elementsOf, type KeywordDataSet, TransferSyntaxUid, writeFile } from "#formats/dicom";

const code = (value: string, meaning: string, scheme = "LN"): KeywordDataSet => ({
  CodeValue: value,
  CodingSchemeDesignator: scheme,
  CodeMeaning: meaning,
});

const said = (relationship: string, type: string, concept: KeywordDataSet, more: KeywordDataSet): KeywordDataSet => ({
  RelationshipType: relationship,
  ValueType: type,
  ConceptNameCodeSequence: [concept],
  ...more,
});

/** A structured report of an order: findings in words, a measurement, a code, and who wrote it beside them. */
export function reportFile(values: KeywordDataSet = {}, number = 1): Buffer {
  const sopUid = `2.25.77.${number}`;
  const sopClassUid = "1.2.840.10008.5.1.4.1.1.88.22";
  const meta = {
    ...{ mediaStorageSopClassUid: sopClassUid, mediaStorageSopInstanceUid: sopUid },
    ...{ transferSyntaxUid: TransferSyntaxUid.explicitLittleEndian, implementationClassUid: "2.25.1" },
    implementationVersionName: "TEST",
  };
  const millimetre = code("mm", "millimeter", "UCUM");
  const dataSet = elementsOf({
    SpecificCharacterSet: "ISO_IR 192",
    ...{ SOPClassUID: sopClassUid, SOPInstanceUID: sopUid, Modality: "SR", SeriesNumber: 1, InstanceNumber: 1 },
    ...{ StudyInstanceUID: "2.25.77", SeriesInstanceUID: "2.25.77.0", StudyDate: "20260302", StudyTime: "091500" },
    ...{ PatientName: "Müller^Änne", PatientID: "P1", PatientBirthDate: "19700102", PatientSex: "F" },
    ...{ AccessionNumber: "A100", ContentDate: "20260302", ContentTime: "101500.25" },
    ...{ CompletionFlag: "COMPLETE", VerificationFlag: "VERIFIED", ValueType: "CONTAINER" },
    VerifyingObserverSequence: [{ VerifyingObserverName: "Reader^Rita" }],
    ReferencedRequestSequence: [
      {
        ...{ PlacerOrderNumberImagingServiceRequest: "100", FillerOrderNumberImagingServiceRequest: "F100" },
        RequestedProcedureCodeSequence: [code("CTH", "CT head", "L")],
      },
    ],
    ConceptNameCodeSequence: [code("18748-4", "Diagnostic imaging report")],
    ContentSequence: [
      said("HAS OBS CONTEXT", "PNAME", code("121008", "Person Observer Name", "DCM"), { PersonName: "Reader^Rita" }),
      said("CONTAINS", "CONTAINER", code("59776-5", "Findings"), {
        ContentSequence: [
          said("CONTAINS", "TEXT", code("59776-5", "Findings"), { TextValue: "No bleeding.\r\nNo fracture | none." }),
          said("CONTAINS", "NUM", code("33728-7", "Size"), {
            MeasuredValueSequence: [{ NumericValue: "12.5", MeasurementUnitsCodeSequence: [millimetre] }],
          }),
          said("CONTAINS", "CODE", code("19005-8", "Impression"), {
            ConceptCodeSequence: [code("17621005", "Normal", "SCT")],
          }),
        ],
      }),
    ],
    ...values,
  });
  return Buffer.from(writeFile(meta, dataSet));
}
