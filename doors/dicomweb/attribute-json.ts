import {
  attributeOf,
  type DicomJson,
  hexOfTag,
  type JsonElement,
  type JsonValue,
  tagOf,
  type Vr,
} from "#formats/dicom";
import { searchable } from "#radiology/archive";

const alsoUsual = [
  "SpecificCharacterSet",
  "InstanceAvailability",
  "RetrieveURL",
  "NumberOfStudyRelatedSeries",
  "NumberOfStudyRelatedInstances",
  "NumberOfSeriesRelatedInstances",
  "AvailableTransferSyntaxUID",
  "ReferencedSOPClassUID",
  "ReferencedSOPInstanceUID",
  "ErrorComment",
  "FailureReason",
];

/** One value or several, by keyword; undefined and empty give the attribute without a value. */
export type AttributeValues = Readonly<
  Record<string, string | number | readonly string[] | readonly DicomJson[] | undefined>
>;

interface Described {
  /** Of the JSON model: eight hex digits. */
  readonly key: string;
  readonly vr: Vr;
}

function describe(keyword: string): Described {
  const tag = tagOf(keyword);
  return { key: hexOfTag(tag), vr: attributeOf(tag)?.vrs[0] ?? "UN" };
}

/** What nearly every result holds, looked up once: a page of fifty asks the dictionary a thousand times otherwise. */
const usual: ReadonlyMap<string, Described> = new Map(
  [...searchable.study, ...searchable.series, ...searchable.instance, ...alsoUsual].map((keyword) => [
    keyword,
    describe(keyword),
  ]),
);

/** Attributes in the DICOM JSON model (PS3.18 Annex F), sorted by tag. Texts are split at backslashes. */
export function attributesJson(values: AttributeValues): DicomJson {
  const elements = Object.entries(values).map(([keyword, value]) => elementOf(keyword, value));
  return Object.fromEntries(elements.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function elementOf(keyword: string, value: AttributeValues[string]): [string, JsonElement] {
  const { key, vr } = usual.get(keyword) ?? describe(keyword);
  if (vr === "SQ") {
    const items = value as readonly DicomJson[];
    return [key, items.length === 0 ? { vr } : { vr, Value: [...items] }];
  }
  const texts = typeof value === "string" ? value.split("\\") : typeof value === "number" ? [value] : (value ?? []);
  const present = texts.some((text) => text !== "")
    ? texts.map((text) => jsonValueOf(vr, text as string | number))
    : [];
  return [key, present.length === 0 ? { vr } : { vr, Value: present }];
}

function jsonValueOf(vr: Vr, text: string | number): JsonValue {
  if (typeof text === "number") return text;
  if (text === "") return null;
  if (vr === "PN") return nameOf(text);
  if (vr !== "IS" && vr !== "DS" && vr !== "US") return text;
  const number = Number(text);
  return text.trim() !== "" && Number.isFinite(number) ? number : text;
}

function nameOf(text: string): JsonValue {
  const [alphabetic = "", ideographic = "", phonetic = ""] = text.split("=");
  return {
    ...(alphabetic !== "" && { Alphabetic: alphabetic }),
    ...(ideographic !== "" && { Ideographic: ideographic }),
    ...(phonetic !== "" && { Phonetic: phonetic }),
  };
}
