export type { Archive, ArchiveParts, DataSetHeader, Receiving, StoredInstance } from "./archive.ts";
export { createArchive } from "./archive.ts";
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
  RejectionHeld,
  SeriesHeld,
  StudyHeld,
} from "./blind-store.ts";
export type { CompactedStore, Compaction, CompactionSummary } from "./compaction.ts";
export { createCompaction } from "./compaction.ts";
export type { DiscardConflict } from "./conflicts.ts";
export { createConflictDiscard } from "./conflicts.ts";
export type { CurrentBytes, HeaderEditing } from "./corrected-bytes.ts";
export { editedBytes, editedDataSet } from "./corrected-bytes.ts";
export type { HeaderChange, NewTexts } from "./corrected-header.ts";
export { elementEdits, headerEdits } from "./corrected-header.ts";
export type { NewValues, PatientRef, Reason } from "./corrected-values.ts";
export { fitsVr } from "./corrected-values.ts";
export type { Corrected, CorrectionActs } from "./corrections.ts";
export type { Disclosure, DisclosureChoice, Disclosures, Look } from "./disclosures.ts";
export { createDisclosures } from "./disclosures.ts";
export type { BulkChoice, BulkExport, Exporting, ExportPlan, GivenStudy } from "./exporting.ts";
export { createExporting } from "./exporting.ts";
export type { HeldImage, HeldInstance } from "./held-instance.ts";
export type { Arriving, ArrivingInstance } from "./intake.ts";
export { exactKey, levelOf } from "./matching.ts";
export { combineDateTimes, type MatchingManner, readMatches, wordPatterns, wordsOf } from "./matching-text.ts";
export { type Inspection, inspect } from "./passing-values.ts";
export type { FindPatients, PatientRow, PatientSearch, RelatedCounts } from "./patient-search.ts";
export type { AskedPatient } from "./patient-tokens.ts";
export { patientsOf } from "./patient-tokens.ts";
export { type CurrentInstance, currentOf, receivedBytes, wholeBytes } from "./proven-bytes.ts";
export type { ReadTarget } from "./read-target.ts";
export { heldAt, heldInItems } from "./received-values.ts";
export { endingOnce } from "./receiving.ts";
export { type RejectionTitle, rejectionTitles, takingBack } from "./rejection-notes.ts";
export type { RejectedRow, RejectionActs, RejectionReason } from "./rejections.ts";
export type { RetainedStudy, RetentionPolicy, RetentionRule } from "./retention.ts";
export { judgeRetention, parseRetention } from "./retention.ts";
export type { FactBox, FactFiles } from "./retention-fact-files.ts";
export { openFactFiles } from "./retention-fact-files.ts";
export type { Fact, Facts, StudyFates } from "./retention-facts.ts";
export { createStudyFates } from "./retention-facts.ts";
export type { Retention, RetentionParts, RetentionSummary } from "./retention-run.ts";
export { createRetention } from "./retention-run.ts";
export type { WitnessedTime } from "./retention-time.ts";
export { createWitnessedTime } from "./retention-time.ts";
export type { InstanceRow, ListedInstance, SeriesRow, StudyRow } from "./revealed-rows.ts";
export type { Scrub, ScrubbedStore, ScrubStatus } from "./scrub.ts";
export { createScrub } from "./scrub.ts";
export type { ScrubDamage, ScrubPass } from "./scrub-notes.ts";
export { createSeriesHeaders, type SeriesHeaders } from "./series-headers.ts";
export { inflatedSeries, instanceIn, instancesIn, jsonText } from "./series-json.ts";
export type { PurgedCopy, ShredCertificate, Shredding, ShredPlan } from "./shredding.ts";
export { createShredding } from "./shredding.ts";
export type {
  AddOutcome,
  Count,
  HeldUids,
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
  RejectedInstance,
  Rejection,
  SeriesBlob,
  StudyIndex,
} from "./study-index.ts";
export { searchable } from "./study-index.ts";
export type { RecoverySummary } from "./taking-in.ts";
