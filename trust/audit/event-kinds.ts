import type { AuditEntry } from "./audit.ts";

/** The 15 message types of DICOM PS3.15 §A.5.3. */
export type MessageType =
  | "application-activity"
  | "audit-log-used"
  | "begin-transferring"
  | "data-export"
  | "data-import"
  | "instances-accessed"
  | "instances-transferred"
  | "study-deleted"
  | "network-entry"
  | "order-record"
  | "patient-record"
  | "procedure-record"
  | "query"
  | "security-alert"
  | "user-authentication";

/** Create, read, update, delete, execute (PS3.15 Table A.5.2-1). */
export type EventAction = "C" | "R" | "U" | "D" | "E";

/** A code of the DICOM Controlled Terminology with its meaning (PS3.16 Annex D). */
export interface DicomCode {
  readonly code: string;
  readonly meaning: string;
}

/** What an act is in the words of the standards that an entry is rendered in. */
export interface EventKind {
  readonly message: MessageType;
  readonly action: EventAction;
  /** The kind of start, sign-in or alert, where the message type has several (EventTypeCode). */
  readonly detail?: DicomCode;
}

/** EventID of each message type (PS3.15 §A.5.3, codes of PS3.16 CID 400). */
export const messageCodes: Readonly<Record<MessageType, DicomCode>> = {
  "application-activity": { code: "110100", meaning: "Application Activity" },
  "audit-log-used": { code: "110101", meaning: "Audit Log Used" },
  "begin-transferring": { code: "110102", meaning: "Begin Transferring DICOM Instances" },
  "instances-accessed": { code: "110103", meaning: "DICOM Instances Accessed" },
  "instances-transferred": { code: "110104", meaning: "DICOM Instances Transferred" },
  "study-deleted": { code: "110105", meaning: "DICOM Study Deleted" },
  "data-export": { code: "110106", meaning: "Export" },
  "data-import": { code: "110107", meaning: "Import" },
  "network-entry": { code: "110108", meaning: "Network Entry" },
  "order-record": { code: "110109", meaning: "Order Record" },
  "patient-record": { code: "110110", meaning: "Patient Record" },
  "procedure-record": { code: "110111", meaning: "Procedure Record" },
  query: { code: "110112", meaning: "Query" },
  "security-alert": { code: "110113", meaning: "Security Alert" },
  "user-authentication": { code: "110114", meaning: "User Authentication" },
};

const kind = (message: MessageType, action: EventAction, detail?: DicomCode): EventKind => ({
  message,
  action,
  ...(detail && { detail }),
});
const alert = (code: string, meaning: string) => kind("security-alert", "E", { code, meaning });

const login = kind("user-authentication", "E", { code: "110122", meaning: "Login" });
const logout = kind("user-authentication", "E", { code: "110123", meaning: "Logout" });
const query = kind("query", "E");
const accessed = (action: EventAction) => kind("instances-accessed", action);
const logUsed = kind("audit-log-used", "R");
const patientChanged = kind("patient-record", "U");
const networkConfiguration = alert("110128", "Network Configuration");
const securityConfiguration = alert("110129", "Security Configuration");
const softwareConfiguration = alert("110131", "Software Configuration");
const restrictedFunction = alert("110132", "Use of Restricted Function");
const objectSecurity = alert("110135", "Object Security Attributes Changed");
const rolesChanged = alert("110136", "Security Roles Changed");
const userSecurity = alert("110137", "User security Attributes Changed");
const localService = alert("110141", "Local Service Operation Started");

