import { decodeText, splitValues, Tag, tagOf, usesCharacterSet, type Vr, withoutPadding } from "#formats/dicom";
import { shownModality } from "./modalities.ts";
import { type IndexedValues, type Level, searchable } from "./study-index.ts";

/** Returned by queries besides what can be searched (PS3.18 §10.6.3.3), by level. */
const alsoReturned: Readonly<Record<Level, readonly string[]>> = {
  study: ["TimezoneOffsetFromUTC", "PatientAge", "PatientWeight", "InstitutionName"],
  series: ["Laterality", "ProtocolName", "Manufacturer", "ManufacturerModelName"],
  instance: [
    "NumberOfFrames",
    "Rows",
    "Columns",
    "BitsAllocated",
    "BitsStored",
    "PhotometricInterpretation",
    "SamplesPerPixel",
  ],
};

/** The level whose rows hold an attribute, searched for or only returned; undefined for one that the index does not hold. */
export function heldAt(tag: number): Level | undefined {
  return wantedByTag.get(tag)?.level;
}

/** Made from several series, or from our own counting: not an attribute of an instance. */
const computed = new Set(["ModalitiesInStudy"]);

const levels: readonly Level[] = ["study", "series", "instance"];

interface Wanted {
  readonly keyword: string;
  readonly level: Level;
}

const wantedByTag: ReadonlyMap<number, Wanted> = new Map(
  levels.flatMap((level) =>
    [...searchable[level], ...alsoReturned[level]]
      .filter((keyword) => !computed.has(keyword))
      .map((keyword) => [tagOf(keyword), { keyword, level }] as const),
  ),
);

/**
 * Under this keyword a study's values hold who gave out its accession number, as text: the same number of another issuer is another order.
 * It is no value of the attribute, which is a sequence (PS3.3 §10.14), and is given to nobody.
 */
export const accessionIssuer = "IssuerOfAccessionNumberSequence";
export const accessionIssuerTag = tagOf(accessionIssuer);
const issuerTags = [tagOf("LocalNamespaceEntityID"), tagOf("UniversalEntityID")];

/** Whether an element of an item of that sequence says it. */
export function saysIssuer(tag: number, length: number): boolean {
  return length > 0 && length <= valueBytesMax && issuerTags.includes(tag);
}

/** What rows hold of the items of a sequence, under their own keywords: a series may be made for several requests. */
export const heldInItems: ReadonlyMap<number, readonly string[]> = new Map([
  [tagOf("RequestAttributesSequence"), ["ScheduledProcedureStepID", "RequestedProcedureID"]],
]);
const itemTags = new Map([...heldInItems].map(([sequence, keywords]) => [sequence, keywords.map(tagOf)] as const));

export function isRequestId(sequenceTag: number, tag: number, length: number): boolean {
  return length <= valueBytesMax && itemTags.get(sequenceTag)?.includes(tag) === true;
}

/** Another item's value behind those of the items before. */
export function withAnother(before: CapturedValue | undefined, value: CapturedValue): CapturedValue {
  if (before === undefined) return value;
  const bytes = Uint8Array.of(...before.bytes, backslash, ...value.bytes);
  return bytes.length > valueBytesMax ? before : { ...before, bytes };
}

const backslash = 0x5c;

/** Longer values are no identifiers and no descriptions: they stay in the object and are not indexed. */
const valueBytesMax = 4_096;

/** Whether the value of a top-level element goes into the index. */
export function isIndexed(tag: number, length: number): boolean {
  return length <= valueBytesMax && (wantedByTag.has(tag) || tag === Tag.SpecificCharacterSet);
}

export interface CapturedValue {
  readonly vr: Vr;
  readonly bytes: Uint8Array;
}

/** Captured values as text, sorted to their levels. */
export function indexedValues(
  captured: ReadonlyMap<number, CapturedValue>,
  bigEndian: boolean,
): Readonly<Record<Level, IndexedValues>> {
  const characterSet = asciiValues(captured.get(Tag.SpecificCharacterSet)?.bytes);
  const values: Record<Level, Record<string, string>> = { study: {}, series: {}, instance: {} };
  for (const [tag, { vr, bytes }] of captured) {
    const issuer = { keyword: accessionIssuer, level: "study" } as const;
    const wanted = tag === accessionIssuerTag ? issuer : wantedByTag.get(tag);
    if (wanted === undefined) continue;
    const text = textOf(vr, bytes, characterSet, bigEndian);
    if (text === "") continue;
    values[wanted.level][wanted.keyword] = tag === Tag.Modality ? shownModality(text) : text;
  }
  return values;
}

/** The text that stands for a patient where keys are made (`Vault.studyToken`); undefined without a Patient ID. */
export function patientOf(study: IndexedValues): string | undefined {
  const { PatientID, IssuerOfPatientID = "" } = study;
  return PatientID === undefined ? undefined : `${IssuerOfPatientID}\\${PatientID}`;
}

function textOf(vr: Vr, bytes: Uint8Array, characterSet: readonly string[], bigEndian: boolean): string {
  if (vr === "US") return unsigned(bytes, bigEndian);
  const values = usesCharacterSet(vr) ? splitValues(bytes, characterSet, vr) : splitValues(bytes, [], vr);
  return values.map((value) => trimmed(decodeText(value, characterSet, vr))).join("\\");
}

function unsigned(bytes: Uint8Array, bigEndian: boolean): string {
  if (bytes.length < 2) return "";
  return String(new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint16(0, !bigEndian));
}

/** Blanks at both ends, NUL behind UIDs. */
const trimmed = (text: string): string => withoutPadding(text, true);

function asciiValues(bytes: Uint8Array | undefined): string[] {
  if (bytes === undefined) return [];
  return decodeText(bytes, [], "CS").split("\\").map(trimmed);
}
