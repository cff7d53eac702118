import { Problem } from "#base/problem";
import { bytesOfBase64 } from "./base64.ts";
import type { ElementInput, ValueInput } from "./element-input.ts";
import { readerLimits } from "./reader-limits.ts";
import { formatTag } from "./tags.ts";
import { isVr, type Vr, vrTable } from "./vr.ts";

export interface FromJsonOptions {
  /** The value that a BulkDataURI stands for. Without it, or when it gives undefined, such an element is refused. */
  readonly bulkData?: (uri: string, tag: number, vr: Vr) => Uint8Array | { fragments: Uint8Array[] } | undefined;
}

/**
 * Elements to write from a parsed DICOM JSON object (PS3.18 Annex F), which may come from anyone: every key, VR and
 * value is checked. Groups 0000 and 0002 are left out. Text that is not ASCII needs Specific Character Set ISO_IR 192,
 * which is put in place of whatever the object says when there is any.
 *
 * @throws Problem `invalid` naming the attribute, never its value.
 */
export function fromDicomJson(json: unknown, options: FromJsonOptions = {}): ElementInput[] {
  const seen = { unicode: false };
  const elements = elementsOfJson(json, options, 0, seen);
  if (!seen.unicode) return elements;
  return [{ tag: 0x00080005, vr: "CS", value: "ISO_IR 192" }, ...inOneCharacterSet(elements)];
}

/** Items are in the character set of what they stand in, whatever they name (PS3.3 §C.12.1.1.2): the JSON that all of it came in is Unicode. */
function inOneCharacterSet(elements: readonly ElementInput[]): ElementInput[] {
  return elements.flatMap((element) => {
    if (element.tag === 0x00080005) return [];
    if (element.vr !== "SQ" || !Array.isArray(element.value)) return [element];
    return [{ ...element, value: (element.value as ElementInput[][]).map(inOneCharacterSet) }];
  });
}

type Fields = Readonly<Record<string, unknown>>;

function fieldsOf(value: unknown, what: string): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new Problem("invalid", `DICOM JSON: ${what} is not an object`);
  }
  return value as Fields;
}

function elementsOfJson(json: unknown, options: FromJsonOptions, depth: number, seen: { unicode: boolean }) {
  if (depth > readerLimits.depthMax) throw new Problem("too-large", "DICOM JSON: sequences nest too deeply");
  const elements: ElementInput[] = [];
  for (const [key, value] of Object.entries(fieldsOf(json, "a data set"))) {
    if (!/^[0-9A-Fa-f]{8}$/.test(key)) throw new Problem("invalid", "DICOM JSON: a key is not a tag of eight digits");
    const tag = Number.parseInt(key, 16);
    if (tag < 0x00040000) continue;
    elements.push(elementOf(tag, fieldsOf(value, formatTag(tag)), options, depth, seen));
  }
  elements.sort((a, b) => a.tag - b.tag);
  for (const [at, { tag }] of elements.entries()) {
    if (elements[at + 1]?.tag === tag) throw wrong(tag, "stands there twice");
  }
  return elements;
}

function elementOf(
  tag: number,
  fields: Fields,
  options: FromJsonOptions,
  depth: number,
  seen: { unicode: boolean },
): ElementInput {
  const { vr, Value: values, InlineBinary: inline, BulkDataURI: uri } = fields;
  if (typeof vr !== "string" || !isVr(vr)) throw wrong(tag, "has no known vr");
  if (inline !== undefined) {
    const bytes = typeof inline === "string" ? bytesOfBase64(inline) : undefined;
    if (bytes === undefined || vr === "SQ") throw wrong(tag, "has an InlineBinary that is not base64");
    return { tag, vr, value: bytes };
  }
  if (uri !== undefined) {
    const value = typeof uri === "string" && vr !== "SQ" ? options.bulkData?.(uri, tag, vr) : undefined;
    if (value === undefined) throw wrong(tag, "has a BulkDataURI that came with no bytes");
    return { tag, vr, value };
  }
  if (values !== undefined && !Array.isArray(values)) throw wrong(tag, "has a Value that is not a list");
  const list = (values ?? []) as readonly unknown[];
  if (vr === "SQ") {
    const items = list.map((item) => elementsOfJson(item ?? {}, options, depth + 1, seen));
    return { tag, vr, value: items };
  }
  const value = list.map((one) => inputOf(tag, vr, one)) as (string | number | bigint)[];
  seen.unicode ||= value.some((one) => typeof one === "string" && /[^\0-\x7f]/.test(one));
  if (vrTable[vr].kind === "bytes" && value.length > 0) throw wrong(tag, "takes InlineBinary or BulkDataURI");
  return { tag, vr, value: value as ValueInput };
}

function wrong(tag: number, what: string): Problem {
  return new Problem("invalid", `DICOM JSON: ${formatTag(tag)} ${what}`);
}

function inputOf(tag: number, vr: Vr, value: unknown): string | number | bigint {
  const { kind } = vrTable[vr];
  if (vr === "AT") {
    if (typeof value === "string" && /^[0-9A-Fa-f]{8}$/.test(value)) return Number.parseInt(value, 16);
    throw wrong(tag, "holds something that is not a tag");
  }
  if (kind === "number") return numberOf(tag, vr, value);
  if (value === null || value === undefined) return "";
  if (vr === "PN") return nameOf(tag, value);
  if (typeof value === "string") return value; // some servers send all values as one text, backslashes between them
  if ((vr === "IS" || vr === "DS") && typeof value === "number") return value;
  throw wrong(tag, `holds a value that is no ${vr}`);
}

function numberOf(tag: number, vr: Vr, value: unknown): number | bigint {
  if (vr === "SV" || vr === "UV") {
    if (typeof value === "number" && Number.isSafeInteger(value)) return BigInt(value);
    if (typeof value === "string" && /^[+-]?[0-9]{1,20}$/.test(value)) return BigInt(value);
  } else if (typeof value === "number") {
    return value;
  } else if (typeof value === "string" && value.trim() !== "") {
    const number = Number(value);
    if (value === "NaN" || !Number.isNaN(number)) return number;
  }
  throw wrong(tag, `holds a value that is no ${vr}`);
}

function nameOf(tag: number, value: unknown): string {
  if (typeof value === "string") return value;
  const fields = fieldsOf(value, formatTag(tag));
  const groups = [fields.Alphabetic, fields.Ideographic, fields.Phonetic].map((group) => group ?? "");
  if (!groups.every((group) => typeof group === "string" && !/[\\=]/.test(group))) {
    throw wrong(tag, "holds a name with a component group that is not one");
  }
  return groups.join("=").replace(/=+$/, "");
}
