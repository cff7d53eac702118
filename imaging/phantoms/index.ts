/**
 * Made-up studies with plausible anatomy and noise, for the first look around, tests and measurements. Pure, and the same for
 * the same seed.
 */
export type { CompressFrame, FrameShape } from "./files.ts";
export { compressedPhantomFiles, ingestSlices, phantomFiles } from "./files.ts";
export type { PhantomPatient } from "./identity.ts";
export type { PhantomInstance, PhantomKind, PhantomOptions } from "./study.ts";
export { phantomStudy, phantomStudyUid } from "./study.ts";
