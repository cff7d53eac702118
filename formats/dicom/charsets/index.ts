import { Problem } from "#base/problem";
import { noCharacter, singleByteTable } from "./tables.ts";
import { readRepertoire } from "./terms.ts";

export { isKnownCharacterSet } from "./terms.ts";

const textVrs: ReadonlySet<string> = new Set(["SH", "LO", "ST", "LT", "UC", "UT", "PN"]);

export function decodeText(bytes: Uint8Array, specificCharacterSet: readonly string[], vr: string): string {
  const repertoire = readRepertoire(textVrs.has(vr) ? specificCharacterSet : []);
  if (repertoire.whole !== undefined) return new TextDecoder(repertoire.whole, { ignoreBOM: true }).decode(bytes);
  const g1 = repertoire.initialG1 === undefined ? undefined : singleByteTable(repertoire.initialG1);
  let text = "";
  for (const byte of bytes) {
    text += String.fromCharCode(byte < 0xa0 || g1 === undefined ? byte : (g1[byte - 0xa0] ?? noCharacter));
  }
  return text;
}

export function encodeText(text: string, specificCharacterSet: readonly string[], vr: string): Uint8Array {
  const repertoire = readRepertoire(textVrs.has(vr) ? specificCharacterSet : []);
  if (repertoire.whole === "utf-8" && text.isWellFormed()) return new TextEncoder().encode(text);
  const g1 = repertoire.initialG1 === undefined ? undefined : singleByteTable(repertoire.initialG1);
  return Uint8Array.from(text, (character) => {
    const code = character.codePointAt(0) ?? 0;
    if (code < 0x80) return code;
    const index = code === noCharacter ? -1 : (g1?.indexOf(code) ?? -1);
    if (index < 0) throw new Problem("invalid", `the text cannot be written in the character set ${repertoire.name}`);
    return 0xa0 + index;
  });
}

/** The smallest declaration that holds the text: none (the default repertoire) or ISO_IR 192. */
export function characterSetsFor(text: string): readonly string[] {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the default repertoire is ASCII, controls included
  return /^[\0-\x7f]*$/.test(text) ? [] : ["ISO_IR 192"];
}

export function splitValues(bytes: Uint8Array, _specificCharacterSet: readonly string[], vr: string): Uint8Array[] {
  if (vr === "ST" || vr === "LT" || vr === "UT" || vr === "UR") return [bytes];
  const values: Uint8Array[] = [];
  let start = 0;
  for (let at = bytes.indexOf(0x5c); at >= 0; at = bytes.indexOf(0x5c, start)) {
    values.push(bytes.subarray(start, at));
    start = at + 1;
  }
  values.push(bytes.subarray(start));
  return values;
}
