export { newToken, newUid } from "./identifiers.ts";
export type { Random } from "./random.ts";
export { seededRandom, systemRandom } from "./random.ts";
