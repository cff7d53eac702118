import { base64Of } from "./base64.ts";
import type { DataElement, DataSet } from "./data-set.ts";
import { swapped } from "./element-input.ts";
import { hexOfTag, parseTag, pixelDataTags } from "./tags.ts";
import { type Vr, vrTable } from "./vr.ts";

/** A person name's component groups (PS3.18 §F.2.2); those that are empty are left out. */
export interface PersonNameJson {
  Alphabetic?: string;
  Ideographic?: string;
  Phonetic?: string;
}

export type JsonValue = string | number | null | PersonNameJson | DicomJson;

/** An attribute; without Value, BulkDataURI and InlineBinary it is there and empty. */
export interface JsonElement {
  vr: Vr;
  Value?: JsonValue[];
  BulkDataURI?: string;
  InlineBinary?: string;
}

/** A data set in the DICOM JSON model (PS3.18 Annex F) by tag, "00100010". */
export type DicomJson = { [tag: string]: JsonElement };

export interface ToJsonOptions {
  /**
   * Where the value of an element can be fetched; undefined puts it in line. `path` names the element within the
   * instance: "7FE00010", "00400275/1/00321060" (items count from 1). `length` is undefined for encapsulated pixel data.
   * Asked for binary and numeric values of at least `bulkDataBytesMin` bytes, and always for pixel data.
   */
  readonly bulkDataUri?: (path: string, vr: Vr, length: number | undefined) => string | undefined;
  /** 1,024 if left out. */
  readonly bulkDataBytesMin?: number;
}

/**
 * The data set in the DICOM JSON model. Text is Unicode whatever Specific Character Set the data set has, which
 * therefore is written as ISO_IR 192 (§F.2.1.1.2). Groups 0000 and 0002 and group lengths are left out. IS and DS are numbers where
 * they are numbers; what JSON cannot hold as a number (NaN, infinities, integers beyond 2^53) is a text.
 */
export function toDicomJson(dataSet: DataSet, options: ToJsonOptions = {}): DicomJson {
  return jsonOf(dataSet, "", options.bulkDataUri, options.bulkDataBytesMin ?? 1024);
}

/** The element that a `path` of `bulkDataUri` names, and the data set it is in. */
export function elementAtPath(dataSet: DataSet, path: string): { dataSet: DataSet; element: DataElement } | undefined {
  let at: DataSet | undefined = dataSet;
  const parts = path.split("/");
  for (let i = 0; i + 2 < parts.length; i += 2) {
    const tag = parseTag(parts[i]!);
    at = tag === undefined ? undefined : at?.items(tag)?.[Number(parts[i + 1]) - 1];
  }
  const tag = parts.length % 2 === 1 ? parseTag(parts.at(-1)!) : undefined;
  const element = tag === undefined ? undefined : at?.get(tag);
  return at === undefined || element === undefined ? undefined : { dataSet: at, element };
}

function jsonOf(
  dataSet: DataSet,
  prefix: string,
  bulkDataUri: ToJsonOptions["bulkDataUri"],
  bulkDataBytesMin: number,
): DicomJson {
  const json = Object.create(null) as DicomJson;
  for (const element of dataSet.elements) {
    const { tag } = element;
    if (tag < 0x00040000 || (tag & 0xffff) === 0) continue;
    const key = hexOfTag(tag);
    const vr = dataSet.vrOf(element);
    const { items } = element;
    if (items !== undefined) {
      const values = items.map((item, i) => jsonOf(item, `${prefix}${key}/${i + 1}/`, bulkDataUri, bulkDataBytesMin));
      json[key] = values.length === 0 ? { vr: "SQ" } : { vr: "SQ", Value: values };
      continue;
    }
    json[key] = plainOf(dataSet, element, vr, prefix + key, bulkDataUri, bulkDataBytesMin);
  }
  return json;
}

/** An element that is no sequence. */
function plainOf(
  dataSet: DataSet,
  element: DataElement,
  vr: Vr,
  path: string,
  bulkDataUri: ToJsonOptions["bulkDataUri"],
  bulkDataBytesMin: number,
): JsonElement {
  const uri = isBulk(element, vr, bulkDataBytesMin)
    ? bulkDataUri?.(path, vr, element.fragments === undefined ? element.length : undefined)
    : undefined;
  return uri !== undefined ? { vr, BulkDataURI: uri } : inlineOf(dataSet, element, vr);
}

