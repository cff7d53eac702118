import { unescapeText } from "./escapes.ts";
import { fieldName } from "./field-names.ts";
import { isNull } from "./fields.ts";
import { type Message, readMessage } from "./message.ts";

/** A segment as a person reads it. */
export interface DescribedSegment {
  readonly name: string;
  readonly fields: readonly DescribedField[];
}

export interface DescribedField {
  readonly number: number;
  /** What the field is called; empty where that is not known here. */
  readonly name: string;
  /** Repetitions on lines of their own, components as they are divided, escape sequences as what they stand for. */
  readonly text: string;
}

/** Of one message, and of one field: what is over is left out of the reading, never out of the message. */
const segmentsMost = 1_000;
const charactersMost = 20_000;

/** A message by segments, with what is said in their fields; undefined for bytes that are none. */
export function describedMessage(bytes: Uint8Array): DescribedSegment[] | undefined {
  const reading = readMessage(bytes);
  const message = reading.kind === "message" ? reading.message : reading.header;
  return message?.segments.slice(0, segmentsMost).map(({ name, fields }) => ({
    name,
    fields: fields.flatMap((raw, at) => {
      const isMark = name === "MSH" && at < 2;
      const text = isMark ? raw : readable(message, raw.slice(0, charactersMost));
      return text === "" ? [] : [{ number: at + 1, name: fieldName(name, at + 1), text }];
    }),
  }));
}

function readable({ delimiters, characters }: Message, raw: string): string {
  if (isNull(raw)) return "(none)";
  return raw
    .split(delimiters.repetition)
    .map((each) => unescapeText(each, delimiters, characters))
    .join("\n");
}
