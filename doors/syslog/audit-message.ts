import { type AuditEntry, type DicomCode, type EventKind, eventKindOf, messageCodes, outcomeCodes } from "#trust/audit";
import { type XmlElement, xmlOf } from "./xml.ts";

/** An event to be told: an entry of the log with what somebody who may has added to it, or one that has no entry. */
export interface AuditEvent extends Omit<AuditEntry, "on"> {
  /** What `on` is may be a word of another folder than the log's, such as an order. */
  readonly on?: { readonly kind: string; readonly id: string };
  readonly kind: EventKind;
  /** Number of the entry. */
  readonly index?: number;
  /** Whose data it is, told by a caller who has revealed it. Absent: the log knows no patient, and the message says so. */
  readonly patients?: readonly Patient[];
  /** Of the actor, from a caller who knows it. */
  readonly userName?: string;
  /** IP address of the actor, where it is known. */
  readonly address?: string;
}

export interface Patient {
  readonly id: string;
  readonly name?: string;
}

/** Who tells it. */
export interface AuditSource {
  /** Name of the log, as in its checkpoints. */
  readonly log: string;
  readonly aeTitle: string;
}

/** An entry as the event that it is. */
export function eventOf(entry: AuditEntry, index: number): AuditEvent {
  return { ...entry, index, kind: eventKindOf(entry) };
}

/**
 * The messages of an event (PS3.15 §A.5), as XML: mostly one. A message of most types speaks of one patient's data, and studies
 * may be of several patients, so an event on several studies is told study by study.
 */
export function auditMessages(event: AuditEvent, source: AuditSource): string[] {
  const studies = studiesOf(event);
  const parts = studies.length > 1 && !toldTogether.has(event.kind.message) ? studies.map((each) => [each]) : [studies];
  return parts.map((part) => xmlOf(messageOf(event, part, source)));
}

/** Types that may speak of many patients, or of none. */
const toldTogether = new Set(["application-activity", "network-entry", "user-authentication", "audit-log-used"]);

function studiesOf({ on, studies = [] }: AuditEvent): string[] {
  return [...new Set([...(on?.kind === "study" ? [on.id] : []), ...studies])];
}

/** Elements and attributes as in the schema of §A.5.1.1. */
function messageOf(event: AuditEvent, studies: readonly string[], source: AuditSource): XmlElement {
  const { kind, at, outcome, index } = event;
  const { code, meaning } = messageCodes[kind.message];
  const told = [
    outcome,
    ...(event.purpose === undefined ? [] : [`for ${event.purpose}`]),
    ...(index === undefined ? [] : [`entry ${index} of ${source.log}`]),
    ...(event.detail === undefined ? [] : [`commitment ${event.detail}`]),
  ];
  return {
    name: "AuditMessage",
    children: [
      {
        name: "EventIdentification",
        attributes: {
          EventActionCode: kind.action,
          EventDateTime: new Date(at).toISOString(),
          EventOutcomeIndicator: outcomeCodes[outcome],
        },
        children: [
          coded("EventID", code, meaning),
          ...(kind.detail ? [coded("EventTypeCode", kind.detail.code, kind.detail.meaning)] : []),
          coded("EventTypeCode", event.act, event.act, ourCodes),
          { name: "EventOutcomeDescription", text: told.join("; ") },
        ],
      },
      ...participantsOf(event, source),
      { name: "AuditSourceIdentification", attributes: { AuditSourceID: source.log }, children: [applicationServer] },
      ...objectsOf(event, studies, source),
    ],
  };
}

const ourCodes = "99LEADGLASS";
const applicationServer: XmlElement = { name: "AuditSourceTypeCode", attributes: { "csd-code": "4" } };

function coded(name: string, code: string, meaning: string, system = "DCM"): XmlElement {
  return { name, attributes: { "csd-code": code, codeSystemName: system, originalText: meaning } };
}

const sourceRole: DicomCode = { code: "110153", meaning: "Source Role ID" };
const destinationRole: DicomCode = { code: "110152", meaning: "Destination Role ID" };

/** Roles that the tables of §A.5.3 demand, of who asked and of us. No role: none is demanded. */
interface Roles {
  readonly actor?: DicomCode;
  readonly us?: DicomCode;
  /** The table knows no second participant. */
  readonly isAlone?: boolean;
}

const rolesOf: Readonly<Partial<Record<EventKind["message"], Roles>>> = {
  "application-activity": {
    actor: { code: "110151", meaning: "Application Launcher" },
    us: { code: "110150", meaning: "Application" },
  },
  "begin-transferring": { actor: destinationRole, us: sourceRole },
  "instances-transferred": { actor: sourceRole, us: destinationRole },
  "data-export": { actor: destinationRole, us: sourceRole },
  "data-import": { actor: destinationRole, us: destinationRole },
  query: { actor: sourceRole, us: destinationRole },
  "network-entry": { isAlone: true },
};

function participantsOf(event: AuditEvent, source: AuditSource): XmlElement[] {
  const { message } = event.kind;
  const { actor: actorRole, us: ourRole, isAlone = false } = rolesOf[message] ?? {};
  const actor = participant(event.actor, {
    // Who enters a network is a machine, and no requestor (Table A.5.3.9-1).
    requestor: !isAlone,
    role: actorRole,
    name: event.userName,
    address: event.address,
  });
  const us = participant(processName, { role: ourRole, aeTitle: source.aeTitle });
  const media = message === "data-export" || message === "data-import" ? [mediaOf(message)] : [];
  return isAlone ? [actor] : [actor, us, ...media];
}