/**
 * What `toDicomJson` gives, as the text of it in many pieces: who writes a data set with a hundred thousand items takes some pieces at a
 * time, and lets others have their turn between.
 */
export function* dicomJsonText(dataSet: DataSet, options: ToJsonOptions = {}, prefix = ""): Generator<string, void> {
  let before = "{";
  for (const [at, element] of dataSet.elements.entries()) {
    const { tag, items } = element;
    if (tag < 0x00040000 || (tag & 0xffff) === 0 || dataSet.elements[at + 1]?.tag === tag) continue;
    const key = hexOfTag(tag);
    const vr = dataSet.vrOf(element);
    if (items === undefined || items.length === 0) {
      const { bulkDataUri, bulkDataBytesMin = 1024 } = options;
      const plain = items ? { vr: "SQ" } : plainOf(dataSet, element, vr, prefix + key, bulkDataUri, bulkDataBytesMin);
      yield `${before}"${key}":${JSON.stringify(plain)}`;
    } else {
      yield `${before}"${key}":{"vr":"SQ","Value":[`;
      for (const [i, item] of items.entries()) {
        if (i > 0) yield ",";
        yield* dicomJsonText(item, options, `${prefix}${key}/${i + 1}/`);
      }
      yield "]}";
    }
    before = ",";
  }
  yield before === "{" ? "{}" : "}";
}

function isBulk({ tag, length, fragments }: DataElement, vr: Vr, bulkDataBytesMin: number): boolean {
  if (fragments !== undefined) return true;
  if (length === 0) return false;
  if (pixelDataTags.includes(tag)) return true;
  const { kind } = vrTable[vr];
  return length >= bulkDataBytesMin && (kind === "bytes" || (kind === "number" && vr !== "AT"));
}

function inlineOf(dataSet: DataSet, element: DataElement, vr: Vr): JsonElement {
  if (element.length === 0 || element.fragments !== undefined) return { vr };
  if (vrTable[vr].kind === "bytes") {
    const bytes = dataSet.bytesOf(element)!;
    return { vr, InlineBinary: base64Of(dataSet.bigEndian ? swapped(bytes, vrTable[vr].unitBytes) : bytes) };
  }
  if (element.tag === 0x00080005) return { vr, Value: ["ISO_IR 192"] };
  const values = valuesOf(dataSet, element, vr);
  return values.length === 0 ? { vr } : { vr, Value: values };
}

function valuesOf(dataSet: DataSet, element: DataElement, vr: Vr): JsonValue[] {
  switch (vr) {
    case "AT":
      return dataSet.numbersOf(element).map(hexOfTag);
    case "SV":
    case "UV":
      return dataSet.bigintsOf(element).map((value) => {
        const number = Number(value);
        return Number.isSafeInteger(number) ? number : String(value);
      });
    case "FL":
    case "FD":
      return dataSet.numbersOf(element).map((value) => (Number.isFinite(value) ? value : String(value)));
    case "SL":
    case "SS":
    case "UL":
    case "US":
      return dataSet.numbersOf(element);
    case "IS":
    case "DS":
      return dataSet.textsOf(element).map(jsonNumber);
    case "PN":
      return dataSet.textsOf(element).map(personNameJson);
    default:
      return dataSet.textsOf(element).map((text) => (text === "" ? null : text));
  }
}

/** A text that is no number stays one, so that a bad value is seen and not lost. */
function jsonNumber(text: string): number | string | null {
  if (text === "") return null;
  const number = Number(text);
  return Number.isFinite(number) ? number : text;
}

/** Groups are split at "="; trailing spaces and empty components behind mean nothing (PS3.5 §6.2.1). */
function personNameJson(text: string): PersonNameJson | null {
  const [alphabetic = "", ideographic = "", phonetic = ""] = text.includes("=") ? text.split("=") : [text];
  const name: PersonNameJson = {};
  if (alphabetic !== "") name.Alphabetic = alphabetic.trimEnd();
  if (ideographic !== "") name.Ideographic = ideographic.trimEnd();
  if (phonetic !== "") name.Phonetic = phonetic.trimEnd();
  return name.Alphabetic || name.Ideographic || name.Phonetic ? name : null;
}
