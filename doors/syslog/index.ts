export type { AuditEvent, AuditSource, Patient } from "./audit-message.ts";
export { auditMessages, eventOf } from "./audit-message.ts";
export type { Collector } from "./collector.ts";
export type { SyslogNames } from "./frame.ts";
export type { SyslogParts, SyslogSender, SyslogState } from "./sender.ts";
export { startSyslogSender } from "./sender.ts";
