export type { PackOptions } from "./packs.ts";
export { createPacks } from "./packs.ts";
