import { createHash } from "node:crypto";
import type { Clock } from "#base/clock";
import { newToken, type Random } from "#base/id";
import type { Log } from "#base/log";
import { asProblem, type ProblemCode } from "#base/problem";
import {
  acknowledge,
  acknowledgmentMode,
  type Condition,
  codesFor,
  type Fault,
  type Message,
  type MessageLimits,
  momentText,
  type Reading,
  readMessage,
  segmentNamed,
  textAt,
  typeOf,
  writeMessage,
} from "#formats/hl7";
import { appointmentDeeds } from "./appointments.ts";
import { faultAt, isFault, type Meaning } from "./deeds.ts";
import { orderDeeds } from "./orders.ts";
import { patientDeeds } from "./patients.ts";
import type { PartnerClaim, PartnerServices, Partners } from "./ports.ts";

/** What is said to the bytes of one frame. */
export interface Answers {
  /** Messages, each to be sent in a frame: none where the sender wants none. */
  readonly messages: readonly Uint8Array[];
  readonly outcome: "accepted" | "error" | "rejected";
  /** Why not, where it was not accepted. */
  readonly fault: Fault | undefined;
  /** Who sent it is no partner: nothing more is heard from there. */
  readonly isStranger: boolean;
}

export interface AnswerParts {
  readonly partners: Partners;
  readonly limits: MessageLimits;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

type Caller = Pick<PartnerClaim, "address" | "certificates">;

/** Reads a message, finds out who sent it, has done what it asks for, and answers when that is done. */
export async function answersTo(parts: AnswerParts, bytes: Uint8Array, caller: Caller): Promise<Answers> {
  const reading = readMessage(bytes, parts.limits);
  const header = reading.kind === "message" ? reading.message : reading.header;
  let services: PartnerServices | undefined;
  let answers: Answers;
  try {
    services = header && (await admitted(parts, header, caller));
    answers = services === undefined ? toStranger(parts, header) : await answersFor(parts, reading, services, bytes);
  } catch (error) {
    const { code, message: what } = asProblem(error, "doing what a message asks for");
    const [condition, isRejected = false] = conditionsOf[code] ?? ["internal"];
    // What was not let in, or fails for now, was not taken: the sender keeps it, or is told never to send it again.
    const isTaken = condition !== "internal";
    parts.log.warn("hl7: a message was not done", { code, address: caller.address }, error);
    answers = written(parts, header, { condition, what }, { isRejected, isTaken });
  }
  if (header !== undefined) await services?.heard({ ...headOf(header), bytes, ...answers });
  return answers;
}

function headOf(header: Message) {
  const { code, event } = typeOf(header);
  const kind = event === "" ? code : `${code}^${event}`;
  return { kind, controlId: textAt(header, segmentNamed(header, "MSH"), 10) };
}

function toStranger(parts: AnswerParts, header: Message | undefined): Answers {
  const what = header === undefined ? "no HL7 message" : "the sender is not known here";
  const fault = { condition: "internal", what } as const;
  return written(parts, header, fault, { isRejected: true, isTaken: false, isStranger: true });
}

async function answersFor(
  parts: AnswerParts,
  reading: Reading,
  services: PartnerServices,
  bytes: Uint8Array,
): Promise<Answers> {
  if (reading.kind === "refused") {
    return written(parts, reading.header, reading.fault, { isRejected: true, isTaken: false });
  }
  const { message } = reading;
  const unread = unreadable(message);
  if (unread !== undefined) return written(parts, message, unread, { isTaken: false });
  return written(parts, message, await faultOf(message, services, bytes));
}

const digestOf = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("base64");

/** Why it was not done; undefined when it was, now or before. */
async function faultOf(message: Message, services: PartnerServices, bytes: Uint8Array): Promise<Fault | undefined> {
  const meaning = meaningOf(message);
  if (isFault(meaning)) return meaning;
  const taken = await services.once(textAt(message, segmentNamed(message, "MSH"), 10), digestOf(bytes), async () => {
    for (const deed of meaning) await deed(services);
    await services.handOn(bytes);
  });
  if (taken !== "other") return undefined;
  return faultAt(message, "MSH", 10, "duplicateKey", "another message came by that control id");
}

async function admitted(parts: AnswerParts, header: Message, caller: Caller): Promise<PartnerServices | undefined> {
  const msh = segmentNamed(header, "MSH");
  return parts.partners.admit({
    ...caller,
    application: textAt(header, msh, 3),
    facility: textAt(header, msh, 4),
    receiver: textAt(header, msh, 5),
  });
}

/** What of a header has to be as it is here. */
function unreadable(message: Message): Fault | undefined {
  const msh = segmentNamed(message, "MSH");
  if (textAt(message, msh, 10) === "")
    return faultAt(message, "MSH", 10, "requiredField", "the message has no control id");
  if (textAt(message, msh, 10).length > controlIdMax) {
    return faultAt(message, "MSH", 10, "dataType", `a control id of more than ${controlIdMax} characters`);
  }
  // Table 0103: what is for training or debugging must not change what patients are treated by.
  if (!["", "P"].includes(textAt(message, msh, 11))) {
    return faultAt(message, "MSH", 11, "processingId", "messages are taken in production alone");
  }
  if (!/^2\.[1-8](\.|$)/.test(textAt(message, msh, 12))) {
    return faultAt(message, "MSH", 12, "versionId", "versions 2.1 to 2.8 are read here");
  }
  return undefined;
}

const controlIdMax = 199;

function meaningOf(message: Message): Meaning {
  const { code, event } = typeOf(message);
  const unknown = (what: string) => faultAt(message, "MSH", 9, "eventCode", what);
  if (code === "ADT") return patientDeeds(message, event) ?? unknown("that event of ADT is not acted upon here");
  if (code === "SIU") return appointmentDeeds(message, event) ?? unknown("that event of SIU is not acted upon here");
  if (code === "ORM" || code === "OMI" || code === "OMG") return orderDeeds(message);
  return faultAt(message, "MSH", 9, "messageType", "ADT, ORM, OMI, OMG and SIU are taken here");
}

/** What a Problem is in table 0357, and whether it is the message that is at fault for good. */
const conditionsOf: Readonly<Partial<Record<ProblemCode, readonly [condition: Condition, isRejected?: boolean]>>> = {
  invalid: ["dataType"],
  "too-large": ["dataType"],
  absent: ["unknownKey"],
  conflict: ["recordLocked"],
  unsupported: ["messageType", true],
  denied: ["internal", true],
};

/** Conditions that the same message meets again whenever it is sent. */
const rejecting: ReadonlySet<Condition> = new Set([
  "segmentSequence",
  "tableValue",
  "messageType",
  "eventCode",
  "processingId",
  "versionId",
  "duplicateKey",
]);

function written(
  { clock, random, log }: AnswerParts,
  message: Message | undefined,
  fault: Fault | undefined,
  { isRejected = fault !== undefined && rejecting.has(fault.condition), isTaken = true, isStranger = false } = {},
): Answers {
  const outcome = fault === undefined ? "accepted" : isRejected ? "rejected" : "error";
  const mode = message === undefined ? ({ kind: "original" } as const) : acknowledgmentMode(message);
  const messages = codesFor(mode, outcome, isTaken).flatMap((code) => {
    const said = {
      controlId: newToken(random).slice(0, 20),
      at: momentText(clock.now()),
      fault: code === "CA" ? undefined : fault,
    };
    const bytes = writeMessage(acknowledge(message, code, said));
    if (bytes === undefined) log.warn("hl7: an answer could not be written in the sender's character set");
    return bytes ?? [];
  });
  return { messages, outcome, fault, isStranger };
}
