export { createDicomwebDoor } from "./dicomweb-door.ts";
export type { DicomwebParts } from "./parts.ts";
