export { helpFor, parseFor } from "./arguments.ts";
export type { Trusted } from "./exported-log.ts";
export { verifyExport } from "./exported-log.ts";
