export { openLastingSpool } from "./lasting.ts";
export type { SpoolOptions } from "./spool.ts";
export { openSpool } from "./spool.ts";
