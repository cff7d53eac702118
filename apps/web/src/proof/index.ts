export type { CheckedProof, CheckedStep, GivenProof, Trusted } from "./check-entry.ts";
export { checkEntry, sizeOfKept } from "./check-entry.ts";
