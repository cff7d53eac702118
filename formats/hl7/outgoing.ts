import { characterSetOf } from "./character-sets.ts";
import { encodingCharacters, usualDelimiters } from "./delimiters.ts";
import { escapeText } from "./escapes.ts";
import type { Message, Segment } from "./message.ts";
import type { PersonName } from "./values.ts";

/** A system as MSH names it: application and facility, the latter often empty. */
export interface Party {
  readonly application: string;
  readonly facility: string;
}

/** What stands around what a message says. */
export interface Envelope {
  readonly from: Party;
  readonly to: Party;
  /** MSH-10: the same whenever this message is sent, and of no other one. */
  readonly controlId: string;
  /** MSH-7. */
  readonly at: string;
  /** MSH-18; one that `characterSetOf` knows. */
  readonly characterSet: string;
  /** `enhanced` asks for an answer when the message was taken (MSH-15 `AL`), and for none of what it then came to. */
  readonly mode: "original" | "enhanced";
}

/** Who a message is about. Empty: not known. */
export interface OutgoingPatient {
  readonly id: string;
  /** Who gave that identifier. */
  readonly authority: string;
  readonly names: readonly PersonName[];
  /** `YYYYMMDD`. */
  readonly birthDate: string;
  /** Table 0001. */
  readonly sex: string;
}

/** A code, what it means, and the system that it is of. */
export interface Code {
  readonly code: string;
  readonly meaning: string;
  readonly scheme: string;
}

/** Fields by their number; what is left out is empty. */
export type FieldValues = Readonly<Record<number, string>>;

export function segmentOf(name: string, values: FieldValues): Segment {
  const said = Object.entries(values).filter(([, raw]) => raw !== "");
  const last = Math.max(0, ...said.map(([at]) => Number(at)));
  return { name, fields: Array.from({ length: last }, (_, at) => values[at + 1] ?? "") };
}

/** A field of these components, each a text; what is empty at its end is left out. */
export function componentsOf(...texts: readonly string[]): string {
  const parts = texts.map((text) => escapeText(text, usualDelimiters));
  while (parts.at(-1) === "") parts.pop();
  return parts.join(usualDelimiters.component);
}

export const codeField = ({ code, meaning, scheme }: Code): string => componentsOf(code, meaning, scheme);

/** XPN, or with an empty first component for who has no identifier XCN. */
export function nameField(name: PersonName, before: readonly string[] = []): string {
  const { family, given, middle, suffix, prefix, type, representation } = name;
  const degree = "";
  // XPN-7 and XPN-8; in XCN they stand one behind the authority.
  const last = before.length === 0 ? [type, representation] : ["", type, "", "", "", "", representation];
  return componentsOf(...before, family, given, middle, suffix, prefix, degree, ...last);
}

export function patientSegment({ id, authority, names, birthDate, sex }: OutgoingPatient): Segment {
  return segmentOf("PID", {
    1: "1",
    3: componentsOf(id, "", "", authority),
    5: names.map((name) => nameField(name)).join(usualDelimiters.repetition),
    7: componentsOf(birthDate),
    8: componentsOf(sex),
  });
}

const version = "2.5.1";

/** A message of version 2.5.1. Problem-free: an unknown character set is written as UTF-8, and says so. */
export function messageOf(
  envelope: Envelope,
  type: readonly [code: string, event: string, structure: string],
  segments: readonly Segment[],
): Message {
  const { from, to, controlId, at, characterSet, mode } = envelope;
  const known = characterSetOf([characterSet]);
  const characters = known ?? characterSetOf(["UNICODE UTF-8"]);
  if (characters === undefined) throw new TypeError("UTF-8 is a character set");
  const header = segmentOf("MSH", {
    1: usualDelimiters.field,
    2: encodingCharacters(usualDelimiters),
    3: componentsOf(from.application),
    4: componentsOf(from.facility),
    5: componentsOf(to.application),
    6: componentsOf(to.facility),
    7: at,
    9: componentsOf(...type),
    10: componentsOf(controlId),
    11: "P",
    12: version,
    ...(mode === "enhanced" && { 15: "AL", 16: "NE" }),
    18: known === undefined ? "UNICODE UTF-8" : characterSet,
  });
  return { delimiters: usualDelimiters, characters, segments: [header, ...segments] };
}
