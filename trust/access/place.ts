/** Where a grant holds. Ids are tokens of ours: a facility's, a patient's, a study's; an order's is the digest of its number. */
export type Place = { readonly kind: "tenant" } | { readonly kind: NarrowPlace; readonly id: string };

export const narrowPlaces = ["facility", "patient", "study", "order"] as const;
export type NarrowPlace = (typeof narrowPlaces)[number];

/** What places are compared with: where a study lies. An empty text: in none. */
export type StudyFacts = { readonly [kind in NarrowPlace]: string };

/**
 * Where an actor may do an act: in at least one place of each group. No group at all is everywhere, an empty group nowhere. Each of what
 * narrows an actor (its grants, the scope of its token) is a group.
 */
export type Reach = readonly (readonly Place[])[];

export const everywhere: Reach = [];

/** A group of places as a reach: everywhere when the whole tenant is among them. */
export function reachOf(places: readonly Place[]): Reach {
  return places.some(({ kind }) => kind === "tenant") ? everywhere : [places];
}

export function isNowhere(reach: Reach): boolean {
  return reach.some((group) => group.length === 0);
}

/** Whether a study of these facts lies in the reach; of no facts (no study, or none in particular) only everywhere does. */
export function covers(reach: Reach, facts: StudyFacts | undefined): boolean {
  return reach.every((group) => facts !== undefined && group.some((place) => isIn(place, facts)));
}

function isIn(place: Place, facts: StudyFacts): boolean {
  return place.kind === "tenant" || (place.id !== "" && facts[place.kind] === place.id);
}
