import { Problem } from "#base/problem";
import type { DicomJson, JsonElement, JsonValue, PersonNameJson } from "./dicom-json.ts";
import { keywordOf } from "./dictionary.ts";
import { withoutEmptyComponents } from "./padding.ts";
import { isPrivateTag } from "./tags.ts";
import { isVr, type Vr, vrTable } from "./vr.ts";
import { readXml, writableXml, type XmlPiece } from "./xml-reader.ts";

/*
 * The Native DICOM Model (PS3.19 §A.1): the same data set as the DICOM JSON model, written as XML. Both are kept as one thing here, so
 * that what is checked of JSON (`fromDicomJson`) is checked of XML.
 */

const namespace = "http://dicom.nema.org/PS3.19/models/NativeDICOM";
const groups = ["Alphabetic", "Ideographic", "Phonetic"] as const;
const components = ["FamilyName", "GivenName", "MiddleName", "NamePrefix", "NameSuffix"] as const;
/** A gap in numbered values stands for empty ones, so many at most. */
const gapMax = 1_000;

/** A data set of the DICOM JSON model as a document of the Native DICOM Model. */
export function writeNativeModel(json: DicomJson): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<NativeDicomModel xmlns="${namespace}" xml:space="preserve">${attributesXml(json)}</NativeDicomModel>`;
}

function attributesXml(json: DicomJson): string {
  return Object.entries(json)
    .map(([key, element]) => attributeXml(key, element, json))
    .join("");
}

function attributeXml(
  key: string,
  { vr, Value = [], BulkDataURI, InlineBinary }: JsonElement,
  json: DicomJson,
): string {
  const tag = Number.parseInt(key, 16);
  const keyword = keywordOf(tag);
  const creator = isPrivateTag(tag) ? creatorOf(json, key) : undefined;
  const head = [
    `tag="${key}" vr="${vr}"`,
    ...(keyword === undefined ? [] : [`keyword="${keyword}"`]),
    ...(creator === undefined ? [] : [`privateCreator="${escaped(creator)}"`]),
  ].join(" ");
  const values = Value.map((value, at) => valueXml(vr, value, at + 1)).join("");
  const bulk = BulkDataURI === undefined ? "" : `<BulkData uri="${escaped(BulkDataURI)}"/>`;
  const inline = InlineBinary === undefined ? "" : `<InlineBinary>${escaped(InlineBinary)}</InlineBinary>`;
  const content = values + bulk + inline;
  return content === "" ? `<DicomAttribute ${head}/>` : `<DicomAttribute ${head}>${content}</DicomAttribute>`;
}

/** Private Creator of the block that an element stands in (PS3.5 §7.8.1). */
function creatorOf(json: DicomJson, key: string): string | undefined {
  const value = json[`${key.slice(0, 4)}00${key.slice(4, 6)}`]?.Value?.[0];
  return key.startsWith("00", 4) || typeof value !== "string" ? undefined : value;
}

function valueXml(vr: Vr, value: JsonValue, number: number): string {
  if (vr === "SQ") return `<Item number="${number}">${attributesXml((value ?? {}) as DicomJson)}</Item>`;
  if (vr === "PN") return nameXml((value ?? {}) as PersonNameJson, number);
  return `<Value number="${number}">${escaped(value === null ? "" : String(value))}</Value>`;
}

function nameXml(name: PersonNameJson, number: number): string {
  const written = groups.map((group) => {
    const text = name[group];
    if (text === undefined) return "";
    const parts = text.split("^");
    const given = components.map((element, at) => {
      const part = element === "NameSuffix" ? parts.slice(at).join("^") : (parts[at] ?? "");
      return part === "" ? "" : `<${element}>${escaped(part)}</${element}>`;
    });
    return `<${group}>${given.join("")}</${group}>`;
  });
  return `<PersonName number="${number}">${written.join("")}</PersonName>`;
}

/** What XML has no way to write (escape and form feed, in texts) is left out; line ends keep their form. */
function escaped(text: string): string {
  return writableXml(text).replace(/[<>&"\r]/g, (character) => `&#${character.charCodeAt(0)};`);
}

/**
 * Reads a document of the Native DICOM Model as a data set of the DICOM JSON model, which `fromDicomJson` then checks. Bulk data stays
 * by reference; a UUID is none that could be followed.
 *
 * @throws Problem `invalid` naming what is wrong, never a value.
 */
export function readNativeModel(text: string): DicomJson {
  const pieces = readXml(text);
  const first = nextElement(pieces);
  if (first?.name !== "NativeDicomModel") throw wrong("the document is no NativeDicomModel");
  const json = readAttributes(pieces);
  // To the end: what follows the document element is looked at too.
  for (const piece of pieces) if (piece.kind === "open") throw wrong("something follows the NativeDicomModel");
  return json;
}

