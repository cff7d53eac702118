export type { AuditEntry, AuditLog, AuditSubject, Checkpoint } from "./audit.ts";