const processName = "leadglass";

interface ParticipantFields {
  readonly requestor?: boolean;
  readonly role?: DicomCode | undefined;
  readonly name?: string | undefined;
  readonly address?: string | undefined;
  readonly aeTitle?: string;
}

function participant(id: string, { requestor = false, role, name, address, aeTitle }: ParticipantFields): XmlElement {
  return {
    name: "ActiveParticipant",
    attributes: {
      UserID: id,
      AlternativeUserID: aeTitle && `AETITLES=${aeTitle}`,
      UserName: name,
      UserIsRequestor: String(requestor),
      NetworkAccessPointID: address,
      NetworkAccessPointTypeCode: address && "2",
    },
    children: role ? [coded("RoleIDCode", role.code, role.meaning)] : [],
  };
}

/** Data went to files that the operator carries away, or came from files (CID 405 has no word for these but URI). */
function mediaOf(message: "data-export" | "data-import"): XmlElement {
  const role = message === "data-export" ? ["110154", "Destination Media"] : ["110155", "Source Media"];
  return {
    name: "ActiveParticipant",
    attributes: { UserID: "urn:leadglass:files", UserIsRequestor: "false" },
    children: [
      coded("RoleIDCode", role[0] ?? "", role[1] ?? ""),
      { name: "MediaIdentifier", children: [coded("MediaType", "110037", "URI")] },
    ],
  };
}

/** Types in whose messages the patient stands (§A.5.3), and whether studies do. */
const patientWithStudies = new Set<EventKind["message"]>([
  "begin-transferring",
  "data-export",
  "data-import",
  "instances-accessed",
  "instances-transferred",
  "study-deleted",
  "procedure-record",
]);
const patientAlone = new Set<EventKind["message"]>(["order-record", "patient-record"]);

function objectsOf(event: AuditEvent, studies: readonly string[], source: AuditSource): XmlElement[] {
  const { message } = event.kind;
  if (message === "audit-log-used") return [auditLogObject(source)];
  if (message === "query") return [queryObject(event)];
  if (message === "security-alert") return alertSubjects(event, studies);
  const withStudies = patientWithStudies.has(message);
  if (!withStudies && !patientAlone.has(message)) return [];
  const others = event.on && !["study", "patient"].includes(event.on.kind) ? [otherObject(event.on)] : [];
  return [...(withStudies ? studies.map(studyObject) : []), ...others, ...patientsOf(event)];
}

/** The log holds no patient IDs: the token of the patient, where the entry has it, what a caller has added, or that it is withheld. */
function patientsOf({ on, patients }: AuditEvent): XmlElement[] {
  const known = patients ?? (on?.kind === "patient" ? [{ id: on.id }] : [{ id: "withheld" }]);
  return known.map(({ id, name }: Patient) =>
    participantObject({ id, type: "1", role: "1", idType: rfc3881("2", "Patient Number"), name: name ?? "withheld" }),
  );
}

/** By its token, under the code of a Study Instance UID, as the tables demand; a token is no UID and cannot be taken for one. */
function studyObject(token: string): XmlElement {
  const idType = coded("ParticipantObjectIDTypeCode", "110180", "Study Instance UID");
  return participantObject({ id: token, type: "2", role: "3", idType, name: "study, by its token" });
}

function auditLogObject({ log }: AuditSource): XmlElement {
  return participantObject({
    id: `https://${log}`,
    type: "2",
    role: "13",
    idType: rfc3881("12", "URI"),
    name: "Security Audit Log",
  });
}

/** What was asked for may name a patient: it is not in the log, and stays away. */
function queryObject({ act, on }: AuditEvent): XmlElement {
  return {
    name: "ParticipantObjectIdentification",
    attributes: {
      ParticipantObjectID: on?.id ?? act,
      ParticipantObjectTypeCode: "2",
      ParticipantObjectTypeCodeRole: "3",
    },
    children: [rfc3881("10", "Search Criteria"), { name: "ParticipantObjectQuery" }, detail("query", "withheld")],
  };
}

function alertSubjects({ act, on }: AuditEvent, studies: readonly string[]): XmlElement[] {
  const subjects = [...studies.map((id) => ({ kind: "study", id })), ...(on && on.kind !== "study" ? [on] : [])];
  return subjects.map((subject) => otherObject(subject, act));
}

function otherObject(on: { readonly kind: string; readonly id: string }, description?: string): XmlElement {
  const idType = coded("ParticipantObjectIDTypeCode", on.kind, on.kind, ourCodes);
  return participantObject({ id: on.id, type: "2", role: "13", idType, name: on.kind, description });
}

interface ObjectFields {
  readonly id: string;
  readonly type: "1" | "2";
  readonly role: string;
  readonly idType: XmlElement;
  readonly name: string;
  readonly description?: string | undefined;
}

function participantObject({ id, type, role, idType, name, description }: ObjectFields): XmlElement {
  return {
    name: "ParticipantObjectIdentification",
    attributes: { ParticipantObjectID: id, ParticipantObjectTypeCode: type, ParticipantObjectTypeCodeRole: role },
    children: [
      idType,
      { name: "ParticipantObjectName", text: name },
      ...(description === undefined ? [] : [detail("Alert Description", description)]),
    ],
  };
}

function rfc3881(code: string, meaning: string): XmlElement {
  return coded("ParticipantObjectIDTypeCode", code, meaning, "RFC-3881");
}

function detail(type: string, value: string): XmlElement {
  return { name: "ParticipantObjectDetail", attributes: { type, value: Buffer.from(value).toString("base64") } };
}
