import {
  type DataSet,
  elementsOf,
  isUid,
  type KeywordDataSet,
  readDataSet,
  TransferSyntaxUid,
  writeDataSet,
} from "#formats/dicom";
import { type Message, type PersonName, partOf, repetitionsAt, type Segment } from "#formats/hl7";

/*
 * Texts of a message as values of attributes: what would end or divide a value there is taken out, and what only describes is cut where
 * its value representation ends (PS3.5 §6.2). Identifiers are never cut: another one would be named.
 */

/** Of one value, on one line. */
export function valueText(text: string, charactersMax: number): string {
  let clean = "";
  let length = 0;
  for (const character of text.trimStart()) {
    // No more is looked at than the value holds, however much there is.
    if (length++ >= charactersMax) break;
    if (character < " " || (character >= "\u007f" && character < "\u00a0")) clean += " ";
    else clean += character === "\\" ? "/" : character;
  }
  return clean.trim();
}

const nameCharactersMax = 64;

/** PN: family, given, middle, prefix, suffix, in up to three groups by how they are written (PS3.5 §6.2.1). */
export function personName(names: readonly PersonName[]): string {
  const written = (...representations: string[]) => names.find((name) => representations.includes(name.representation));
  const groups = [written("", "A") ?? names[0], written("I"), written("P")].map((name) => name && nameGroup(name));
  return groups
    .map((group) => group ?? "")
    .join("=")
    .replace(/=+$/, "");
}

function nameGroup({ family, given, middle, prefix, suffix }: PersonName): string {
  const parts = [family, given, middle, prefix, suffix].map((part) =>
    valueText(part, nameCharactersMax).replace(/[\^=]/g, " "),
  );
  return [...parts.join("^").replace(/\^+$/, "")].slice(0, nameCharactersMax).join("").trim();
}

/** A code with its scheme and meaning (CE, CWE); none where there is no code. */
export function codesAt(message: Message, segment: Segment | undefined, field: number): KeywordDataSet[] {
  return repetitionsAt(message, segment, field).flatMap((each) => {
    const [code, meaning, scheme] = [1, 2, 3].map((component) => partOf(message, each, component)) as [
      string,
      string,
      string,
    ];
    if (code === "" || valueText(code, 64) !== code) return [];
    return [
      {
        ...(code.length > 16 ? { LongCodeValue: code } : { CodeValue: code }),
        // Table 0396: a local code, where the sender names no system.
        CodingSchemeDesignator: valueText(scheme, 16) || "L",
        CodeMeaning: valueText(meaning, 64) || code,
      },
    ];
  });
}

/** A UID as it is, or nothing. */
export function uidText(text: string): string {
  return isUid(text) ? text : "";
}

/** The titles among these texts. */
export function titlesAmong(texts: readonly string[]): string[] {
  return [
    ...new Set(
      texts.filter((text) => /^[\x21-\x5b\x5d-\x7e]([\x20-\x5b\x5d-\x7e]{0,14}[\x21-\x5b\x5d-\x7e])?$/.test(text)),
    ),
  ];
}

/** In Unicode. */
export function dataSetOf(values: KeywordDataSet): DataSet {
  const transferSyntaxUid = TransferSyntaxUid.explicitLittleEndian;
  const elements = elementsOf({ SpecificCharacterSet: "ISO_IR 192", ...values });
  return readDataSet(writeDataSet(elements, { transferSyntaxUid }), { transferSyntaxUid });
}
