import type { KeywordDataSet } from "#formats/dicom";
import type { PhantomPatient } from "./identity.ts";

/** What all instances of a phantom study share. */
export interface StudyIdentity {
  patient: PhantomPatient;
  studyUid: string;
  seriesUid: string;
  frameOfReferenceUid: string;
  accessionNumber: string;
  /** DA and TM of the whole study. */
  date: string;
  time: string;
}

export interface SeriesWords {
  modality: string;
  studyDescription: string;
  seriesDescription: string;
  model: string;
}

/** DS holds 16 characters; six decimals are a nanometre. */
export const decimal = (value: number): number => Math.round(value * 1e6) / 1e6;

/** Patient, study, series, equipment and SOP common modules (PS3.3 C.7.1 to C.7.5, C.12.1), types 1 and 2. */
export function commonAttributes(study: StudyIdentity, words: SeriesWords): KeywordDataSet {
  return {
    SpecificCharacterSet: "ISO_IR 192",
    InstanceCreationDate: study.date,
    InstanceCreationTime: study.time,
    StudyDate: study.date,
    SeriesDate: study.date,
    AcquisitionDate: study.date,
    ContentDate: study.date,
    StudyTime: study.time,
    SeriesTime: study.time,
    AcquisitionTime: study.time,
    ContentTime: study.time,
    AccessionNumber: study.accessionNumber,
    Modality: words.modality,
    Manufacturer: "Leadglass",
    InstitutionName: "Phantom Hospital",
    ReferringPhysicianName: "",
    StationName: "PHANTOM",
    StudyDescription: words.studyDescription,
    SeriesDescription: words.seriesDescription,
    ManufacturerModelName: words.model,
    PatientName: study.patient.name,
    PatientID: study.patient.id,
    PatientBirthDate: study.patient.birthDate,
    PatientSex: study.patient.sex,
    DeviceSerialNumber: "0001",
    SoftwareVersions: "1",
    StudyInstanceUID: study.studyUid,
    SeriesInstanceUID: study.seriesUid,
    StudyID: "1",
    SeriesNumber: 1,
  };
}

export interface SliceGeometry {
  columns: number;
  rows: number;
  spacingMm: number;
  thicknessMm: number;
  /** Height of the slice. */
  zMm: number;
}

/** Image plane and frame of reference of an axial slice, first row in front, first column at the patient's right. */
export function axialAttributes(study: StudyIdentity, slice: SliceGeometry, index: number): KeywordDataSet {
  const first = (pixels: number) => decimal((-(pixels - 1) / 2) * slice.spacingMm);
  return {
    InstanceNumber: index + 1,
    PatientPosition: "HFS",
    FrameOfReferenceUID: study.frameOfReferenceUid,
    PositionReferenceIndicator: "OM",
    ImagePositionPatient: [first(slice.columns), first(slice.rows), decimal(slice.zMm)],
    ImageOrientationPatient: [1, 0, 0, 0, 1, 0],
    SliceLocation: decimal(slice.zMm),
    SliceThickness: decimal(slice.thicknessMm),
    PixelSpacing: [decimal(slice.spacingMm), decimal(slice.spacingMm)],
  };
}

/** Image pixel module of 12 bits unsigned in 16. */
export function grayPixelAttributes(
  rows: number,
  columns: number,
  bits: { allocated: number; stored: number },
): KeywordDataSet {
  return {
    SamplesPerPixel: 1,
    PhotometricInterpretation: "MONOCHROME2",
    Rows: rows,
    Columns: columns,
    BitsAllocated: bits.allocated,
    BitsStored: bits.stored,
    HighBit: bits.stored - 1,
    PixelRepresentation: 0,
  };
}

export const ctAttributes: KeywordDataSet = {
  ImageType: ["ORIGINAL", "PRIMARY", "AXIAL"],
  BodyPartExamined: "HEAD",
  ScanOptions: "HELICAL MODE",
  KVP: 120,
  DataCollectionDiameter: 250,
  ReconstructionDiameter: 230,
  GantryDetectorTilt: 0,
  TableHeight: 152,
  RotationDirection: "CW",
  ExposureTime: 1000,
  XRayTubeCurrent: 280,
  Exposure: 280,
  ConvolutionKernel: "H31s",
  AcquisitionNumber: 1,
  RescaleIntercept: -1024,
  RescaleSlope: 1,
  RescaleType: "HU",
  WindowCenter: [40, 400],
  WindowWidth: [80, 2500],
  WindowCenterWidthExplanation: ["BRAIN", "BONE"],
};

