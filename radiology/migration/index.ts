export type { Counts, Job, MigrationSpec, MigrationState, Trouble } from "./job.ts";
export type { MigrationParts, MigrationStanding, Migrations } from "./migration.ts";
export { createMigrations } from "./migration.ts";
export { keysOf, type Window } from "./plan.ts";
export { type MigrationProgress, progressOf } from "./progress.ts";
export type { MigrationReport } from "./report.ts";
export type { Contents, ListedSeries, ListedStudy, Source, Wanted } from "./source.ts";
