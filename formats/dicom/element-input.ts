import { Problem } from "#base/problem";
import { type DataElement, DataSet } from "./data-set.ts";
import { attributeOf } from "./dictionary.ts";
import { formatTag, parseTag } from "./tags.ts";
import { type Vr, vrTable } from "./vr.ts";

/** Encapsulated pixel data: the fragments, the Basic Offset Table (often empty) first. */
export interface Encapsulated {
  readonly fragments: readonly Uint8Array[];
}

/**
 * A value to write: one value or several; bytes are taken as encoded little endian; a sequence takes items. Numbers for
 * IS and DS are written out, tags for AT are numbers.
 */
export type ValueInput =
  | string
  | number
  | bigint
  | Uint8Array
  | Encapsulated
  | readonly (string | number | bigint)[]
  | readonly DataSetInput[];

export interface ElementInput {
  readonly tag: number;
  readonly vr: Vr;
  readonly value: ValueInput;
}

/** A data set to write: one that was read, or elements in any order. */
export type DataSetInput = DataSet | readonly ElementInput[];

export type KeywordValue =
  | string
  | number
  | bigint
  | Uint8Array
  | Encapsulated
  | readonly (string | number | bigint)[]
  | readonly (KeywordDataSet | DataSetInput)[];

/** Values by keyword, or by tag as "00100010" for private ones that the dictionary gives a VR. */
export interface KeywordDataSet {
  readonly [keyword: string]: KeywordValue | undefined;
}

/**
 * Elements from values by keyword, with the dictionary's VRs: `elementsOf({ PatientID: "1", Rows: 512 })`. Items of
 * sequences are written the same way. `undefined` leaves an element out. Where the dictionary leaves US or SS open,
 * negative values make it SS.
 *
 * @throws Problem `invalid` for a keyword that the dictionary does not have.
 */
export function elementsOf(values: KeywordDataSet): ElementInput[] {
  const elements: ElementInput[] = [];
  for (const [keyword, value] of Object.entries(values)) {
    if (value === undefined) continue;
    const tag = parseTag(keyword);
    const attribute = tag === undefined ? undefined : attributeOf(tag);
    if (tag === undefined || attribute === undefined) {
      throw new Problem("invalid", `the data dictionary has no attribute ${keyword.slice(0, 64)}`);
    }
    const vr = chosenVr(attribute.vrs, value);
    elements.push({ tag, vr, value: vr === "SQ" ? itemsOf(value, tag) : (value as ValueInput) });
  }
  return elements.sort((a, b) => a.tag - b.tag);
}

function chosenVr(vrs: readonly Vr[], value: KeywordValue): Vr {
  const first = vrs[0]!;
  if (isEncapsulated(value)) return "OB";
  if (first === "US" && vrs[1] === "SS" && hasNegative(value)) return "SS";
  return first;
}

function hasNegative(value: KeywordValue): boolean {
  return Array.isArray(value) ? value.some((one) => typeof one === "number" && one < 0) : (value as number) < 0;
}

function itemsOf(value: KeywordValue, tag: number): DataSetInput[] {
  if (!Array.isArray(value)) throw new Problem("invalid", `${formatTag(tag)} is a sequence and takes a list of items`);
  return (value as readonly (KeywordDataSet | DataSetInput)[]).map((item) =>
    item instanceof DataSet || Array.isArray(item) ? (item as DataSetInput) : elementsOf(item as KeywordDataSet),
  );
}

export function isEncapsulated(value: unknown): value is Encapsulated {
  return typeof value === "object" && value !== null && "fragments" in value;
}

/** A read data set as elements to write; values stay views of what was read, in its byte order. */
export function* inputsOf(dataSet: DataSet): Generator<ElementInput> {
  for (const element of dataSet.elements) yield inputOf(dataSet, element);
}

/** One element of a read data set to write; its value is a view of what was read where byte orders agree. */
export function inputOf(dataSet: DataSet, element: DataElement): ElementInput {
  const { tag, items, fragments } = element;
  const vr = dataSet.vrOf(element);
  if (items !== undefined) return { tag, vr: "SQ", value: items };
  if (fragments !== undefined) return { tag, vr, value: { fragments: fragments.map((one) => dataSet.range(one)) } };
  return { tag, vr, value: littleEndianBytes(dataSet.bytesOf(element)!, vr, dataSet.bigEndian) };
}

function littleEndianBytes(bytes: Uint8Array, vr: Vr, bigEndian: boolean): Uint8Array {
  return bigEndian ? swapped(bytes, vrTable[vr].unitBytes) : bytes;
}

/** A copy with the bytes of each unit turned round; a last unit that is cut short stays as it is. */
export function swapped(bytes: Uint8Array, unit: number): Uint8Array {
  const out = new Uint8Array(bytes);
  if (unit === 1) return out;
  for (let at = 0; at + unit <= out.length; at += unit) out.subarray(at, at + unit).reverse();
  return out;
}
