import { decodeJapanese, encodeJapanese, type JapaneseCode, japaneseCodes } from "./japanese.ts";

/** How the text of a message is written in bytes, by the terms of MSH-18 (table 0211). */
export interface CharacterSet {
  /** Undefined for bytes that are none of it. */
  decode(bytes: Uint8Array): string | undefined;
  /** Undefined for a text that it cannot hold. */
  encode(text: string): Uint8Array | undefined;
}

const utf8: CharacterSet = {
  decode(bytes) {
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      return undefined;
    }
  },
  encode: (text) => (text.isWellFormed() ? new TextEncoder().encode(text) : undefined),
};

/** Each byte one character. */
function singleByte(characters: () => readonly string[]): CharacterSet {
  let table: readonly string[] | undefined;
  let codes: ReadonlyMap<string, number> | undefined;
  return {
    decode(bytes) {
      table ??= characters();
      let text = "";
      for (const byte of bytes) {
        const character = table[byte];
        if (character === undefined || character === "\ufffd") return undefined;
        text += character;
      }
      return text;
    },
    encode(text) {
      table ??= characters();
      codes ??= new Map(table.map((character, code) => [character, code] as const));
      const bytes = new Uint8Array(text.length);
      for (let at = 0; at < text.length; at++) {
        const code = codes.get(text.charAt(at));
        if (code === undefined) return undefined;
        bytes[at] = code;
      }
      return bytes;
    },
  };
}

const every = (from: number, to: number) => Array.from({ length: to - from }, (_, at) => from + at);
const latin1 = singleByte(() => every(0, 256).map((code) => String.fromCharCode(code)));
/** Part of ISO 8859: what browsers call by that name agrees from 0xA0 on, which is all that differs between the parts. */
const iso8859 = (part: number): CharacterSet =>
  singleByte(() => {
    const upper = [...new TextDecoder(`iso-8859-${part}`).decode(Uint8Array.from(every(0xa0, 256)))];
    return [...every(0, 0xa0).map((code) => String.fromCharCode(code)), ...upper];
  });

/** What a sender that says nothing, or no more than ASCII, really sends: UTF-8 where it can be read so, else the western set. */
const undeclared: CharacterSet = {
  decode: (bytes) => utf8.decode(bytes) ?? latin1.decode(bytes),
  encode: utf8.encode,
};

function createJapanese(): CharacterSet {
  let codes: ReadonlyMap<string, JapaneseCode> | undefined;
  return {
    decode: decodeJapanese,
    encode(text) {
      codes ??= japaneseCodes();
      return encodeJapanese(text, codes);
    },
  };
}

const japanese = createJapanese();

const sets: ReadonlyMap<string, CharacterSet> = new Map([
  ["", undeclared],
  ["ASCII", undeclared],
  ["UNICODE UTF-8", utf8],
  ["UTF-8", utf8],
  ["8859/1", latin1],
  ...[2, 3, 4, 5, 6, 7, 8, 9, 13, 14, 15].map((part) => [`8859/${part}`, iso8859(part)] as const),
  ["ISO IR14", japanese],
  ["ISO IR87", japanese],
  ["ISO IR159", japanese],
]);

/** Of the terms of MSH-18, of which those after the first say what escape sequences lead to; undefined for one that is not read here. */
export function characterSetOf(terms: readonly string[]): CharacterSet | undefined {
  const [first = "", ...others] = terms.map((term) => term.trim().toUpperCase().replace(/_/g, " "));
  const all = [sets.get(first), ...others.map((term) => sets.get(term))];
  if (all.includes(undefined)) return undefined;
  return all.includes(japanese) ? japanese : all[0];
}
