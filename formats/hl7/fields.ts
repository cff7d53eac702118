import { unescapeText } from "./escapes.ts";
import type { Message, Segment } from "./message.ts";

/*
 * What a field says. A value that is not there says nothing; one that is `""` says that there is no such thing any more (§2.5.3).
 */

/** Empty where the message says nothing. */
export function rawAt(segment: Segment | undefined, field: number): string {
  return segment?.fields[field - 1] ?? "";
}

/** As each repetition of a field is written; none for a field that says nothing. Bounded: no table here has so many. */
export function repetitionsAt({ delimiters }: Message, segment: Segment | undefined, field: number): string[] {
  const raw = rawAt(segment, field);
  return raw === "" ? [] : raw.split(delimiters.repetition, repetitionsMax);
}

const repetitionsMax = 200;
/** Components, and sub-components, that are looked at. */
const partsMax = 64;
/** Of a part: no value that is taken here is nearly as long, and what is not cut there is refused for its length. */
const charactersMax = 8_192;

/** The text of a component of a repetition, and of a sub-component of that, counted from 1. */
export function partOf(
  { delimiters, characters }: Message,
  repetition: string,
  component: number,
  subcomponent = 1,
): string {
  const raw = repetition.split(delimiters.component, partsMax)[component - 1] ?? "";
  const part = raw.split(delimiters.subcomponent, partsMax)[subcomponent - 1] ?? "";
  return isNull(part) ? "" : unescapeText(part.slice(0, charactersMax), delimiters, characters).trim();
}

/** The same of the first repetition of a field. */
export function textAt(
  message: Message,
  segment: Segment | undefined,
  field: number,
  component = 1,
  subcomponent = 1,
): string {
  const [first = ""] = rawAt(segment, field).split(message.delimiters.repetition, 1);
  return partOf(message, first, component, subcomponent);
}

/** Whether it says that there is no such thing. */
export function isNull(raw: string): boolean {
  return raw === '""';
}

/** The first of that name. */
export function segmentNamed({ segments }: Message, name: string): Segment | undefined {
  return segments.find((segment) => segment.name === name);
}

/** What a message says that it is: MSH-9, whose event older senders name in EVN-1 alone. */
export function typeOf(message: Message): { readonly code: string; readonly event: string } {
  const header = segmentNamed(message, "MSH");
  const event = textAt(message, header, 9, 2) || textAt(message, segmentNamed(message, "EVN"), 1);
  return { code: textAt(message, header, 9), event };
}
