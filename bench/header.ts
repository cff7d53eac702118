/**
 * The header of a 512 KiB CT, read by us, by dicom-parser and by dcmjs: `node bench/header.ts`.
 *
 * All read the same file, made here by our own writer, up to pixel data, and in turns, round by round, so that noise
 * of the machine meets all of them.
 */
import dcmjs from "dcmjs";
import dicomParser from "dicom-parser";
import {
  createHeaderReader,
  createReader,
  type ElementInput,
  elementsOf,
  pixelDataTags,
  readFile,
  Tag,
  TransferSyntaxUid,
  toDicomJson,
  writeFile,
} from "#formats/dicom";

const uid = (n: number) => `1.2.826.0.1.3680043.10.1425.1.20260102.${n}.4.1867`;
const code = (value: string, meaning: string) => ({
  CodeValue: value,
  CodingSchemeDesignator: "DCM",
  CodeMeaning: meaning,
});

function ctElements(): ElementInput[] {
  const standard = elementsOf({
    SpecificCharacterSet: "ISO_IR 100",
    ImageType: ["ORIGINAL", "PRIMARY", "AXIAL", "CT_SOM5 SPI"],
    InstanceCreationDate: "20260102",
    InstanceCreationTime: "101112.531000",
    SOPClassUID: "1.2.840.10008.5.1.4.1.1.2",
    SOPInstanceUID: uid(9001),
    StudyDate: "20260102",
    SeriesDate: "20260102",
    AcquisitionDate: "20260102",
    ContentDate: "20260102",
    AcquisitionDateTime: "20260102101059.411000",
    StudyTime: "100511.000000",
    SeriesTime: "100744.781000",
    AcquisitionTime: "101059.411000",
    ContentTime: "101059.411000",
    AccessionNumber: "A20260102-17",
    Modality: "CT",
    Manufacturer: "ACME MEDICAL",
    InstitutionName: "Krankenhaus am Röntgenweg",
    InstitutionAddress: "Röntgenweg 1",
    ReferringPhysicianName: "Überweiser^Ulrike^^Dr.",
    StationName: "CT01",
    StudyDescription: "CT Thorax Abdomen",
    ProcedureCodeSequence: [code("CTTHAB", "CT Thorax Abdomen")],
    SeriesDescription: "Thorax 1.0 B31f",
    InstitutionalDepartmentName: "Radiologie",
    PhysiciansOfRecord: "Behandler^Bernd",
    PerformingPhysicianName: "Durchführer^Dora",
    OperatorsName: "MTRA^M",
    ManufacturerModelName: "Window 128",
    ReferencedStudySequence: [{ ReferencedSOPClassUID: uid(1), ReferencedSOPInstanceUID: uid(2) }],
    ReferencedImageSequence: [1, 2, 3].map((n) => ({
      ReferencedSOPClassUID: "1.2.840.10008.5.1.4.1.1.2",
      ReferencedSOPInstanceUID: uid(n),
    })),
    SourceImageSequence: [{ ReferencedSOPClassUID: uid(3), ReferencedSOPInstanceUID: uid(4) }],
    DerivationDescription: "none",
    PatientName: "Mustermann^Erika",
    PatientID: "PID-0012345",
    IssuerOfPatientID: "HOSPITAL",
    PatientBirthDate: "19640812",
    PatientSex: "F",
    PatientAge: "061Y",
    PatientSize: "1.68",
    PatientWeight: "71",
    PatientComments: "",
    ContrastBolusAgent: "Iomeprol 350",
    BodyPartExamined: "CHEST",
    ScanOptions: "HELIX",
    SliceThickness: "1.0",
    KVP: "120",
    DataCollectionDiameter: "500",
    DeviceSerialNumber: "55512",
    SoftwareVersions: "VA48A",
    ProtocolName: "Thorax_Abdomen",
    ContrastBolusVolume: "90",
    ReconstructionDiameter: "380",
    DistanceSourceToDetector: "1085.6",
    DistanceSourceToPatient: "595",
    GantryDetectorTilt: "0",
    TableHeight: "152",
    RotationDirection: "CW",
    ExposureTime: "500",
    XRayTubeCurrent: "214",
    Exposure: "107",
    FilterType: "FLAT",
    GeneratorPower: "51",
    FocalSpots: ["1.2"],
    DateOfLastCalibration: "20260101",
    TimeOfLastCalibration: "060000.000",
    ConvolutionKernel: "B31f",
    PatientPosition: "FFS",
    SingleCollimationWidth: 0.6,
    TotalCollimationWidth: 38.4,
    TableSpeed: 92.2,
    TableFeedPerRotation: 46.1,
    SpiralPitchFactor: 1.2,
    CTDIvol: 7.23,
    CTDIPhantomTypeCodeSequence: [code("113691", "IEC Body Dosimetry Phantom")],
    StudyInstanceUID: uid(10),
    SeriesInstanceUID: uid(11),
    StudyID: "17",
    SeriesNumber: "4",
    AcquisitionNumber: "2",
    InstanceNumber: "211",
    ImagePositionPatient: ["-189.62890625", "-341.62890625", "-512.5"],
    ImageOrientationPatient: ["1", "0", "0", "0", "1", "0"],
    FrameOfReferenceUID: uid(12),
    PositionReferenceIndicator: "",
    SliceLocation: "-512.5",
    ImageComments: "",
    SamplesPerPixel: 1,
    PhotometricInterpretation: "MONOCHROME2",
    Rows: 512,
    Columns: 512,
    PixelSpacing: ["0.7421875", "0.7421875"],
    BitsAllocated: 16,
    BitsStored: 12,
    HighBit: 11,
    PixelRepresentation: 0,
    SmallestImagePixelValue: 0,
    LargestImagePixelValue: 4011,
    WindowCenter: ["40", "-600"],
    WindowWidth: ["400", "1200"],
    RescaleIntercept: "-1024",
    RescaleSlope: "1",
    RescaleType: "HU",
    WindowCenterWidthExplanation: ["WINDOW1", "WINDOW2"],
    RequestingPhysician: "Anforderer^Anna",
    RequestedProcedureDescription: "CT Thorax Abdomen mit KM",
    PerformedProcedureStepStartDate: "20260102",
    PerformedProcedureStepStartTime: "100511.000",
    PerformedProcedureStepID: "PPS17",
    PerformedProcedureStepDescription: "CT Thorax Abdomen",
    RequestAttributesSequence: [
      {
        RequestedProcedureDescription: "CT Thorax Abdomen",
        ScheduledProcedureStepDescription: "CT Thorax Abdomen",
        ScheduledProtocolCodeSequence: [code("CTTHAB", "CT Thorax Abdomen")],
        ScheduledProcedureStepID: "SPS17",
        RequestedProcedureID: "RP17",
      },
    ],
    PixelData: new Uint8Array(512 * 512 * 2),
  });
  const maker: ElementInput[] = [
    { tag: 0x00190010, vr: "LO", value: "ACME CT VA0 COAD" },
    { tag: 0x00191008, vr: "CS", value: "DERIVED" },
    { tag: 0x00191090, vr: "DS", value: "500" },
    { tag: 0x00191092, vr: "DS", value: "0" },
    { tag: 0x001910b0, vr: "UN", value: new Uint8Array(24) },
    { tag: 0x00290010, vr: "LO", value: "ACME CSA HEADER" },
    { tag: 0x00291008, vr: "CS", value: "SOM 5" },
    { tag: 0x00291009, vr: "LO", value: "VA10A 971201" },
    { tag: 0x00291010, vr: "OB", value: new Uint8Array(1200) },
    { tag: 0x00291040, vr: "SQ", value: [[{ tag: 0x00291041, vr: "LO", value: "x" }]] },
  ];
  return [...standard, ...maker];
}

