import { profiles } from "./profiles.ts";
import { searchParameters } from "./search-query.ts";

/** What this door offers, as FHIR says it. */
export function capabilitiesOf(
  { version, startedAt }: { readonly version: string; readonly startedAt: number },
  base: string,
) {
  return {
    resourceType: "CapabilityStatement",
    status: "active",
    date: new Date(startedAt).toISOString(),
    kind: "instance",
    software: { name: "Leadglass", version },
    implementation: { description: "The audit log of a Leadglass archive", url: base },
    fhirVersion: "4.0.1",
    format: ["application/fhir+json", "json"],
    rest: [
      {
        mode: "server",
        security: { description: "A session, or a token in the Authorization header, of who may read the log" },
        resource: [
          {
            type: "AuditEvent",
            supportedProfile: profiles,
            interaction: [{ code: "read" }, { code: "search-type" }],
            versioning: "no-version",
            readHistory: false,
            searchParam: searchParameters,
          },
        ],
      },
    ],
  };
}
