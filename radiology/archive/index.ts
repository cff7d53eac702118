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
