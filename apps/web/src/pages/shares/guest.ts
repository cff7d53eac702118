import { useQuery } from "@tanstack/react-query";
import type { SessionView } from "#formats/api";
import { sessionQuery } from "../../api/queries.ts";

/** Whoever came by a share link: one study, and nothing beside it. */
export function isGuest(session: SessionView | null | undefined): boolean {
  const roles = session?.account.roles ?? [];
  return roles.includes("guest") || roles.includes("recipient");
}

export function useIsGuest(): boolean {
  return isGuest(useQuery(sessionQuery).data);
}
