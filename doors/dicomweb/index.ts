export { createDicomwebDoor } from "./dicomweb-door.ts";
export type { DicomwebParts, Implementation } from "./parts.ts";
export type { PictureRequest, PixelWork } from "./pixel-work.ts";
