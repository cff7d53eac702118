import { type GrantTermsView, type PlaceView, purposeOf, type Role } from "#formats/api";
import type { Purpose } from "../../words/role-words.ts";

/** What a dialog holds before it is a grant. */
export interface GrantDraft {
  /** `tenant`, or a kind and an id: `facility:…`. */
  readonly place: string;
  /** Undefined: what the role is for. */
  readonly purpose: Purpose | undefined;
  /** `YYYY-MM-DD`, the last day; empty: until it is ended. */
  readonly until: string;
}

export const newDraft = (place = "tenant"): GrantDraft => ({ place, purpose: undefined, until: "" });

export function isChanged(draft: GrantDraft, from: GrantDraft): boolean {
  return draft.place !== from.place || draft.purpose !== undefined || draft.until !== "";
}

export function termsOf(role: Role, { place, purpose, until }: GrantDraft): GrantTermsView {
  return { role, place: placeIn(place), purpose: purpose ?? purposeOf(role), endsAt: endOf(until) };
}

export function placeIn(text: string): PlaceView {
  const [kind = "", id = ""] = text.split(":");
  if (kind === "facility" || kind === "patient" || kind === "study" || kind === "order") return { kind, id };
  return { kind: "tenant" };
}

/** The end of that day where this page is read. */
function endOf(day: string): number {
  return day === "" ? 0 : new Date(`${day}T23:59:59.999`).getTime();
}

/** Roles whose every act is on the whole tenant: a narrower place would give nothing. */
export const isForTenant = (role: Role): boolean => role === "administrator" || role === "auditor";

/** Roles that everywhere would be too much for. */
export const isForOne = (role: Role): boolean => role === "patient";
