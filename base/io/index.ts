export type { Files, OpenFile, OpenMode } from "./files.ts";
export { systemFiles } from "./system-files.ts";
