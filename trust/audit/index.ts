export type { AddCheckpoint } from "./add-checkpoint.ts";
export { addCheckpointBytesMost, writeAddCheckpoint } from "./add-checkpoint.ts";
export type {
  AuditEntry,
  AuditLog,
  AuditSubject,
  Checkpoint,
  EntryDetail,
  NewEntry,
  RevealedDetail,
} from "./audit.ts";
export { splitNotes } from "./checkpoint.ts";
export type { DetailStore, SealedDetail } from "./detail-store.ts";
export type { DetailParts } from "./details.ts";
export type { Verify } from "./ed25519.ts";
export { signingKey, verifyingKey } from "./ed25519.ts";
export type { EntryIndex, IndexedEntry, IndexMark, StudiesInHour } from "./entry-index.ts";
export type { EntryStore } from "./entry-store.ts";
export type { DicomCode, EventAction, EventKind, MessageType } from "./event-kinds.ts";
export { actsWithKind, eventKindOf, messageCodes, outcomeCodes } from "./event-kinds.ts";
export type { FoundEntry, FoundPage, LogCriteria, LogFinder } from "./finder.ts";
export { createLogFinder, isOfActs } from "./finder.ts";
export type { KeptFinder } from "./kept-finder.ts";
export { createKeptFinder } from "./kept-finder.ts";
export { studiesMost } from "./line.ts";
export type { AuditLogParts } from "./log.ts";
export { createAuditLog } from "./log.ts";
export type { CosignatureVerifier, Cosigner } from "./note.ts";
export { createCosignatureVerifier, createCosigner } from "./note.ts";
export type { ProvenEntry } from "./proven-entry.ts";
export { openProvenEntry, proveEntry } from "./proven-entry.ts";
export { leafHash, verifyConsistency, verifyInclusion } from "./tree.ts";
export type { ExportedLog, LogVerdict } from "./verify.ts";
export { verifyLog } from "./verify.ts";
export type { Witness, WitnessAnswer } from "./witness.ts";
export { createWitness } from "./witness.ts";
export type { WitnessRecord } from "./witness-record.ts";
export { createWitnessRecord } from "./witness-record.ts";
