import type { GrantTermsView, PlaceView, Role } from "#formats/api";

interface RoleWords {
  readonly label: string;
  /** One line, for who chooses it. */
  readonly says: string;
}

const ofRoles: Readonly<Record<Role, RoleWords>> = {
  administrator: { label: "Administrator", says: "People, programs, devices and settings; no images by itself" },
  radiologist: { label: "Radiologist", says: "Finds, reads, corrects and shares studies" },
  technologist: { label: "Technologist", says: "Stores and corrects studies, watches the devices" },
  "front-desk": { label: "Front desk", says: "Finds studies, corrects patients; sees no images" },
  referrer: { label: "Referring physician", says: "Reads what lies in the place that is granted" },
  patient: { label: "Patient", says: "Own studies, and who looked at them" },
  researcher: {
    label: "Researcher",
    says: "Looks at images with names, numbers and dates masked; holds no other role",
  },
  auditor: { label: "Auditor", says: "The log, and who may do what; no images" },
  service: { label: "Program", says: "Stores, finds and reads studies by itself" },
  guest: { label: "Share link, to look", says: "The one study of the link; nothing is taken away" },
  recipient: { label: "Share link, to download", says: "The one study of the link, and its images to keep" },
};

export const everyRole = Object.keys(ofRoles) as Role[];

export const roleLabel = (role: Role): string => ofRoles[role].label;
export const roleSays = (role: Role): string => ofRoles[role].says;

/** "Administrator, Radiologist", in the order that the roles are listed in. */
export function roleList(held: readonly Role[]): string {
  return everyRole
    .filter((role) => held.includes(role))
    .map(roleLabel)
    .join(", ");
}

export type Purpose = GrantTermsView["purpose"];

const ofPurposes: Readonly<Record<Purpose, string>> = {
  treatment: "Treatment",
  payment: "Payment",
  operations: "Running the facility",
  research: "Research",
  "patient-request": "The patient's own wish",
  "break-glass": "Emergency",
};

export const purposeLabel = (purpose: Purpose): string => ofPurposes[purpose];

/** Names of facilities by their ids. Studies and patients have none here: who administers need not know them. */
export type FacilityNames = ReadonlyMap<string, string>;

const kinds: Readonly<Record<PlaceView["kind"], string>> = {
  tenant: "Everywhere",
  facility: "A facility",
  patient: "One patient",
  study: "One study",
  order: "One order",
};

export const placeKindLabel = (kind: PlaceView["kind"]): string => kinds[kind];

export function placeLabel(place: PlaceView, facilities: FacilityNames): string {
  return (place.kind === "facility" ? facilities.get(place.id) : undefined) ?? kinds[place.kind];
}
