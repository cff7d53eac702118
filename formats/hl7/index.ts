/**
 * HL7 v2 messages, 2.1 to 2.8, as bytes (chapters 2 and 2A). Pure and synchronous, for the server and the browser. Nothing here throws
 * for what a sender has written.
 */
export {
  type Acknowledgment,
  type AcknowledgmentCode,
  type AcknowledgmentMode,
  type AcknowledgmentParts,
  acknowledge,
  acknowledgmentIn,
  acknowledgmentMode,
  codesFor,
} from "./acknowledge.ts";
export { type CharacterSet, characterSetOf } from "./character-sets.ts";
export { type Delimiters, usualDelimiters } from "./delimiters.ts";
export { type DescribedField, type DescribedSegment, describedMessage } from "./described.ts";
export { escapeText } from "./escapes.ts";
export { type Condition, conditions, type Fault, type Location } from "./faults.ts";
export { isNull, partOf, rawAt, repetitionsAt, segmentNamed, textAt, typeOf } from "./fields.ts";
export {
  type Message,
  type MessageLimits,
  messageLimits,
  type Reading,
  readMessage,
  type Segment,
  writeMessage,
} from "./message.ts";
export { type OrderState, type OrderStatus, orderStatusMessage } from "./order-status.ts";
export type { Code, Envelope, OutgoingPatient, Party } from "./outgoing.ts";
export { type Report, type ReportItem, resultMessage } from "./results.ts";
export {
  type Address,
  addressesAt,
  type Identifier,
  identifiersAt,
  type Moment,
  momentOf,
  momentText,
  type PersonName,
  personNamesAt,
  providerNamesAt,
} from "./values.ts";
