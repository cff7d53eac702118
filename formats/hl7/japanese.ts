/*
 * Japanese text under ISO 2022, as table 0211 has it: ASCII or the Roman half of JIS X 0201 (IR14), whose katakana lie above 0x80, and by
 * escape sequences JIS X 0208 (IR87) and JIS X 0212 (IR159). EUC-JP holds the same characters at the same places, with 0x80 added.
 */

type Plane = "single" | "0208" | "0212";

const esc = 0x1b;
/** Escape sequences without the first byte. The older form of JIS X 0208 is read as the newer. */
const designations: ReadonlyMap<string, Plane> = new Map([
  ["(B", "single"],
  ["(J", "single"],
  [")I", "single"],
  ["$@", "0208"],
  ["$B", "0208"],
  ["$(D", "0212"],
]);

/** Undefined for bytes that are none of it. */
export function decodeJapanese(bytes: Uint8Array): string | undefined {
  const euc: number[] = [];
  let plane: Plane = "single";
  for (let at = 0; at < bytes.length; ) {
    const byte = bytes[at] ?? 0;
    if (byte === esc) {
      const found = [2, 3].find((length) => designations.has(textOf(bytes.subarray(at + 1, at + 1 + length))));
      if (found === undefined) return undefined;
      plane = designations.get(textOf(bytes.subarray(at + 1, at + 1 + found))) ?? "single";
      at += 1 + found;
    } else if (byte < 0x21 || plane === "single") {
      // An end of line returns to the first set (ISO 2022 §13.2.2), whether it says so or not.
      if (byte === 0x0d || byte === 0x0a) plane = "single";
      if (byte > 0x7f && (byte < 0xa1 || byte > 0xdf)) return undefined;
      if (byte > 0x7f) euc.push(0x8e);
      euc.push(byte);
      at++;
    } else {
      const next = bytes[at + 1] ?? 0;
      if (byte > 0x7e || next < 0x21 || next > 0x7e) return undefined;
      if (plane === "0212") euc.push(0x8f);
      euc.push(byte | 0x80, next | 0x80);
      at += 2;
    }
  }
  try {
    return new TextDecoder("euc-jp", { fatal: true }).decode(Uint8Array.from(euc));
  } catch {
    return undefined;
  }
}

/** Undefined for a text that it cannot hold. `codes` as `japaneseCodes` makes them. */
export function encodeJapanese(text: string, codes: ReadonlyMap<string, JapaneseCode>): Uint8Array | undefined {
  const bytes: number[] = [];
  let plane: Plane = "single";
  const turnTo = (next: Plane) => {
    if (next === plane) return;
    const sequence = next === "single" ? "(B" : next === "0208" ? "$B" : "$(D";
    bytes.push(esc, ...[...sequence].map((each) => each.charCodeAt(0)));
    plane = next;
  };
  for (const character of text) {
    const code = character.charCodeAt(0);
    if (code < 0x80) {
      turnTo("single");
      bytes.push(code);
      continue;
    }
    if (code >= 0xff61 && code <= 0xff9f) {
      turnTo("single");
      bytes.push(code - 0xff61 + 0xa1);
      continue;
    }
    const found = codes.get(character);
    if (found === undefined) return undefined;
    turnTo(found.plane);
    bytes.push(found.row, found.cell);
  }
  turnTo("single");
  return Uint8Array.from(bytes);
}

/** Where a character of two bytes stands. */
export interface JapaneseCode {
  readonly plane: Plane;
  readonly row: number;
  readonly cell: number;
}

/** All of them: some 13,000. */
export function japaneseCodes(): ReadonlyMap<string, JapaneseCode> {
  const codes = new Map<string, JapaneseCode>();
  const decoder = new TextDecoder("euc-jp");
  for (const plane of ["0208", "0212"] as const) {
    for (let row = 0x21; row <= 0x7e; row++) {
      for (let cell = 0x21; cell <= 0x7e; cell++) {
        const pair = [row | 0x80, cell | 0x80];
        const character = decoder.decode(Uint8Array.from(plane === "0212" ? [0x8f, ...pair] : pair));
        if ([...character].length === 1 && character !== "\ufffd" && !codes.has(character)) {
          codes.set(character, { plane, row, cell });
        }
      }
    }
  }
  return codes;
}

const textOf = (bytes: Uint8Array) => String.fromCharCode(...bytes);
