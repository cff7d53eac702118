export type { Trusted } from "./exported-log.ts";
export { exportNames, verifyExport } from "./exported-log.ts";
