export type { AuditEntry, AuditLog, AuditSubject, Checkpoint } from "./audit.ts";
export { splitNotes } from "./checkpoint.ts";
export type { EntryStore } from "./entry-store.ts";
export { studiesMost } from "./line.ts";
export type { AuditLogParts } from "./log.ts";
export { createAuditLog } from "./log.ts";
export { leafHash, verifyConsistency, verifyInclusion } from "./tree.ts";
export type { ExportedLog, LogVerdict } from "./verify.ts";
export { verifyLog } from "./verify.ts";