export const mrAttributes: KeywordDataSet = {
  ImageType: ["ORIGINAL", "PRIMARY", "OTHER"],
  BodyPartExamined: "BRAIN",
  ScanningSequence: ["GR", "IR"],
  SequenceVariant: ["SP", "MP"],
  ScanOptions: "",
  MRAcquisitionType: "3D",
  SequenceName: "*tfl3d1",
  RepetitionTime: 1900,
  EchoTime: 2.6,
  InversionTime: 900,
  NumberOfAverages: 1,
  ImagingFrequency: 127.7,
  EchoNumbers: 1,
  MagneticFieldStrength: 3,
  EchoTrainLength: 1,
  FlipAngle: 9,
  AcquisitionNumber: 1,
  WindowCenter: 420,
  WindowWidth: 900,
};

export function ultrasoundAttributes(rows: number, columns: number, frames: number, frameMs: number): KeywordDataSet {
  return {
    ImageType: ["ORIGINAL", "PRIMARY", "VASCULAR", "0011"],
    InstanceNumber: 1,
    PatientOrientation: "",
    BodyPartExamined: "NECK",
    TransducerData: "",
    UltrasoundColorDataPresent: 1,
    LossyImageCompression: "00",
    SamplesPerPixel: 3,
    PhotometricInterpretation: "RGB",
    PlanarConfiguration: 0,
    Rows: rows,
    Columns: columns,
    BitsAllocated: 8,
    BitsStored: 8,
    HighBit: 7,
    PixelRepresentation: 0,
    NumberOfFrames: frames,
    FrameTime: frameMs,
    FrameIncrementPointer: 0x00181063,
    CineRate: Math.round(1000 / frameMs),
    SequenceOfUltrasoundRegions: [
      {
        RegionSpatialFormat: 1,
        RegionDataType: 1,
        RegionFlags: 2,
        RegionLocationMinX0: 40,
        RegionLocationMinY0: 30,
        RegionLocationMaxX1: 600,
        RegionLocationMaxY1: 455,
        PhysicalUnitsXDirection: 3,
        PhysicalUnitsYDirection: 3,
        PhysicalDeltaX: 0.012,
        PhysicalDeltaY: 0.012,
      },
    ],
  };
}

export function angiogramAttributes(frames: number, frameMs: number): KeywordDataSet {
  return {
    ImageType: ["ORIGINAL", "PRIMARY", "SINGLE PLANE"],
    InstanceNumber: 1,
    PatientOrientation: "",
    BodyPartExamined: "HEART",
    KVP: 80,
    DistanceSourceToDetector: 1000,
    DistanceSourceToPatient: 760,
    ExposureTime: 6,
    XRayTubeCurrent: 650,
    RadiationSetting: "GR",
    ImagerPixelSpacing: [0.37, 0.37],
    PositionerMotion: "STATIC",
    PositionerPrimaryAngle: 30,
    PositionerSecondaryAngle: -20,
    PixelIntensityRelationship: "LIN",
    LossyImageCompression: "00",
    NumberOfFrames: frames,
    FrameTime: frameMs,
    FrameIncrementPointer: 0x00181063,
    CineRate: Math.round(1000 / frameMs),
    RecommendedDisplayFrameRate: Math.round(1000 / frameMs),
    WindowCenter: 128,
    WindowWidth: 256,
  };
}

const code = (value: string, scheme: string, meaning: string): KeywordDataSet => ({
  CodeValue: value,
  CodingSchemeDesignator: scheme,
  CodeMeaning: meaning,
});

export function chestAttributes(spacingMm: number): KeywordDataSet {
  return {
    ImageType: ["ORIGINAL", "PRIMARY", ""],
    InstanceNumber: 1,
    PresentationIntentType: "FOR PRESENTATION",
    AcquisitionNumber: 1,
    BodyPartExamined: "CHEST",
    ViewPosition: "PA",
    PatientOrientation: ["L", "F"],
    ImageLaterality: "U",
    KVP: 125,
    DistanceSourceToDetector: 1800,
    DistanceSourceToPatient: 1720,
    Exposure: 2,
    ImagerPixelSpacing: [decimal(spacingMm), decimal(spacingMm)],
    DetectorType: "DIRECT",
    DetectorConfiguration: "AREA",
    DetectorID: "1",
    DetectorTemperature: 30,
    PixelIntensityRelationship: "LOG",
    PixelIntensityRelationshipSign: -1,
    RescaleIntercept: 0,
    RescaleSlope: 1,
    RescaleType: "US",
    PresentationLUTShape: "IDENTITY",
    LossyImageCompression: "00",
    BurnedInAnnotation: "NO",
    WindowCenter: 1500,
    WindowWidth: 2600,
    AcquisitionContextSequence: [],
    AnatomicRegionSequence: [code("51185008", "SCT", "Chest")],
    ViewCodeSequence: [{ ...code("399348003", "SCT", "Postero-anterior"), ViewModifierCodeSequence: [] }],
    PatientOrientationCodeSequence: [code("10904000", "SCT", "Erect")],
    PositionerType: "",
  };
}
