export type {
  Archive,
  ArchiveParts,
  DataSetHeader,
  HeldInstance,
  ReadTarget,
  Receiving,
  RecoverySummary,
  StoredInstance,
} from "./archive.ts";
export { createArchive } from "./archive.ts";
export type { Condition, KeyValue, PatternPart, SearchKey, Test } from "./matching.ts";
export { absentNumber, conditionOf, exactKey, keysOf, levelOf, sortKeysOf } from "./matching.ts";
export type {
  AddOutcome,
  IndexedValues,
  InstanceRecord,
  InstanceRow,
  Level,
  ListedInstance,
  Match,
  PackMark,
  Query,
  SeriesBlob,
  SeriesRow,
  StudyIndex,
  StudyRow,
} from "./study-index.ts";
export { searchable } from "./study-index.ts";
