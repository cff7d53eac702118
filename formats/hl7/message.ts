import { type CharacterSet, characterSetOf } from "./character-sets.ts";
import { type Delimiters, delimitersOf } from "./delimiters.ts";
import type { Fault, Location } from "./faults.ts";

/** One message. Fields are kept as they are written, escape sequences and all: `fields.ts` says what they hold. */
export interface Message {
  readonly delimiters: Delimiters;
  readonly characters: CharacterSet;
  readonly segments: readonly Segment[];
}

export interface Segment {
  readonly name: string;
  /** From field 1 on. Of MSH, field 1 is the field separator itself and field 2 the encoding characters (§2.14.9). */
  readonly fields: readonly string[];
}

export interface MessageLimits {
  readonly bytesMax: number;
  readonly segmentsMax: number;
  /** Of one segment. */
  readonly fieldsMax: number;
}

export const messageLimits: MessageLimits = { bytesMax: 1024 * 1024, segmentsMax: 5_000, fieldsMax: 500 };

/** What bytes turned out to be. A message that is refused may have a header that is sound: an answer goes by that. */
export type Reading =
  | { readonly kind: "message"; readonly message: Message }
  | { readonly kind: "refused"; readonly fault: Fault; readonly header: Message | undefined };

const headerBytesMax = 4_096;

/** Reads one message. Segments may end in CR, as they must, or in LF or CRLF, as files and some senders have them. */
export function readMessage(bytes: Uint8Array, limits: MessageLimits = messageLimits): Reading {
  const hasMark = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  const content = hasMark ? bytes.subarray(3) : bytes;
  const head = headerOf(content);
  if (typeof head === "string") return refused("segmentSequence", head, undefined, { segment: "MSH", sequence: 1 });
  const header: Message = { ...head, segments: [{ name: "MSH", fields: head.fields }] };
  const at = (field: number): Location => ({ segment: "MSH", sequence: 1, field });
  if (bytes.length > limits.bytesMax) return refused("internal", "the message is longer than is taken here", header);
  const characters = hasMark ? characterSetOf(["UNICODE UTF-8"]) : characterSetOf(termsOf(head));
  if (characters === undefined) return refused("tableValue", "that character set is not read here", header, at(18));
  const text = characters.decode(content);
  if (text === undefined) return refused("dataType", "bytes that are not of the character set", header, at(18));
  const segments: Segment[] = [];
  const seen = new Map<string, number>();
  for (const line of linesOf(text, limits.segmentsMax)) {
    if (segments.length >= limits.segmentsMax) return refused("internal", "more segments than are taken here", header);
    const segment = segmentOf(line, head.delimiters);
    if (segment === undefined) {
      return refused("segmentSequence", `line ${segments.length + 1} is no segment`, header);
    }
    const sequence = (seen.get(segment.name) ?? 0) + 1;
    seen.set(segment.name, sequence);
    if (segment.fields.length > limits.fieldsMax) {
      const where = { segment: segment.name, sequence };
      return refused("internal", "a segment has more fields than are taken here", header, where);
    }
    if (segment.name === "MSH" && sequence > 1) {
      return refused("segmentSequence", "a second header in one message", header, { segment: "MSH", sequence });
    }
    segments.push(segment);
  }
  return { kind: "message", message: { delimiters: head.delimiters, characters, segments } };
}

function refused(condition: Fault["condition"], what: string, header: Message | undefined, at?: Location): Reading {
  return { kind: "refused", fault: { condition, what, ...(at && { at }) }, header };
}

interface Head {
  readonly delimiters: Delimiters;
  readonly fields: readonly string[];
  readonly characters: CharacterSet;
}

/** The header by itself: it says how all the others are to be read. A text says why it is none. */
function headerOf(bytes: Uint8Array): Head | string {
  const characters = characterSetOf(["8859/1"]);
  const [line = ""] = characters?.decode(bytes.subarray(0, headerBytesMax))?.split(/[\r\n]/, 1) ?? [];
  if (/^[FB]HS/.test(line)) return "a batch: its messages have to be sent one by one";
  if (!line.startsWith("MSH") || characters === undefined) return "a message begins with MSH";
  const field = line.charAt(3);
  const [encoding = "", ...others] = field === "" ? [] : line.slice(4).split(field);
  const delimiters = delimitersOf(field, encoding);
  if (delimiters === undefined) return "MSH-1 and MSH-2 name no delimiters that can be used";
  return { delimiters, fields: [field, encoding, ...others], characters };
}

const termsOf = ({ fields, delimiters }: Head): string[] => (fields[17] ?? "").split(delimiters.repetition);

/** Those that are not blank, one more than `most` at most. Where a CR ends segments, an LF by itself is part of a value. */
function linesOf(text: string, most: number): string[] {
  const end = text.includes("\r") ? "\r" : "\n";
  const lines: string[] = [];
  for (let at = 0; at < text.length && lines.length <= most; ) {
    const ends = text.indexOf(end, at);
    const line = text.slice(at, ends < 0 ? text.length : ends);
    const bare = line.startsWith("\n") ? line.slice(1) : line;
    if (bare.trim() !== "") lines.push(bare);
    at = ends < 0 ? text.length : ends + 1;
  }
  return lines;
}

function segmentOf(line: string, { field }: Delimiters): Segment | undefined {
  const name = line.slice(0, 3);
  if (!/^[A-Z][A-Z0-9]{2}$/.test(name)) return undefined;
  if (line.length === 3) return { name, fields: [] };
  if (line.charAt(3) !== field) return undefined;
  const fields = line.slice(4).split(field);
  return { name, fields: name === "MSH" ? [field, ...fields] : fields };
}

/** The bytes of a message, each segment ended by CR. Undefined when its character set cannot hold what it says. */
export function writeMessage({ delimiters, characters, segments }: Message): Uint8Array | undefined {
  const { field } = delimiters;
  const lines = segments.map(({ name, fields }) => {
    const written = name === "MSH" ? fields.slice(1) : fields;
    return written.length === 0 ? name : name + field + written.join(field);
  });
  return characters.encode(`${lines.join("\r")}\r`);
}
