export type { BackupParts, BackupReport, BackupRequest } from "./backup.ts";
export { refreshBackupKeys, takeBackup } from "./backup.ts";
export type { KnownBackup, KnownBackups } from "./known.ts";
export { createKnownBackups } from "./known.ts";
export { backupIdIn } from "./medium.ts";
export type { RestoreReport, RestoreRequest } from "./restore.ts";
export { restoreBackup, waitingFolder } from "./restore.ts";
export type { BackupSources, GrowingFile, GrowingFolder, KeySource, LogSource, StateSource } from "./sources.ts";
export type { Loss } from "./verify.ts";
