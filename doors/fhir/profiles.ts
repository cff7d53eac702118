import type { EventKind, FoundEntry } from "#trust/audit";
import type { Coding } from "./resources.ts";

/** What was done with a resource (http://hl7.org/fhir/restful-interaction). */
export type Interaction = "create" | "read" | "update" | "delete" | "search";

/**
 * How an entry is told: as an act on a resource (IHE BALP), as a disclosure (IHE BALP), or by the code of DICOM alone. A pattern of BALP
 * is claimed only for an act that succeeded; that of an authorization decision never, since it demands a patient's consent.
 */
export interface Telling {
  readonly interaction?: Interaction;
  readonly isDisclosure: boolean;
  readonly profile?: string;
}

const balp = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.";
const disclosure = `${balp}PrivacyDisclosure.Source`;
const patterns = { create: "Create", read: "Read", update: "Update", delete: "Delete", search: "Query" } as const;
const ofPatients = ["create", "read", "update", "delete"] as const;

/** Every pattern that an entry may be told by. */
export const profiles: readonly string[] = [
  ...Object.values(patterns).map((pattern) => balp + pattern),
  ...ofPatients.map((interaction) => `${balp}Patient${patterns[interaction]}`),
  disclosure,
];

const onResources = new Set<EventKind["message"]>([
  "instances-accessed",
  "instances-transferred",
  "study-deleted",
  "order-record",
  "patient-record",
  "procedure-record",
  "audit-log-used",
]);
const interactions: Readonly<Record<EventKind["action"], Interaction | undefined>> = {
  C: "create",
  R: "read",
  U: "update",
  D: "delete",
  E: undefined,
};

function interactionOf({ message, action }: EventKind): Interaction | undefined {
  if (message === "query") return "search";
  if (message === "begin-transferring") return "read";
  return onResources.has(message) ? interactions[action] : undefined;
}

export function tellingOf(entry: FoundEntry, kind: EventKind): Telling {
  const interaction = interactionOf(kind);
  const isDisclosure = kind.message === "data-export" && entry.outcome === "done";
  if (isDisclosure) return { isDisclosure, profile: disclosure };
  if (interaction === undefined) return { isDisclosure };
  if (entry.outcome !== "done") return { interaction, isDisclosure };
  const isOfPatient = entry.on?.kind === "patient" && interaction !== "search";
  return { interaction, isDisclosure, profile: `${balp}${isOfPatient ? "Patient" : ""}${patterns[interaction]}` };
}

/** What each side is in an act (the BALP patterns, of which client and server are given by PS3.15 as source and destination of data). */
export interface AgentTypes {
  readonly client: Coding;
  readonly server: Coding;
  readonly user: Coding;
}

const dcm = (code: string, display: string): Coding => ({
  system: "http://dicom.nema.org/resources/ontology/DCM",
  code,
  display,
});
const participation = (code: string, display: string): Coding => ({
  system: "http://terminology.hl7.org/CodeSystem/v3-ParticipationType",
  code,
  display,
});
const source = dcm("110153", "Source Role ID");
const destination = dcm("110152", "Destination Role ID");
const application = dcm("110150", "Application");
const recipient = participation("IRCP", "information recipient");
const author = participation("AUT", "author (originator)");

const agentTypes: Readonly<Record<Interaction, AgentTypes>> = {
  search: { client: source, server: destination, user: recipient },
  read: { client: destination, server: source, user: recipient },
  create: { client: source, server: destination, user: author },
  update: { client: source, server: destination, user: author },
  delete: {
    client: application,
    server: {
      system: "http://terminology.hl7.org/CodeSystem/provenance-participant-type",
      code: "custodian",
      display: "Custodian",
    },
    user: author,
  },
};

export function agentTypesOf({ interaction, isDisclosure }: Telling): AgentTypes {
  if (interaction !== undefined) return agentTypes[interaction];
  if (isDisclosure) return { client: destination, server: source, user: recipient };
  return { client: source, server: application, user: recipient };
}
