import type { Condition, Fault, Message, Segment } from "#formats/hl7";
import type { PartnerServices } from "./ports.ts";

/** Something that a message asks to be done. */
export type Deed = (services: PartnerServices) => Promise<unknown>;

/** What a message asks for, in its order; or why nothing of it is done. */
export type Meaning = readonly Deed[] | Fault;

export function isFault(meaning: Meaning): meaning is Fault {
  return !Array.isArray(meaning);
}

/** A fault at a field of a segment of the message. */
export function faultAt(
  message: Message,
  segment: Segment | string,
  field: number | undefined,
  condition: Condition,
  what: string,
): Fault {
  const name = typeof segment === "string" ? segment : segment.name;
  const same = message.segments.filter((each) => each.name === name);
  const sequence = typeof segment === "string" ? 1 : same.indexOf(segment) + 1;
  return { condition, what, at: { segment: name, sequence, ...(field !== undefined && { field }) } };
}
