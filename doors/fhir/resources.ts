/** FHIR R4 data types, as far as this door writes them. Codes and systems are those of the published value sets. */
export interface Coding {
  readonly system: string;
  readonly code: string;
  readonly display?: string;
}

export interface CodeableConcept {
  readonly coding: readonly Coding[];
}

export interface Extension {
  readonly url: string;
  readonly valueCode: string;
}

export interface Reference {
  readonly type?: string;
  readonly identifier?: { readonly system: string; readonly value: string };
  readonly display?: string;
  readonly extension?: readonly Extension[];
}

export interface Agent {
  readonly type: CodeableConcept;
  readonly who: Reference;
  readonly requestor: boolean;
  readonly network?: { readonly address?: string; readonly type?: string; readonly extension?: readonly Extension[] };
}

export interface Entity {
  readonly what?: Reference;
  readonly type: Coding;
  readonly role: Coding;
  /** In place of `query`, which is not told: why. */
  readonly _query?: { readonly extension: readonly Extension[] };
  readonly detail?: readonly { readonly type: string; readonly valueString: string }[];
}

export interface AuditEventResource {
  readonly resourceType: "AuditEvent";
  readonly id: string;
  readonly meta: { readonly versionId: string; readonly lastUpdated: string; readonly profile?: readonly string[] };
  readonly type: Coding;
  readonly subtype: readonly Coding[];
  readonly action: string;
  readonly recorded: string;
  readonly outcome: string;
  readonly purposeOfEvent?: readonly CodeableConcept[];
  readonly agent: readonly Agent[];
  readonly source: { readonly observer: Reference; readonly type: readonly Coding[] };
  readonly entity?: readonly Entity[];
}

/** Why a value that must be there is not (FHIR R4 extension data-absent-reason). */
export function absent(reason: "unknown" | "masked"): readonly Extension[] {
  return [{ url: "http://hl7.org/fhir/StructureDefinition/data-absent-reason", valueCode: reason }];
}

export const concept = (coding: Coding): CodeableConcept => ({ coding: [coding] });

export const fhirJson = "application/fhir+json; charset=utf-8";

/** FHIR R4 issue types (a required value set). */
export type IssueType = "invalid" | "not-supported" | "not-found" | "login" | "conflict" | "throttled" | "exception";

export function outcomeOf(code: IssueType, message: string) {
  return { resourceType: "OperationOutcome", issue: [{ severity: "error", code, diagnostics: message }] };
}
