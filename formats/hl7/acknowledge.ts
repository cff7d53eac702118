import { characterSetOf } from "./character-sets.ts";
import { encodingCharacters, usualDelimiters } from "./delimiters.ts";
import { escapeText } from "./escapes.ts";
import { conditions, type Fault } from "./faults.ts";
import { rawAt, segmentNamed, textAt, typeOf } from "./fields.ts";
import type { Message, Segment } from "./message.ts";

/** Table 0008. In original mode, and from the application in enhanced mode: `AA`, `AE`, `AR`; of having been taken, in enhanced mode, `CA`, `CE`, `CR`. */
export type AcknowledgmentCode = "AA" | "AE" | "AR" | "CA" | "CE" | "CR";

/** Which answers a sender wants (§2.9.2, table 0155); `original` where it says nothing in MSH-15 and MSH-16. */
export type AcknowledgmentMode =
  | { readonly kind: "original" }
  | { readonly kind: "enhanced"; readonly accept: string; readonly application: string };

export function acknowledgmentMode(message: Message): AcknowledgmentMode {
  const header = segmentNamed(message, "MSH");
  const [accept, application] = [textAt(message, header, 15), textAt(message, header, 16)];
  return accept === "" && application === "" ? { kind: "original" } : { kind: "enhanced", accept, application };
}

/**
 * The codes to answer with, in their order: none, one or two. In enhanced mode (§2.9.3) a message that was not taken is answered so, and
 * with nothing of the application; one that was taken is accepted whatever the application says then.
 */
export function codesFor(
  mode: AcknowledgmentMode,
  outcome: "accepted" | "error" | "rejected",
  isTaken = true,
): AcknowledgmentCode[] {
  const letter = outcome === "accepted" ? "A" : outcome === "error" ? "E" : "R";
  if (mode.kind === "original") return [`A${letter}`];
  const isWanted = (condition: string, isGood: boolean) => condition === "AL" || condition === (isGood ? "SU" : "ER");
  return [
    ...(isWanted(mode.accept, isTaken) ? [isTaken ? ("CA" as const) : (`C${letter}` as const)] : []),
    ...(isTaken && isWanted(mode.application, outcome === "accepted") ? [`A${letter}` as const] : []),
  ];
}

/** What somebody answered to a message of ours. */
export interface Acknowledgment {
  readonly code: AcknowledgmentCode;
  /** MSA-2: which message it is about. */
  readonly controlId: string;
  /** Why not, in the words of who answered; empty where nothing is said. May identify. */
  readonly what: string;
}

const acknowledgmentCodes: ReadonlySet<string> = new Set(["AA", "AE", "AR", "CA", "CE", "CR"]);
const whatMax = 500;

/** Undefined for a message that is no answer. */
export function acknowledgmentIn(message: Message): Acknowledgment | undefined {
  const msa = segmentNamed(message, "MSA");
  const code = textAt(message, msa, 1);
  if (!acknowledgmentCodes.has(code)) return undefined;
  const err = segmentNamed(message, "ERR");
  // MSA-3 up to 2.4, ERR-8 and ERR-3 from 2.5 on, ERR-1 before.
  const said = [textAt(message, msa, 3), textAt(message, err, 8), textAt(message, err, 7), textAt(message, err, 3, 2)];
  const what = [...said, textAt(message, err, 1, 4, 2)].find((text) => text !== "") ?? "";
  return { code: code as AcknowledgmentCode, controlId: textAt(message, msa, 2), what: what.slice(0, whatMax) };
}

export interface AcknowledgmentParts {
  /** MSH-10 of the answer. */
  readonly controlId: string;
  /** MSH-7 of the answer. */
  readonly at: string;
  readonly fault?: Fault | undefined;
}

const echoedMax = 256;
const versionOfErr = 2.5;

/**
 * The answer to a message, in its delimiters, character set and version; undefined stands for bytes in which no header was found. What it
 * gives back of the message is bounded and ends no segment.
 */
export function acknowledge(
  message: Message | undefined,
  code: AcknowledgmentCode,
  { controlId, at, fault }: AcknowledgmentParts,
): Message {
  const delimiters = message?.delimiters ?? usualDelimiters;
  const header = message && segmentNamed(message, "MSH");
  const echoed = (field: number) => printable(rawAt(header, field)).slice(0, echoedMax);
  // What the sender said of its character set is said again where the answer is in that.
  const terms = rawAt(header, 18).split(delimiters.repetition);
  const set = message !== undefined && characterSetOf(terms) === message.characters ? echoed(18) : "";
  const version = (message && textAt(message, header, 12)) || "2.5";
  const { event } = message === undefined ? { event: "" } : typeOf(message);
  const isTyped = event !== "" && !/^2\.[12]/.test(version);
  const type = isTyped ? ["ACK", event, "ACK"].map((part) => escapeText(part, delimiters)) : ["ACK"];
  const fields = new Map([
    ...([3, 4, 5, 6].map((field) => [field, echoed(field < 5 ? field + 2 : field - 2)]) as [number, string][]),
    [7, at],
    [9, type.join(delimiters.component)],
    [10, escapeText(controlId, delimiters)],
    [11, echoed(11) || "P"],
    [12, header === undefined ? version : echoed(12)],
    [18, set],
  ]);
  const last = set === "" ? 12 : 18;
  const rest = Array.from({ length: last - 2 }, (_, index) => fields.get(index + 3) ?? "");
  const what = fault && escapeText(fault.what, delimiters);
  const segments: Segment[] = [
    { name: "MSH", fields: [delimiters.field, encodingCharacters(delimiters), ...rest] },
    { name: "MSA", fields: [code, echoed(10), ...(what === undefined ? [] : [what])] },
    ...(fault === undefined ? [] : [errorSegment(fault, Number.parseFloat(version), delimiters)]),
  ];
  const characters = message?.characters ?? characterSetOf(["UNICODE UTF-8"]);
  if (characters === undefined) throw new TypeError("UTF-8 is a character set");
  return { delimiters, characters, segments };
}

/** §2.15.5: up to 2.4 one field holds place and code, from 2.5 on each has its own. */
function errorSegment(
  fault: Fault,
  version: number,
  { component, subcomponent, ...others }: Message["delimiters"],
): Segment {
  const delimiters = { component, subcomponent, ...others };
  const [number, words] = conditions[fault.condition];
  const { segment = "", sequence = "", field = "" } = fault.at ?? {};
  const place = [segment, sequence, field].map(String);
  while (place.at(-1) === "") place.pop();
  if (version < versionOfErr) {
    const [first = "", second = "", third = ""] = place;
    const code = [number, words, "HL70357"].join(subcomponent);
    return { name: "ERR", fields: [[first, second, third, code].join(component)] };
  }
  const code = [number, words, "HL70357"].join(component);
  const what = escapeText(fault.what, delimiters);
  return { name: "ERR", fields: ["", place.join(component), code, "E", "", "", "", what] };
}

/** Without what ends segments or frames. */
function printable(raw: string): string {
  let text = "";
  for (const character of raw) if (character >= " " && character !== "\u007f") text += character;
  return text;
}
