import type { CharacterSet } from "./character-sets.ts";
import type { Delimiters } from "./delimiters.ts";

/**
 * The text that a value stands for (HL7 v2.8 §2.7): delimiters, characters by their codes, line breaks. Highlighting says nothing of the
 * text; what is not known, or of the sender's own making, is left as it is written.
 */
export function unescapeText(raw: string, delimiters: Delimiters, characters: CharacterSet | undefined): string {
  const { escape: mark, ...others } = delimiters;
  if (!raw.includes(mark)) return raw;
  const standing: Readonly<Record<string, string>> = {
    ...{ F: others.field, S: others.component, T: others.subcomponent, R: others.repetition, E: mark },
    ...(others.truncation !== undefined && { P: others.truncation }),
    ...{ H: "", N: "" },
  };
  let text = "";
  for (let at = 0; at < raw.length; ) {
    const opens = raw.indexOf(mark, at);
    const closes = opens < 0 ? -1 : raw.indexOf(mark, opens + 1);
    if (closes < 0) return text + raw.slice(at);
    text += raw.slice(at, opens);
    const run = bytesFrom(raw, opens, mark);
    if (run !== undefined) {
      text += characters?.decode(run.bytes) ?? raw.slice(opens, run.end);
      at = run.end;
      continue;
    }
    const sequence = raw.slice(opens + 1, closes);
    const stood = Object.hasOwn(standing, sequence) ? standing[sequence] : undefined;
    text += stood ?? formatting(sequence) ?? raw.slice(opens, closes + 1);
    at = closes + 1;
  }
  return text;
}

const lineMost = 99;

/** §2.7.6: of formatted text, what is a character too. */
function formatting(sequence: string): string | undefined {
  if (/^\.(br|ce)$/.test(sequence)) return "\n";
  const skipped = /^\.(sp|sk|in|ti)\+?(\d{0,2})$/.exec(sequence);
  if (skipped === null) return /^\.(fi|nf)$/.test(sequence) ? "" : undefined;
  const count = Math.min(Number(skipped[2] || 1), lineMost);
  if (skipped[1] === "sp") return "\n".repeat(count);
  return skipped[1] === "sk" ? " ".repeat(count) : "";
}

/**
 * `X` and pairs of hexadecimal digits: bytes of the character set of the message. Some senders write each byte by itself, so those that
 * follow each other are read together.
 */
function bytesFrom(raw: string, from: number, mark: string): { bytes: Uint8Array; end: number } | undefined {
  let end = from;
  const bytes: number[] = [];
  while (raw.startsWith(`${mark}X`, end)) {
    const closes = raw.indexOf(mark, end + 2);
    const digits = closes < 0 ? "" : raw.slice(end + 2, closes);
    if (!/^([0-9A-Fa-f]{2})+$/.test(digits)) break;
    for (let at = 0; at < digits.length; at += 2) bytes.push(Number.parseInt(digits.slice(at, at + 2), 16));
    end = closes + 1;
  }
  return bytes.length === 0 ? undefined : { bytes: Uint8Array.from(bytes), end };
}

/** The text as a value of a message: nothing in it divides or ends anything. */
export function escapeText(text: string, delimiters: Delimiters): string {
  const { field, component, subcomponent, repetition, escape: mark, truncation } = delimiters;
  const letters = new Map([
    ...([
      [field, "F"],
      [component, "S"],
      [subcomponent, "T"],
      [repetition, "R"],
      [mark, "E"],
    ] as const),
    ...(truncation === undefined ? [] : ([[truncation, "P"]] as const)),
    ["\n", ".br"],
  ]);
  let raw = "";
  for (const character of text.replace(/\r\n?/g, "\n")) {
    const letter = letters.get(character);
    const code = character.charCodeAt(0);
    if (letter !== undefined) raw += mark + letter + mark;
    else if (code < 0x20 || code === 0x7f) raw += `${mark}X${code.toString(16).toUpperCase().padStart(2, "0")}${mark}`;
    else raw += character;
  }
  return raw;
}
