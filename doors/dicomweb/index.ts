export { createAliases } from "./aliases.ts";
export { createDicomwebDoor } from "./dicomweb-door.ts";
export type { DicomwebParts } from "./parts.ts";
export { searchControls } from "./search-query.ts";
export { FailureReason } from "./store-outcome.ts";
