export type { Permits } from "./permits.ts";
export { createPermits } from "./permits.ts";
export type { KeyedTurns, Turns } from "./turns.ts";
export { createKeyedTurns, createTurns } from "./turns.ts";
