import { type EventKind, eventKindOf, type FoundEntry, messageCodes, outcomeCodes } from "#trust/audit";
import { agentTypesOf, type Telling, tellingOf } from "./profiles.ts";
import {
  type Agent,
  type AuditEventResource,
  absent,
  type Coding,
  concept,
  type Entity,
  type Reference,
} from "./resources.ts";

/** Who tells it. */
export interface Server {
  /** Name of the log, as in its checkpoints. */
  readonly log: string;
  /** Host name or address that it is reached by. */
  readonly host: string;
}

/** Codes of the acts, in `subtype`. */
export const actSystem = "urn:leadglass:act";

/** The name space of our tokens of one kind. A token means nothing elsewhere, and names nobody. */
export function tokenSystem({ log }: Server, kind: string): string {
  return `https://${log}/${kind}`;
}

/** What the `action` of an entry is told as: a whole study handed out is a read, though DICOM tells the beginning of a transfer. */
export function actionOf(entry: FoundEntry): string {
  const kind = eventKindOf(entry);
  return kind.message === "begin-transferring" ? "R" : kind.action;
}

/** An entry of the log as a resource; it holds what the entry holds: tokens, and no identity. */
export function auditEventOf(entry: FoundEntry, server: Server): AuditEventResource {
  const kind = eventKindOf(entry);
  const telling = tellingOf(entry, kind);
  const recorded = new Date(entry.at).toISOString();
  const entity = entitiesOf(entry, telling, server);
  const purpose = entry.purpose === undefined ? undefined : purposes[entry.purpose];
  return {
    resourceType: "AuditEvent",
    id: String(entry.index),
    meta: {
      versionId: "1",
      lastUpdated: recorded,
      ...(telling.profile !== undefined && { profile: [telling.profile] }),
    },
    ...typesOf(entry, kind, telling),
    action: actionOf(entry),
    recorded,
    outcome: outcomeCodes[entry.outcome],
    ...(purpose !== undefined && { purposeOfEvent: [concept(purpose)] }),
    agent: agentsOf(entry, telling, server),
    source: {
      observer: observerOf(server),
      type: [
        {
          system: "http://terminology.hl7.org/CodeSystem/security-source-type",
          code: "4",
          display: "Application Server",
        },
      ],
    },
    ...(entity.length > 0 && { entity }),
  };
}

const reason = (code: string, display: string): Coding => ({
  system: "http://terminology.hl7.org/CodeSystem/v3-ActReason",
  code,
  display,
});
/** The purposes that grants have, as HL7's purposes of use. */
const purposes: Readonly<Record<string, Coding>> = {
  treatment: reason("TREAT", "treatment"),
  payment: reason("HPAYMT", "healthcare payment"),
  operations: reason("HOPERAT", "healthcare operations"),
  research: reason("HRESCH", "healthcare research"),
  "patient-request": reason("PATRQT", "patient requested"),
  "break-glass": reason("BTG", "break the glass"),
};

function typesOf({ act }: FoundEntry, kind: EventKind, telling: Telling): Pick<AuditEventResource, "type" | "subtype"> {
  const dcm = (code: string, display: string): Coding => ({
    system: "http://dicom.nema.org/resources/ontology/DCM",
    code,
    display,
  });
  const event = dcm(messageCodes[kind.message].code, messageCodes[kind.message].meaning);
  const detail = kind.detail ? [dcm(kind.detail.code, kind.detail.meaning)] : [];
  const ours = { system: actSystem, code: act };
  if (telling.isDisclosure) {
    const disclose = { system: "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle", code: "disclose" };
    return { type: event, subtype: [disclose, ...detail, ours] };
  }
  if (telling.interaction === undefined) return { type: event, subtype: [...detail, ours] };
  const rest = {
    system: "http://terminology.hl7.org/CodeSystem/audit-event-type",
    code: "rest",
    display: "RESTful Operation",
  };
  const interaction = { system: "http://hl7.org/fhir/restful-interaction", code: telling.interaction };
  return { type: rest, subtype: [interaction, event, ...detail, ours] };
}

