import { createHash } from "node:crypto";
import { constants, deflateRawSync } from "node:zlib";

/** A value that nobody else says: wherever its bytes stand in any encoding, it was written in the clear. */
export interface Canary {
  readonly what: string;
  readonly text: string;
}

const letters = "abcdefghijklmnopqrstuvwxyz";
const accented = `${letters}äöüßéèñçøå`;
const codeLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/** Makes canaries, the same in every run, and remembers them all. */
export function createCanaries(seed: string) {
  const made: Canary[] = [];
  const taken = new Set<string>();
  let counter = 0;
  const number = (below: number): number => {
    const digest = createHash("sha256").update(`${seed} ${counter++}`).digest();
    return digest.readUInt32BE(0) % below;
  };
  const letterOf = (alphabet: string) => alphabet[number(alphabet.length)] ?? "";
  const word = (alphabet: string, length: number) => Array.from({ length }, () => letterOf(alphabet)).join("");
  const capital = (text: string) => text.slice(0, 1).toUpperCase() + text.slice(1);
  const two = (from: number, count: number) => String(from + number(count)).padStart(2, "0");
  const keep = (what: string, make: () => string): string => {
    for (;;) {
      const text = make();
      if (taken.has(text)) continue;
      taken.add(text);
      made.push({ what, text });
      return text;
    }
  };

  return {
    all: made as readonly Canary[],
    /** Family and given name, each a canary. */
    name: (alphabet = letters) =>
      `${keep("family name", () => capital(word(alphabet, 12)))}^${keep("given name", () => capital(word(alphabet, 8)))}`,
    latinName: () =>
      `${keep("family name", () => `É${word(accented, 11)}`)}^${keep("given name", () => `Ö${word(accented, 8)}`)}`,
    code: (what: string, length = 12) => keep(what, () => word(codeLetters, length)),
    /** With blanks and what JSON and URLs escape. */
    phrase: (what: string) =>
      keep(what, () => `${capital(word(letters, 8))} "${word(letters, 5)}" & ${word(letters, 6)}%`),
    /** Of a century in which nobody was imaged. */
    date: (what: string) => keep(what, () => `18${two(10, 80)}${two(1, 12)}${two(1, 28)}`),
    time: (what: string) =>
      keep(what, () => `${two(0, 24)}${two(0, 60)}${two(0, 60)}.${two(10, 90)}${two(10, 90)}${two(10, 90)}`),
    moment: (what: string) =>
      keep(what, () => `17${two(10, 80)}${two(1, 12)}${two(1, 28)}${two(0, 24)}${two(0, 60)}${two(0, 60)}`),
    digits: (what: string, length: number) => keep(what, () => `1${word("0123456789", length - 1)}`),
    uid: (what: string) =>
      keep(what, () => `1.2.826.0.1.3680043.10.1425.${1 + number(9)}${word("123456789", 15)}.${1 + number(999)}`),
    url: (what: string) =>
      keep(what, () => `https://${word(letters, 10)}.example/${word(letters, 6)}?x=${word(letters, 4)}`),
  };
}

export type Canaries = ReturnType<typeof createCanaries>;

export const encodings = ["utf-8", "utf-16", "latin-1", "base64", "hex", "json", "url", "deflated"] as const;
export type Encoding = (typeof encodings)[number];

/** The text itself, and as an index would fold it. */
function spellings(text: string): string[] {
  const bare = text.normalize("NFKD").replace(/[\u0300-\u036f]/g, "");
  return [...new Set([text, text.toLowerCase(), text.toUpperCase(), bare, bare.toLowerCase(), bare.toUpperCase()])];
}

/** What of a text's Base64 stands there whatever comes before and after it: for each of the three ways it may fall. */
function base64Of(bytes: Buffer): string[] {
  return [0, 1, 2].map((before) => {
    const text = Buffer.concat([Buffer.alloc(before), bytes])
      .toString("base64")
      .replace(/=+$/, "");
    const first = Math.ceil((before * 8) / 6);
    return text.slice(first, Math.floor(((before + bytes.length) * 8) / 6));
  });
}

