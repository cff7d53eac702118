export type { Server } from "./audit-event.ts";
export type { FhirParts } from "./fhir-door.ts";
export { createFhirDoor } from "./fhir-door.ts";