function observerOf(server: Server): Reference {
  return { identifier: { system: tokenSystem(server, "log"), value: server.log }, display: "Leadglass" };
}

/** Actors that are people, who came with some program: a browser, the command. */
const person = /^(user|share|setup|pair):|^operator$/;

function agentsOf({ actor }: FoundEntry, telling: Telling, server: Server): Agent[] {
  const types = agentTypesOf(telling);
  const who = { identifier: { system: tokenSystem(server, "actor"), value: actor } };
  const isPerson = person.test(actor);
  const client: Agent = {
    type: concept(types.client),
    who: isPerson ? { display: "the program that the person used" } : who,
    requestor: !isPerson,
    // The log holds no addresses.
    network: { extension: absent("unknown") },
  };
  const us: Agent = {
    type: concept(types.server),
    who: observerOf(server),
    requestor: false,
    network: { address: server.host, type: /^[\d.]+$|:/.test(server.host) ? "2" : "1" },
  };
  return [client, us, ...(isPerson ? [{ type: concept(types.user), who, requestor: true }] : [])];
}

const entityType = (code: string, display: string): Coding => ({
  system: "http://terminology.hl7.org/CodeSystem/audit-entity-type",
  code,
  display,
});
const objectRole = (code: string, display: string): Coding => ({
  system: "http://terminology.hl7.org/CodeSystem/object-role",
  code,
  display,
});
const systemObject = entityType("2", "System Object");
const report = objectRole("3", "Report");
const domainResource = objectRole("4", "Domain Resource");

/** The patterns know one object of the type System Object, which is what the act was on, or the query; other studies have a type of their own. */
function entitiesOf(entry: FoundEntry, telling: Telling, server: Server): Entity[] {
  const { on } = entry;
  const studies = [...new Set(entry.studies ?? [])].filter((study) => on?.kind !== "study" || on.id !== study);
  const patients = on?.kind === "patient" ? [patientEntity({ identifier: identifierOf(on, server) })] : [];
  if (telling.interaction === "search") {
    return [queryEntity, ...studyEntities(on?.kind === "study" ? [on.id, ...studies] : studies, server), ...patients];
  }
  const [first, ...others] = on === undefined ? studies.map((id) => ({ kind: "study", id })) : [on];
  const rest = on === undefined ? others.map(({ id }) => id) : studies;
  const demandsData = telling.interaction !== undefined || telling.isDisclosure;
  const subject = first ?? (demandsData ? { kind: "log", id: server.log } : undefined);
  if (telling.isDisclosure && patients.length === 0) patients.push(patientEntity({ extension: absent("masked") }));
  return [
    ...(subject === undefined ? [] : [dataEntity(entry, subject, server)]),
    ...studyEntities(rest, server),
    ...patients,
  ];
}

/** What was asked for may name a patient, and is not in the log. */
const queryEntity: Entity = {
  type: systemObject,
  role: objectRole("24", "Query"),
  _query: { extension: absent("masked") },
};

function identifierOf(on: { readonly kind: string; readonly id: string }, server: Server) {
  return { system: tokenSystem(server, on.kind), value: on.id };
}

function dataEntity(entry: FoundEntry, on: { readonly kind: string; readonly id: string }, server: Server): Entity {
  const detail = [
    ...Object.entries(entry.counts ?? {}).map(([type, count]) => ({ type, valueString: String(count) })),
    ...(entry.detail === undefined ? [] : [{ type: "commitment", valueString: entry.detail }]),
  ];
  return {
    what: { identifier: identifierOf(on, server) },
    type: systemObject,
    role: on.kind === "study" ? report : domainResource,
    ...(detail.length > 0 && { detail }),
  };
}

function studyEntities(studies: readonly string[], server: Server): Entity[] {
  return studies.map((id) => ({
    what: { type: "ImagingStudy", identifier: identifierOf({ kind: "study", id }, server) },
    type: { system: "http://hl7.org/fhir/resource-types", code: "ImagingStudy" },
    role: report,
  }));
}

function patientEntity(what: Reference): Entity {
  return {
    what: { type: "Patient", ...what },
    type: entityType("1", "Person"),
    role: objectRole("1", "Patient"),
  };
}
