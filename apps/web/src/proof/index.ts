export type { CheckedProof, CheckedStep, GivenProof, ShownEntry, Trusted } from "./check-entry.ts";
export { checkEntry, sizeOfKept } from "./check-entry.ts";