type Pieces = Generator<XmlPiece>;
type Open = Extract<XmlPiece, { kind: "open" }>;

/** The next element inside the one that is open; undefined at its end. */
function nextElement(pieces: Pieces): Open | undefined {
  for (;;) {
    const step = pieces.next();
    if (step.done === true || step.value.kind === "close") return undefined;
    if (step.value.kind === "open") return step.value;
    if (step.value.text.trim() !== "") throw wrong("there is text between elements");
  }
}

/** All text up to the end of the element that is open, which holds no other. */
function textIn(pieces: Pieces): string {
  let text = "";
  for (;;) {
    const step = pieces.next();
    if (step.done === true || step.value.kind === "close") return text;
    if (step.value.kind === "open") throw wrong("there is an element where a text should be");
    text += step.value.text;
  }
}

function readAttributes(pieces: Pieces): DicomJson {
  const json = Object.create(null) as DicomJson;
  for (let one = nextElement(pieces); one !== undefined; one = nextElement(pieces)) {
    const key = (one.attributes.get("tag") ?? "").toUpperCase();
    const vr = one.attributes.get("vr") ?? "";
    if (one.name !== "DicomAttribute" || !/^[0-9A-F]{8}$/.test(key)) throw wrong("there is what is no DicomAttribute");
    if (!isVr(vr)) throw wrong(`${key} has no known vr`);
    if (json[key] !== undefined) throw wrong(`${key} stands there twice`);
    json[key] = readElement(pieces, key, vr);
  }
  return json;
}

function readElement(pieces: Pieces, key: string, vr: Vr): JsonElement {
  const values: JsonValue[] = [];
  let other: Pick<JsonElement, "BulkDataURI" | "InlineBinary"> | undefined;
  for (let one = nextElement(pieces); one !== undefined; one = nextElement(pieces)) {
    if (other !== undefined) throw wrong(`${key} has a value in more than one way`);
    if (one.name === "BulkData") other = { BulkDataURI: uriIn(one, pieces, key) };
    else if (one.name === "InlineBinary") other = { InlineBinary: textIn(pieces).replace(/[ \t\r\n]/g, "") };
    else {
      const gap = Number(one.attributes.get("number")) - 1 - values.length;
      if (!Number.isInteger(gap) || gap < 0 || gap > gapMax)
        throw wrong(`${key} has values that are not numbered in order`);
      for (let missing = 0; missing < gap; missing++) values.push(null);
      values.push(readValue(one, pieces, key, vr));
    }
  }
  if (other !== undefined && values.length > 0) throw wrong(`${key} has a value in more than one way`);
  return { vr, ...(values.length > 0 && { Value: values }), ...other };
}

function uriIn(one: Open, pieces: Pieces, key: string): string {
  const uri = one.attributes.get("uri");
  if (uri === undefined) throw wrong(`${key} names bulk data by something else than a URI`);
  if (textIn(pieces).trim() !== "") throw wrong(`${key} has text in its BulkData`);
  return uri;
}

function readValue(one: Open, pieces: Pieces, key: string, vr: Vr): JsonValue {
  if (one.name === "Item" && vr === "SQ") return readAttributes(pieces);
  if (one.name === "PersonName" && vr === "PN") return readName(pieces, key);
  if (one.name !== "Value" || vr === "SQ" || vr === "PN") throw wrong(`${key} holds what its vr does not`);
  const text = textIn(pieces);
  return text === "" && vrTable[vr].kind !== "number" ? null : text;
}

function readName(pieces: Pieces, key: string): PersonNameJson {
  const name: PersonNameJson = {};
  for (let group = nextElement(pieces); group !== undefined; group = nextElement(pieces)) {
    const kind = groups.find((one) => one === group?.name);
    if (kind === undefined || name[kind] !== undefined) throw wrong(`${key} holds a name with unknown parts`);
    const parts = ["", "", "", "", ""];
    for (let part = nextElement(pieces); part !== undefined; part = nextElement(pieces)) {
      const at = (components as readonly string[]).indexOf(part.name);
      if (at < 0 || parts[at] !== "") throw wrong(`${key} holds a name with unknown parts`);
      parts[at] = textIn(pieces);
    }
    name[kind] = withoutEmptyComponents(parts.join("^"));
  }
  return name;
}

function wrong(what: string): Problem {
  return new Problem("invalid", `Native DICOM Model: ${what}`, { remedy: "see PS3.19 §A.1" });
}
