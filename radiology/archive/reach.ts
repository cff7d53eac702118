import { narrowPlaces, type Reach } from "#trust/access";
import type { Match } from "./study-index.ts";

/** A reach as conditions of a query: what a list leaves out is what `covers` refuses. Nothing for who may look everywhere. */
export function reachMatches(reach: Reach): Match[] {
  return reach.flatMap((group) => {
    if (group.some(({ kind }) => kind === "tenant")) return [];
    const of = narrowPlaces.flatMap((place) => {
      const ids = group.flatMap((one) => (one.kind === place && one.id !== "" ? [one.id] : []));
      return ids.length === 0 ? [] : [{ kind: "lies", in: place, ids: [...new Set(ids)] } as const];
    });
    return [{ kind: "any", of } as const];
  });
}