const wanted = [
  "SpecificCharacterSet SOPClassUID SOPInstanceUID StudyDate SeriesDate StudyTime SeriesTime AccessionNumber Modality",
  "ReferringPhysicianName StudyDescription SeriesDescription PatientName PatientID IssuerOfPatientID PatientBirthDate",
  "PatientSex BodyPartExamined StudyInstanceUID SeriesInstanceUID StudyID SeriesNumber InstanceNumber NumberOfFrames Rows",
  "Columns BitsAllocated",
].flatMap((line) => line.split(" ").map((keyword) => Tag[keyword as keyof typeof Tag]));

const file = writeFile(
  {
    mediaStorageSopClassUid: "1.2.840.10008.5.1.4.1.1.2",
    mediaStorageSopInstanceUid: uid(9001),
    transferSyntaxUid: TransferSyntaxUid.explicitLittleEndian,
    implementationClassUid: "2.25.1",
    implementationVersionName: "BENCH",
  },
  ctElements(),
);
const heads = new Float64Array(4096);

/** Tag, VR, offset and length of every element and item up to pixel data: what dicom-parser keeps too. */
function ourHeads(): number {
  let n = 0;
  const reader = createReader({
    stopBefore: pixelDataTags,
    events: {
      element(tag, vr, offset, length) {
        heads[n++] = tag;
        heads[n++] = vr.charCodeAt(0) * 256 + vr.charCodeAt(1);
        heads[n++] = offset;
        heads[n++] = length;
      },
      sequenceStart(tag, _vr, offset, length) {
        heads[n++] = tag;
        heads[n++] = 0x5351;
        heads[n++] = offset;
        heads[n++] = length;
      },
    },
  });
  reader.write(file);
  return n / 4;
}