/** Every act that the log knows, as an event. The one table, for every rendering; a test holds it against the acts there are. */
const kinds: Readonly<Record<string, EventKind>> = {
  "message.receive": kind("order-record", "U"),
  "association.open": kind("network-entry", "E", { code: "110124", meaning: "Attach" }),
  "association.identify": login,
  "dicom.echo": alert("110126", "Node Authentication"),
  "instance.store": kind("instances-transferred", "C"),
  "instance.flag": objectSecurity,
  "upload.begin": kind("begin-transferring", "E"),
  "study.search": query,
  "study.view": accessed("R"),
  // The entry is written when the work begins: how much went out is not known then.
  "study.read": kind("begin-transferring", "E"),
  "study.send": kind("data-export", "R"),
  "study.route": kind("data-export", "R"),
  "transfer.carry": kind("begin-transferring", "E"),
  "transfer.read": restrictedFunction,
  "transfer.steer": restrictedFunction,
  "destination.read": restrictedFunction,
  "archive.query": query,
  "archive.fetch": kind("data-import", "C"),
  "migration.read": restrictedFunction,
  "migration.write": restrictedFunction,
  "migration.carry": kind("data-import", "C"),
  "migration.identify": accessed("R"),
  "commitment.request": restrictedFunction,
  "commitment.report": accessed("R"),
  "commitment.answer": restrictedFunction,
  "study.announce": accessed("R"),
  "result.announce": accessed("R"),
  "step.announce": kind("procedure-record", "R"),
  "message.send": kind("data-export", "R"),
  "message.list": restrictedFunction,
  "message.read": kind("order-record", "R"),
  "message.steer": restrictedFunction,
  "study.watch": query,
  "series.summarise": accessed("R"),
  "worklist.read": query,
  "worklist.write": kind("procedure-record", "U"),
  "step.perform": kind("procedure-record", "U"),
  "step.read": kind("procedure-record", "R"),
  "work-item.read": query,
  "work-item.write": kind("procedure-record", "U"),
  "work-item.perform": kind("procedure-record", "U"),
  "study.correct": kind("procedure-record", "U"),
  "patient.correct": patientChanged,
  "patient.merge": patientChanged,
  "study.move": patientChanged,
  // Hidden, not destroyed.
  "study.reject": accessed("U"),
  "phantom.load": kind("data-import", "C"),
  "status.read": restrictedFunction,
  "actor.release": userSecurity,
  "audit.read": logUsed,
  "audit.export": logUsed,
  "audit.reveal": logUsed,
  "saved-view.read": restrictedFunction,
  "saved-view.write": restrictedFunction,
  "disclosure.read": logUsed,
  "review.read": logUsed,
  "review.decide": restrictedFunction,
  "patient.mark": objectSecurity,
  "device.read": restrictedFunction,
  "device.write": networkConfiguration,
  "device.call": kind("network-entry", "E", { code: "110124", meaning: "Attach" }),
  "route.read": restrictedFunction,
  "route.write": networkConfiguration,
  "edge.read": restrictedFunction,
  "edge.write": networkConfiguration,
  "edge.revoke": networkConfiguration,
  "edge.change-key": objectSecurity,
  "edge.enrol": networkConfiguration,
  "edge.connect": kind("network-entry", "E", { code: "110124", meaning: "Attach" }),
  "edge.ask": alert("110126", "Node Authentication"),
  "edge.renew": networkConfiguration,
  "edge.report": restrictedFunction,
  "link.read": restrictedFunction,
  "link.enrol": networkConfiguration,
  "link.renew": networkConfiguration,
  "parcel.again": restrictedFunction,
  "parcel.drop": accessed("D"),
  "client.read": restrictedFunction,
  "client.write": userSecurity,
  "client.token": login,
  "token.issue": login,
  "app.authorise": userSecurity,
  "launch.make": restrictedFunction,
  "grant.read": restrictedFunction,
  "grant.write": rolesChanged,
  "facility.read": restrictedFunction,
  "facility.write": softwareConfiguration,
  "tenant.list": restrictedFunction,
  "tenant.add": softwareConfiguration,
  "tenant.remove": softwareConfiguration,
  "account.create": userSecurity,
  "account.confirm": userSecurity,
  "account.invite": userSecurity,
  "account.read": restrictedFunction,
  "identity-provider.read": restrictedFunction,
  "identity-provider.write": userSecurity,
  "account.describe": userSecurity,
  "account.remove": userSecurity,
  "account.recover": userSecurity,
  "session.begin": login,
  "session.read": restrictedFunction,
  "session.end": logout,
  "session.prove": login,
  "session.watch": restrictedFunction,
  "session.list": restrictedFunction,
  "session.close": logout,
  "credential.read": restrictedFunction,
  "credential.write": userSecurity,
  "confirmation.request": restrictedFunction,
  "confirmation.read": restrictedFunction,
  "confirmation.confirm": restrictedFunction,
  "confirmation.refuse": restrictedFunction,
  "confirmation.withdraw": restrictedFunction,
  "glass.break": alert("110127", "Emergency Override Started"),
  "share.make": objectSecurity,
  "share.read": restrictedFunction,
  "share.end": objectSecurity,
  "study.shred": kind("study-deleted", "D"),
  "patient.shred": kind("patient-record", "D"),
  "archive.export": kind("data-export", "R"),
  "root.change": securityConfiguration,
  "recovery-kit.make": securityConfiguration,
  "study.retain": accessed("R"),
  "study.delete": kind("study-deleted", "D"),
  "study.hold": objectSecurity,
  "study.release": objectSecurity,
  "study.held": query,
  "instance.discard": accessed("D"),
  "clock.confirm": securityConfiguration,
  "vault.scrub": localService,
  "vault.compact": localService,
  "vault.check": localService,
  "vault.rebuild": localService,
  "vault.rotate": securityConfiguration,
  "vault.recover": securityConfiguration,
  "vault.backup": localService,
  "vault.backup.read": localService,
  "vault.restore": localService,
  "system.start": kind("application-activity", "E", { code: "110120", meaning: "Application Start" }),
  "system.stop": kind("application-activity", "E", { code: "110121", meaning: "Application Stop" }),
  // Identity was opened, for this: trust/vault writes these.
  "identity.search": accessed("R"),
  "identity.read": accessed("R"),
  "identity.summary": accessed("R"),
  "identity.export": kind("data-export", "R"),
  "identity.correction": accessed("U"),
  "identity.deletion": accessed("R"),
};

/** The acts that have a row of their own. */
export const actsWithKind: readonly string[] = Object.keys(kinds);

/**
 * What an entry is. One that was refused is a security alert whatever it would have been (PS3.15 §A.5.3.10 note 1), but for a
 * sign-in, whose message type has failures of its own. An act of another version, which has no row, is the use of a function.
 */
export function eventKindOf({ act, outcome }: Pick<AuditEntry, "act" | "outcome">): EventKind {
  const found = Object.hasOwn(kinds, act) ? kinds[act] : undefined;
  if (found === undefined) return restrictedFunction;
  const isRefusal =
    outcome === "refused" && found.message !== "user-authentication" && found.message !== "security-alert";
  return isRefusal ? restrictedFunction : found;
}

/** EventOutcomeIndicator, the same in FHIR: 4 the caller may try another way, 8 the act ended in a failure (Table A.5.2-1). */
export const outcomeCodes: Readonly<Record<AuditEntry["outcome"], "0" | "4" | "8">> = {
  done: "0",
  refused: "4",
  failed: "8",
};