const escaped = (text: string, upper: boolean) =>
  [...JSON.stringify(text).slice(1, -1)]
    .flatMap((character) => character.split(""))
    .map((unit) => {
      const code = unit.charCodeAt(0).toString(16).padStart(4, "0");
      return unit.charCodeAt(0) < 0x80 ? unit : `\\u${upper ? code.toUpperCase() : code}`;
    })
    .join("");

const lowerEscapes = (text: string) => text.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase());

/**
 * The bytes as literals of Deflate's fixed code (RFC 1951 §3.2.6), at each of the eight bit positions where they may begin; without
 * the first and last byte, which others share. The dynamic code has no such form: whole streams are inflated instead.
 */
function fixedCodeOf(bytes: Buffer): Buffer[] {
  const bits: number[] = [];
  for (const byte of bytes) {
    const [code, length] = byte < 144 ? [0x30 + byte, 8] : [0x190 + byte - 144, 9];
    for (let bit = length - 1; bit >= 0; bit--) bits.push((code >> bit) & 1);
  }
  return [0, 1, 2, 3, 4, 5, 6, 7].map((shift) => {
    const packed = Buffer.alloc(Math.ceil((bits.length + shift) / 8));
    for (const [at, bit] of bits.entries()) {
      const place = at + shift;
      packed[place >> 3] = (packed[place >> 3] ?? 0) | (bit << (place & 7));
    }
    return packed.subarray(shift === 0 ? 0 : 1, Math.floor((bits.length + shift) / 8));
  });
}

/**
 * The bytes deflated by themselves, with and without the dynamic code, less what a compressor that goes on would write otherwise: the
 * first byte, with the block's head, and the last two, with its end. Inside of a longer stream repetitions make other bytes of them.
 */
function deflatedOf(bytes: Buffer): Buffer[] {
  const strategies = [constants.Z_DEFAULT_STRATEGY, constants.Z_FIXED, constants.Z_HUFFMAN_ONLY];
  const forms = strategies.map((strategy) => deflateRawSync(bytes, { strategy }).subarray(1, -2));
  return [...forms, ...fixedCodeOf(bytes)];
}

/** The bytes by which a text is found, encoding by encoding. */
export function formsOf(text: string): Readonly<Record<Encoding, readonly Buffer[]>> {
  const each = (make: (spelling: string) => readonly (Buffer | string)[]) =>
    spellings(text).flatMap((spelling) => make(spelling).map((form) => Buffer.from(form as string)));
  const utf16 = (spelling: string) => Buffer.from(spelling, "utf16le");
  const isLatin = (spelling: string) => /^[\0-\u00ff]*$/.test(spelling);
  const variants = (spelling: string) => [
    Buffer.from(spelling),
    ...(isLatin(spelling) ? [Buffer.from(spelling, "latin1")] : []),
  ];
  const url = (spelling: string) => [
    encodeURIComponent(spelling),
    lowerEscapes(encodeURIComponent(spelling)),
    new URLSearchParams({ q: spelling }).toString().slice(2),
  ];
  return {
    "utf-8": each((spelling) => [spelling]),
    "utf-16": each((spelling) => [utf16(spelling), utf16(spelling).swap16()]),
    "latin-1": each((spelling) => (isLatin(spelling) ? [Buffer.from(spelling, "latin1")] : [])),
    base64: each((spelling) =>
      variants(spelling)
        .flatMap(base64Of)
        .flatMap((form) => [form, form.replaceAll("+", "-").replaceAll("/", "_")]),
    ),
    hex: each((spelling) =>
      variants(spelling).flatMap((bytes) => [bytes.toString("hex"), bytes.toString("hex").toUpperCase()]),
    ),
    json: each((spelling) => [
      escaped(spelling, false),
      escaped(spelling, true),
      JSON.stringify(spelling).slice(1, -1),
    ]),
    url: each(url),
    deflated: each((spelling) => variants(spelling).flatMap(deflatedOf)),
  };
}
