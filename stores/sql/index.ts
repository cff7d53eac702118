export type { HomeLock } from "./home-lock.ts";
export { lockHome } from "./home-lock.ts";
export { openLogIndex } from "./log-index.ts";
export type { AccessDatabase, DatabasePlace, IndexDatabase } from "./open.ts";
export { openAccessDatabase, openIndexDatabase } from "./open.ts";
export type { IndexedParcel, IndexedSegment, SpoolChange, SpoolIndex, SpoolTotals } from "./spool-index.ts";
export { openSpoolIndex } from "./spool-index.ts";
