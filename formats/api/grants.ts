/** What people and programs are given (`#trust/access` says what each may do; docs/access.md lists it). */
export const roles = [
  "administrator",
  "radiologist",
  "technologist",
  "front-desk",
  "referrer",
  "patient",
  "researcher",
  "auditor",
  "service",
  "guest",
  "recipient",
] as const;

export type Role = (typeof roles)[number];

/** Roles that a person with an account may be given. */
export const rolesOfPeople = roles.filter((role) => role !== "service" && role !== "guest" && role !== "recipient");

/** Ids are tokens: a facility's, a patient's, a study's; an order's is the digest of its number. */
export type PlaceView =
  | { readonly kind: "tenant" }
  | { readonly kind: "facility" | "patient" | "study" | "order"; readonly id: string };

export const purposes = ["treatment", "payment", "operations", "research", "patient-request", "break-glass"] as const;

export interface GrantTermsView {
  readonly role: Role;
  readonly place: PlaceView;
  readonly purpose: (typeof purposes)[number];
  /** Epoch milliseconds; 0: until it is ended. */
  readonly endsAt: number;
}

export interface GrantRequest extends GrantTermsView {
  /** The name of an account or a client. */
  readonly name: string;
}

export interface GrantView extends GrantTermsView {
  readonly id: string;
  /** Actor id: `user:…`, `client:…`, `share:…`. */
  readonly holder: string;
  /** The name of the account or client, "a share link" or "a removed account". */
  readonly holderName: string;
  /** A name, "the console" or "a removed account". */
  readonly givenBy: string;
  readonly givenAt: number;
  /** 0 until somebody ended it. */
  readonly endedAt: number;
  readonly isLive: boolean;
}

/** What a role may do, for who looks at the grants. */
export interface RoleView {
  readonly role: Role;
  readonly acts: readonly { readonly act: string; readonly where: "study" | "lists" | "tenant" | "self" }[];
}

/** What a role is for, where nothing else is said. */
export function purposeOf(role: Role): GrantTermsView["purpose"] {
  if (role === "researcher") return "research";
  if (role === "patient") return "patient-request";
  const isCare = role === "radiologist" || role === "technologist" || role === "referrer" || role === "guest";
  return isCare || role === "recipient" ? "treatment" : "operations";
}
