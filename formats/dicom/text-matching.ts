/**
 * How texts are compared where a query may match them freely (PS3.4 §C.2.2.2): without case and accents, names by their components,
 * patterns with `*` and `?`.
 */

/** A piece of a pattern: literal text, any run of characters, any one character. */
export type PatternPart = { readonly literal: string } | "run" | "one";

/** More of a text is not compared: the longest group of a name, and most descriptions, are shorter. */
const charactersMost = 1_024;

/** The pieces of a text with wildcards. */
export function patternOf(pattern: string): PatternPart[] {
  const parts: PatternPart[] = [];
  for (const piece of cleanText(pattern).split(/([*?])/)) {
    if (piece === "?") parts.push("one");
    else if (piece !== "*") {
      if (piece !== "") parts.push({ literal: piece });
    } else if (parts.at(-1) !== "run") parts.push("run");
  }
  return parts;
}

/** The same for texts as `foldText` makes them. */
export function foldPattern(parts: readonly PatternPart[]): PatternPart[] {
  return trimEnds(parts.map((part) => (typeof part === "object" ? { literal: foldText(part.literal) } : part)));
}

/** The same for names as `nameText` makes them. */
export function namePattern(parts: readonly PatternPart[]): PatternPart[] {
  const folded = trimEnds(
    parts.map((part) => (typeof part === "object" ? { literal: componentsText(part.literal) } : part)),
  );
  const last = folded.at(-1);
  if (typeof last === "object") folded[folded.length - 1] = { literal: withoutTrailingCarets(last.literal) };
  return folded.filter((part) => typeof part === "string" || part.literal !== "");
}

function trimEnds(parts: PatternPart[]): PatternPart[] {
  const first = parts[0];
  if (typeof first === "object") parts[0] = { literal: first.literal.trimStart() };
  const last = parts.at(-1);
  if (typeof last === "object") parts[parts.length - 1] = { literal: last.literal.trimEnd() };
  return parts.filter((part) => typeof part === "string" || part.literal !== "");
}

/** One component group of a name (PS3.5 §6.2.1), folded, without blanks beside carets and without what is empty behind. */
export function nameText(group: string): string {
  return withoutTrailingCarets(componentsText(group).trim());
}

function componentsText(text: string): string {
  const components = foldText(text).split("^");
  const last = components.length - 1;
  return components
    .map((component, index) => {
      const start = index === 0 ? component : component.trimStart();
      return index === last ? start : start.trimEnd();
    })
    .join("^");
}

function withoutTrailingCarets(text: string): string {
  let end = text.length;
  while (end > 0 && (text[end - 1] === "^" || text[end - 1] === " ")) end--;
  return text.slice(0, end);
}

/** Letters that Unicode does not take apart into a letter and a mark. */
const plainLetters: Readonly<Record<string, string>> = {
  ø: "o",
  ł: "l",
  đ: "d",
  ð: "d",
  ħ: "h",
  þ: "th",
  æ: "ae",
  œ: "oe",
  ς: "σ",
};

/**
 * Without case, width and accents: "MÜLLER" and "Müller" are "muller", "Straße" is "strasse". Marks outside the Latin, Greek
 * and Cyrillic block stay: without its voicing mark a kana, without its vowel sign a Thai syllable is another one.
 */
export function foldText(text: string): string {
  if (/^[ -~]*$/.test(text)) return text.slice(0, charactersMost).toLowerCase();
  const lower = cleanText(text.slice(0, charactersMost)).toUpperCase().toLowerCase();
  const bare = lower
    .normalize("NFKD")
    .replace(/[\u0300-\u036f]/g, "")
    .normalize("NFC");
  return bare.replace(/[øłđðħþæœς]/g, (letter) => plainLetters[letter] ?? letter);
}

/** NUL cannot rest in PostgreSQL; half a surrogate pair and U+10FFFF, the end of every range, in no text at all. */
export function cleanText(text: string): string {
  return text.toWellFormed().replace(/[\0\u{10ffff}]/gu, "");
}

/** Goes back only behind the last run, so it takes time by length of text times length of pattern at most. */
export function matchesPattern(parts: readonly PatternPart[], text: string): boolean {
  const [first] = parts;
  if (typeof first === "object" && !text.startsWith(first.literal)) return false;
  const wanted = parts.flatMap((part) => (typeof part === "object" ? [...part.literal] : [part]));
  const given = [...text];
  let at = 0;
  let run = -1;
  let runFrom = 0;
  let place = 0;
  while (place < given.length) {
    const part = wanted[at];
    if (part === "run") {
      run = at++;
      runFrom = place;
    } else if (part === "one" || (part !== undefined && part === given[place])) {
      at++;
      place++;
    } else if (run >= 0) {
      at = run + 1;
      place = ++runFrom;
    } else return false;
  }
  while (wanted[at] === "run") at++;
  return at === wanted.length;
}

/** What lies between two texts, both included; an end that is not there is open. */
export interface TextRange {
  readonly from?: string;
  readonly to?: string;
}

const dayPattern = /^[0-9]{8}$/;
const timePattern = /^[0-9]{2}([0-9]{2}([0-9]{2}(\.[0-9]{1,6})?)?)?$/;

/**
 * The days or times that a key asks for, one or a range with an end open (PS3.4 §C.2.2.2.5); undefined when it is neither. It ends with
 * the last moment that a time of less than full precision stands for.
 */
export function temporalRange(vr: "DA" | "TM", text: string): TextRange | undefined {
  const pattern = vr === "DA" ? dayPattern : timePattern;
  const ends = text.split("-").map((end) => (vr === "TM" ? end.trim().replaceAll(":", "") : end.trim()));
  const [from = "", to = ""] = ends;
  if (ends.length > 2 || ends.every((end) => end === "") || ends.some((end) => end !== "" && !pattern.test(end))) {
    return undefined;
  }
  const until = ends.length === 1 ? from : to;
  return {
    ...(from !== "" && { from }),
    ...(until !== "" && { to: vr === "TM" ? until + "235959.999999".slice(until.length) : until }),
  };
}
