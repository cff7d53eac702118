export { createMemoryAccessStore } from "./access-store.ts";
export { createMemoryBlindStore } from "./blind-store.ts";
export { createMemoryEntryStore } from "./entry-store.ts";
export type { Failing } from "./failing.ts";
export { withFailures } from "./failing.ts";
export { createMemoryKeyStore } from "./key-store.ts";
export { createMemoryRoot } from "./root-key.ts";
export type { MemorySealedObjects } from "./sealed-objects.ts";
export { createMemorySealedObjects } from "./sealed-objects.ts";
