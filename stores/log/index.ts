export { openEntryFiles } from "./entry-files.ts";
