import { Problem } from "#base/problem";
import { type Delimiters, decodeGb18030, decodeIso2022, textOfBytes } from "./decode.ts";
import { encodeGb18030, encodeIso2022 } from "./encode.ts";
import { type Repertoire, readRepertoire } from "./terms.ts";

/** How the VRs that follow Specific Character Set are divided (PS3.5 §6.1.2.2, §6.1.2.5.3). */
const textVrs: ReadonlyMap<string, Delimiters> = new Map([
  ["SH", { backslash: true, name: false }],
  ["LO", { backslash: true, name: false }],
  ["UC", { backslash: true, name: false }],
  ["PN", { backslash: true, name: true }],
  ["ST", { backslash: false, name: false }],
  ["LT", { backslash: false, name: false }],
  ["UT", { backslash: false, name: false }],
]);

const utf8Decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const utf8Encoder = new TextEncoder();

/**
 * Text of a value, or of all values with the backslashes between them, as it stands in the element: padding is kept.
 *
 * `specificCharacterSet` holds the values of (0008,0005), empty when the attribute is; a value or spelling nobody knows is
 * passed over. SH, LO, ST, LT, UC, UT and PN follow it, other VRs have the default repertoire. Bytes above 0x7F where only
 * the default repertoire is in force become the character of the same number (as in Latin-1), so that none is lost.
 * Never throws; what is malformed becomes U+FFFD.
 */
export function decodeText(bytes: Uint8Array, specificCharacterSet: readonly string[], vr: string): string {
  const delimiters = textVrs.get(vr);
  if (isPlain(bytes)) return textOfAscii(bytes);
  if (delimiters === undefined) return textOfBytes(bytes);
  const repertoire = readRepertoire(specificCharacterSet);
  if (repertoire.whole === "utf-8") return utf8Decoder.decode(bytes);
  if (repertoire.whole !== undefined) return decodeGb18030(bytes);
  return decodeIso2022(bytes, repertoire, delimiters);
}

/** Whether it is the same text in every character set: ASCII without ESC and without the two codes JIS X 0201 changes. */
function isPlain(bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] as number;
    if (byte >= 0x7e || byte === 0x5c || byte === 0x1b) return false;
  }
  return true;
}

/** From here on the runtime's own decoder is quicker than adding characters up (measured on V8). */
const nativeFrom = 24;

function textOfAscii(bytes: Uint8Array): string {
  if (bytes.length >= nativeFrom) return utf8Decoder.decode(bytes);
  let text = "";
  for (let at = 0; at < bytes.length; at++) text += String.fromCharCode(bytes[at] as number);
  return text;
}

/**
 * Bytes of the text, or of values joined by backslashes, without padding. With code extensions the escape sequences are put
 * where PS3.5 §6.1.2.5 wants them.
 *
 * @throws Problem("invalid") when the character set lacks a character. It names the character set, never the text.
 */
export function encodeText(text: string, specificCharacterSet: readonly string[], vr: string): Uint8Array {
  const plain = utf8Encoder.encode(text);
  if (isPlain(plain)) return plain;
  const delimiters = textVrs.get(vr);
  const repertoire = readRepertoire(delimiters === undefined ? [] : specificCharacterSet);
  const bytes = encodeIn(repertoire, text, delimiters ?? { backslash: true, name: false });
  if (bytes === undefined) {
    const name = repertoire.unknownTerm ? `${repertoire.name} (with a term that is not known)` : repertoire.name;
    throw new Problem("invalid", `the text holds a character that Specific Character Set ${name} lacks`, {
      remedy: "declare ISO_IR 192 and encode all text of the data set in it",
    });
  }
  return bytes;
}

function encodeIn(repertoire: Repertoire, text: string, delimiters: Delimiters): Uint8Array | undefined {
  if (repertoire.whole === "utf-8") return text.isWellFormed() ? utf8Encoder.encode(text) : undefined;
  if (repertoire.whole !== undefined) return text.isWellFormed() ? encodeGb18030(text, repertoire.whole) : undefined;
  if (repertoire.unknownTerm && !isAscii(text)) return undefined;
  return encodeIso2022(text, repertoire, delimiters);
}

/** The smallest declaration that holds the text: none (the default repertoire) or ISO_IR 192. */
export function characterSetsFor(text: string): readonly string[] {
  return isAscii(text) ? [] : ["ISO_IR 192"];
}

function isAscii(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 0x7f) return false;
  return true;
}

/**
 * Parts the bytes of an element into its values, at backslashes only: not at a 0x5C that is half of a character of
 * JIS X 0208, GB 18030 or GBK, nor in a VR that has one value (ST, LT, UT, UR). The values are views of `bytes`.
 */
export function splitValues(bytes: Uint8Array, specificCharacterSet: readonly string[], vr: string): Uint8Array[] {
  const delimiters = textVrs.get(vr);
  if (vr === "UR" || delimiters?.backslash === false) return [bytes];
  const values: Uint8Array[] = [];
  let start = 0;
  for (const at of backslashesIn(bytes, specificCharacterSet, delimiters)) {
    values.push(bytes.subarray(start, at));
    start = at + 1;
  }
  values.push(bytes.subarray(start));
  return values;
}

function backslashesIn(
  bytes: Uint8Array,
  specificCharacterSet: readonly string[],
  delimiters: Delimiters | undefined,
): number[] {
  const found: number[] = [];
  for (let at = bytes.indexOf(0x5c); at >= 0; at = bytes.indexOf(0x5c, at + 1)) found.push(at);
  if (found.length === 0 || delimiters === undefined) return found;
  const repertoire = readRepertoire(specificCharacterSet);
  const real: number[] = [];
  if (repertoire.whole === "gb18030" || repertoire.whole === "gbk") decodeGb18030(bytes, real);
  else if (repertoire.extensible && bytes.includes(0x1b)) decodeIso2022(bytes, repertoire, delimiters, real);
  else return found;
  return real;
}
