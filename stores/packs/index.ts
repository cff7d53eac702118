export type { PackOptions } from "./packs.ts";
export { createPacks } from "./packs.ts";
export type { SavedPack } from "./saving.ts";
export { packsToSave } from "./saving.ts";
