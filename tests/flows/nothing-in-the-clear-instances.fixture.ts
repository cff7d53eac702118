import { deflateRawSync, deflateSync } from "node:zlib";
import {
  type Attribute,
  allAttributes,
  type DataSetInput,
  type ElementInput,
  elementsOf,
  isIdentifying,
  type KeywordDataSet,
  TransferSyntaxUid,
  type Vr,
  writeDataSet,
} from "#formats/dicom";
import { phantomStudy } from "#imaging/phantoms";
import { type Slice, sha256 } from "./modality.fixture.ts";
import type { Canaries } from "./nothing-in-the-clear-canaries.fixture.ts";

const ctImage = "1.2.840.10008.5.1.4.1.1.2";
const mrImage = "1.2.840.10008.5.1.4.1.1.4";
const encapsulatedPdf = "1.2.840.10008.5.1.4.1.1.104.1";
const basicTextReport = "1.2.840.10008.5.1.4.1.1.88.11";

/** An image with its pixels and what it takes to show them; everything else is a canary's. */
const image: KeywordDataSet = (() => {
  const [instance] = [...phantomStudy({ kind: "mr-brain", slices: 1, size: 32, seed: 7 })];
  const keep = ["Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "SamplesPerPixel"];
  const kept = Object.entries(instance?.attributes ?? {}).filter(([keyword]) => keep.includes(keyword));
  return { ...Object.fromEntries(kept), PhotometricInterpretation: "MONOCHROME2", PixelData: instance?.frames[0] };
})();

interface Identity {
  readonly studyUid: string;
  readonly seriesUid: string;
  readonly sopInstanceUid: string;
}

export const newIdentity = (canaries: Canaries): Identity => ({
  studyUid: canaries.uid("study UID"),
  seriesUid: canaries.uid("series UID"),
  sopInstanceUid: canaries.uid("SOP UID"),
});

const uidsOf = ({ studyUid, seriesUid, sopInstanceUid }: Identity, sopClassUid: string): KeywordDataSet => ({
  SOPClassUID: sopClassUid,
  StudyInstanceUID: studyUid,
  SeriesInstanceUID: seriesUid,
  SOPInstanceUID: sopInstanceUid,
});

function sliceWith(
  identity: Identity,
  sopClassUid: string,
  elements: DataSetInput,
  transferSyntaxUid: string = TransferSyntaxUid.explicitLittleEndian,
): Slice {
  const dataSet = writeDataSet(elements, { transferSyntaxUid, deflate: deflateRawSync });
  return { ...identity, sopClassUid, transferSyntaxUid, dataSet, sha256: sha256(dataSet) };
}

/** Elements over others of the same tag. */
function over(elements: readonly ElementInput[], others: readonly ElementInput[]): ElementInput[] {
  const byTag = new Map([...others, ...elements].map((element) => [element.tag, element]));
  return [...byTag.values()].sort((a, b) => a.tag - b.tag);
}

/** A value for an attribute, by its VR; undefined for numbers, and what is too short to be told from chance. */
function valueFor(canaries: Canaries, what: string, vr: Vr, name: () => string): ElementInput["value"] | undefined {
  switch (vr) {
    case "PN":
      return name();
    case "DA":
      return canaries.date(what);
    case "TM":
      return canaries.time(what);
    case "DT":
      return canaries.moment(what);
    case "UI":
      return canaries.uid(what);
    case "UR":
      return canaries.url(what);
    case "SH":
    case "AE":
    case "CS":
      return canaries.code(what, 16);
    case "DS":
      return canaries.digits(what, 12);
    case "IS":
      return canaries.digits(what, 9);
    case "LO":
    case "LT":
    case "ST":
    case "UT":
    case "UC":
      return canaries.phrase(what);
    case "OB":
    case "OW":
    case "UN":
      return Buffer.from(canaries.code(what, 16));
    case "SQ":
      return [elementsOf({ PatientComments: canaries.phrase(what), StationName: canaries.code(what) })];
    default:
      return undefined;
  }
}

/** What an image may hold: groups before 0008 are of commands, file meta information and directories. */
const inFile = ({ tag }: Attribute) => tag >>> 16 >= 0x0008 && ![0x0020000d, 0x0020000e, 0x00080018].includes(tag);

/** One image in which every attribute that identifies, of all that the standard has, says something of its own. */
export function fullInstance(canaries: Canaries): Slice {
  const identity = newIdentity(canaries);
  const elements: ElementInput[] = [];
  for (const attribute of allAttributes()) {
    const [vr] = attribute.vrs;
    if (vr === undefined || !isIdentifying(attribute.tag) || !inFile(attribute)) continue;
    const value = valueFor(canaries, attribute.keyword || "retired", vr, () => canaries.name());
    if (value !== undefined) elements.push({ tag: attribute.tag, vr, value });
  }
  const base = elementsOf({
    ...image,
    ...uidsOf(identity, mrImage),
    SpecificCharacterSet: "ISO_IR 192",
    Modality: "MR",
  });
  return sliceWith(identity, mrImage, over(base, [...elements, ...privateElements(canaries), ...nested(canaries)]));
}

/** Of makers whose elements nobody knows, text and bytes and a sequence; one maker's name is somebody's too. */
function privateElements(canaries: Canaries): ElementInput[] {
  const text = (what: string) => canaries.phrase(`private ${what}`);
  return [
    { tag: 0x00090010, vr: "LO", value: "ACME 1.0" },
    { tag: 0x00091001, vr: "LO", value: text("text") },
    { tag: 0x00091002, vr: "UN", value: Buffer.from(text("bytes")) },
    { tag: 0x00091003, vr: "SQ", value: [[{ tag: 0x00100010, vr: "PN", value: canaries.name() }]] },
    { tag: 0x000b0010, vr: "LO", value: canaries.code("private creator") },
    { tag: 0x000b1001, vr: "UT", value: text("text of a person's block") },
  ];
}

/** In sequences that the image half keeps, three deep. */
function nested(canaries: Canaries): ElementInput[] {
  const reference = () => ({
    ReferencedSOPClassUID: mrImage,
    ReferencedSOPInstanceUID: canaries.uid("referenced UID"),
  });
  const deepest = {
    PatientName: canaries.name(),
    StudyDate: canaries.date("nested date"),
    ReferencedImageSequence: [reference()],
  };
  const deeper = { ...reference(), PatientID: canaries.code("nested id"), SourceImageSequence: [deepest] };
  return elementsOf({
    SharedFunctionalGroupsSequence: [
      { ReferencedImageSequence: [deeper, reference()], InstitutionName: canaries.phrase("nested institution") },
    ],
    ReferencedSeriesSequence: [
      { SeriesInstanceUID: canaries.uid("referenced series"), ReferencedInstanceSequence: [reference()] },
    ],
  });
}

/** What the study list shows of a patient, and the study it is of. */
export interface Patient {
  readonly name: string;
  readonly id: string;
  readonly birthDate: string;
  readonly accessionNumber: string;
  readonly studyDate: string;
  readonly description: string;
}

export const newPatient = (canaries: Canaries, name = canaries.name()): Patient => ({
  name,
  id: canaries.code("patient id"),
  birthDate: canaries.date("birth date"),
  accessionNumber: canaries.code("accession number"),
  studyDate: canaries.date("study date"),
  description: canaries.phrase("study description"),
});

/** An ordinary image of a patient. */
export function imageOf(
  canaries: Canaries,
  patient: Patient,
  given: {
    readonly identity?: Identity;
    readonly characterSet?: string;
    readonly syntax?: string;
    readonly more?: KeywordDataSet;
  } = {},
): Slice {
  const { identity = newIdentity(canaries), characterSet = "ISO_IR 192", syntax, more } = given;
  const values: KeywordDataSet = {
    ...image,
    ...uidsOf(identity, ctImage),
    SpecificCharacterSet: characterSet.split("\\"),
    Modality: "CT",
    PatientName: patient.name,
    PatientID: patient.id,
    PatientBirthDate: patient.birthDate,
    AccessionNumber: patient.accessionNumber,
    StudyDate: patient.studyDate,
    StudyDescription: patient.description,
    SeriesDescription: canaries.phrase("series description"),
    ReferringPhysicianName: canaries.name(),
    OperatorsName: [canaries.name(), canaries.name()],
    InstitutionName: canaries.phrase("institution"),
    StationName: canaries.code("station"),
    DeviceSerialNumber: canaries.code("serial number"),
    FrameOfReferenceUID: canaries.uid("frame of reference"),
    PatientComments: canaries.phrase("comment"),
    ProtocolName: canaries.phrase("protocol"),
    ...more,
  };
  return sliceWith(identity, ctImage, elementsOf(values), syntax);
}

/** Names in every kind of character set, with the groups that it brings. */
export function namedAbroad(canaries: Canaries): Slice[] {
  const greek = canaries.name("αβγδεζηθικλμνξοπρστυφχψω");
  const cyrillic = canaries.name("абвгдежзийклмнопрстуфхцчшщъыьэюя");
  const kanji = canaries.name("山田太郎木村花子東京大阪中島石川");
  const kana = canaries.name("やまだたろうはなことうきょうおさか");
  const hangul = canaries.name("홍길동김희중이박최정강조윤장임");
  const hanzi = canaries.name("王小明李张伟陈刘杨黄赵吴周");
  const names: readonly (readonly [string, string])[] = [
    ["ISO_IR 100", canaries.latinName()],
    ["ISO_IR 192", `${canaries.latinName()}=${kanji}=${kana}`],
    ["ISO_IR 126", greek],
    ["ISO_IR 144", cyrillic],
    ["\\ISO 2022 IR 87", `${canaries.name()}=${canaries.name("山田太郎木村花子東京大阪中島石川")}`],
    ["\\ISO 2022 IR 149", `${canaries.name()}=${hangul}`],
    ["GB18030", `${canaries.name()}=${hanzi}`],
  ];
  return names.map(([characterSet, name]) => imageOf(canaries, newPatient(canaries, name), { characterSet }));
}

/** The same kinds of values in each of the ways in which a data set is written. */
export function writtenOtherwise(canaries: Canaries): Slice[] {
  const { implicitLittleEndian, explicitBigEndian, deflatedExplicitLittleEndian } = TransferSyntaxUid;
  return [implicitLittleEndian, explicitBigEndian, deflatedExplicitLittleEndian].map((syntax) =>
    imageOf(canaries, newPatient(canaries), { syntax }),
  );
}

/** A letter as PDF, its text compressed, and a report with a tree of sentences. */
export function documents(canaries: Canaries): Slice[] {
  const text = `BT (${canaries.name()} ${canaries.phrase("text of a letter")}) Tj ET`;
  const stream = deflateSync(text);
  const pdf = Buffer.concat([
    Buffer.from(`%PDF-1.4 (${canaries.phrase("title of a letter")}) /Length ${stream.length} stream\n`),
    ...[stream, Buffer.from("\nendstream %%EOF\n")],
  ]);
  const letter = newIdentity(canaries);
  const report = newIdentity(canaries);
  const sentence = (more: KeywordDataSet = {}): KeywordDataSet => ({
    RelationshipType: "CONTAINS",
    ValueType: "TEXT",
    TextValue: canaries.phrase("sentence"),
    ...more,
  });
  const patient = () => ({ PatientName: canaries.name(), PatientID: canaries.code("patient id") });
  return [
    sliceWith(
      letter,
      encapsulatedPdf,
      elementsOf({
        ...uidsOf(letter, encapsulatedPdf),
        ...patient(),
        Modality: "DOC",
        MIMETypeOfEncapsulatedDocument: "application/pdf",
        EncapsulatedDocument: pdf,
      }),
    ),
    sliceWith(
      report,
      basicTextReport,
      elementsOf({
        ...uidsOf(report, basicTextReport),
        ...patient(),
        Modality: "SR",
        ContentSequence: [
          sentence({ ContentSequence: [sentence(), sentence({ PersonName: canaries.name() })] }),
          sentence(),
        ],
      }),
    ),
  ];
}