function ourHeader(): string | undefined {
  const reader = createHeaderReader({ wanted });
  reader.write(file);
  return reader.header().dataSet.text(Tag.StudyInstanceUID);
}

const dcmjsOptions = { untilTag: "7FE00010", ignoreErrors: true };
const buffer = file.buffer.slice(file.byteOffset, file.byteOffset + file.byteLength);
const contenders: Record<string, () => unknown> = {
  "ours: every head": ourHeads,
  "ours: data set": () => readFile(file, { stopBefore: pixelDataTags }).dataSet.elements.length,
  "ours: header of intake": ourHeader,
  "dicom-parser": () => Object.keys(dicomParser.parseDicom(file, { untilTag: "x7fe00010" }).elements).length,
  dcmjs: () => Object.keys(dcmjs.data.DicomMessage.readFile(buffer, dcmjsOptions).dict).length,
  "ours: DICOM JSON": () => toDicomJson(readFile(file, { stopBefore: pixelDataTags }).dataSet),
};

const rounds = 40;
const micros = new Map(Object.keys(contenders).map((name) => [name, [] as number[]]));
console.log(`file of ${file.length} bytes, ${ourHeads()} elements before pixel data, ${rounds} rounds in turns`);
dcmjs.log.setLevel(dcmjs.log.levels.SILENT);
for (let round = -10; round < rounds; round += 1) {
  for (const [name, run] of Object.entries(contenders)) {
    const times = name === "dcmjs" ? 10 : 200;
    const from = performance.now();
    for (let i = 0; i < times; i += 1) run();
    if (round >= 0) micros.get(name)!.push(((performance.now() - from) * 1000) / times);
  }
}
for (const times of micros.values()) times.sort((a, b) => a - b);
const best = (name: string) => micros.get(name)![0]!;
const median = (name: string) => micros.get(name)![rounds >> 1]!;
console.log(`${"".padEnd(24)} best round     median`);
for (const name of Object.keys(contenders)) {
  console.log(`${name.padEnd(24)} ${best(name).toFixed(1).padStart(7)} µs ${median(name).toFixed(1).padStart(7)} µs`);
}
for (const peer of ["dicom-parser", "dcmjs"]) {
  for (const ours of ["ours: every head", "ours: data set", "ours: header of intake"]) {
    const ratios = [best, median].map((of) => (of(peer) / of(ours)).toFixed(1));
    console.log(`${peer} / ${ours}: ${ratios.join(", median ")}`);
  }
}
