export type { Archive, ArchiveParts, DataSetHeader, ReadTarget, Receiving, StoredInstance } from "./archive.ts";
export { createArchive } from "./archive.ts";
export type { HeldImage, HeldInstance } from "./held-instance.ts";
export type { InstanceRow, ListedInstance, SeriesRow, StudyRow } from "./revealed-rows.ts";
export type { RecoverySummary } from "./taking-in.ts";
export type { BlindIndexParts } from "./blind-index.ts";
export { createBlindIndex } from "./blind-index.ts";
export type {
  BlindChange,
  BlindReads,
  BlindRows,
  BlindStore,
  Block,
  ConflictHeld,
  CopyHeld,
  InstanceHeld,
  SeriesHeld,
  StudyHeld,
} from "./blind-store.ts";
export { exactKey, levelOf } from "./matching.ts";
export type {
  AddOutcome,
  Count,
  IndexedInstance,
  IndexedSeries,
  IndexedStudy,
  IndexedValues,
  InstancePlaces,
  InstanceRecord,
  Level,
  ListedIndexedInstance,
  Match,
  Move,
  PackMark,
  Query,
  SeriesBlob,
  StudyIndex,
} from "./study-index.ts";
export { searchable } from "./study-index.ts";
