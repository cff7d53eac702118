export type { AuditEvent, AuditSource, Patient } from "./audit-message.ts";
export { auditMessages, eventOf } from "./audit-message.ts";
