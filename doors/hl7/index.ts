export { type Answers, answersTo } from "./answers.ts";
export { dataSetOf } from "./dicom-values.ts";
export {
  createHl7Door,
  type Hl7Door,
  type Hl7DoorOptions,
  type Hl7Limits,
  type Hl7Listener,
  hl7Limits,
} from "./door.ts";
export type {
  AnsweredMessage,
  Connection,
  Incoming,
  OrderAmendment,
  OrderNumbers,
  PartnerClaim,
  PartnerServices,
  Partners,
  PatientId,
  ShownCertificates,
} from "./ports.ts";
export {
  connectPlainly,
  createHl7Sender,
  type Hl7Sender,
  type Hl7SenderLimits,
  type Hl7SenderOptions,
  type SentAnswer,
} from "./sender.ts";
