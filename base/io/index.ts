export type { CrashState, Unsynced } from "./crash-state.ts";
export { crashState } from "./crash-state.ts";
export type { Fault, FaultPlan, FileCall } from "./faulty-files.ts";
export { createFaultyFiles } from "./faulty-files.ts";
export type { Files, OpenFile, OpenMode } from "./files.ts";
export { systemFiles } from "./system-files.ts";
export type { DiskImage, TracedFiles, TraceStep } from "./traced-files.ts";
export { createTracedFiles } from "./traced-files.ts";
