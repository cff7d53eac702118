export type { DisplayAttributes, LookupTable, VoiFunction, Window } from "./attributes.ts";
export { readLookupTable, readSegmentedTable } from "./lookup-table.ts";
export type { RenderableFrame, RenderOptions } from "./render.ts";
export { renderFrame } from "./render.ts";
export type { Picture, Viewport } from "./resize.ts";
export { resizePicture } from "./resize.ts";
