import type { Role } from "#formats/api";
import { everyRole } from "../../words/role-words.ts";

/*
 * What the addresses of these pages hold: tokens and words of ours, no name. Anyone may have typed them: what is not understood is left out.
 */

export interface PeopleFilter {
  readonly role?: Role;
}

export function peopleFilter(search: Record<string, unknown>): PeopleFilter {
  const role = roleIn(search.role);
  return role === undefined ? {} : { role };
}

const placeKinds = ["tenant", "facility", "patient", "study", "order"] as const;

export interface GrantsFilter {
  readonly role?: Role;
  /** A kind of place, or a facility's token. */
  readonly place?: string;
  /** Actor id. */
  readonly who?: string;
  readonly ended?: true;
}

export function grantsFilter(search: Record<string, unknown>): GrantsFilter {
  const role = roleIn(search.role);
  const { place, who, ended } = search;
  const isPlace =
    typeof place === "string" && (placeKinds.some((kind) => kind === place) || /^[0-9a-f]{32}$/.test(place));
  const isWho = typeof who === "string" && /^(user|client|share):[0-9a-f]{32}$/.test(who);
  return {
    ...(role !== undefined && { role }),
    ...(isPlace && { place }),
    ...(isWho && { who }),
    ...(ended === true && { ended }),
  };
}

function roleIn(value: unknown): Role | undefined {
  return everyRole.find((role) => role === value);
}
