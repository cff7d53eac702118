import { type QueryClient, queryOptions, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import type { ClientView, EdgeView, FacilityView, GrantView, RoleView, SessionListing } from "#formats/api";
import type { FacilityNames } from "../words/role-words.ts";
import { call } from "./client.ts";
import { devicesQuery, peopleQuery, useMay } from "./queries.ts";

/** Ended ones too where that is asked for; the newest first. */
export const grantsQuery = (withEnded: boolean) =>
  queryOptions({
    queryKey: ["grants", withEnded],
    queryFn: async () => {
      const grants = await call<readonly GrantView[]>("GET", `/api/grants${withEnded ? "?ended=true" : ""}`);
      return grants.toSorted((one, other) => other.givenAt - one.givenAt);
    },
  });

export const rolesQuery = queryOptions({
  queryKey: ["roles"],
  queryFn: () => call<readonly RoleView[]>("GET", "/api/roles"),
  staleTime: Number.POSITIVE_INFINITY,
});

export const clientsQuery = queryOptions({
  queryKey: ["clients"],
  queryFn: () => call<readonly ClientView[]>("GET", "/api/clients"),
});

export const facilitiesQuery = queryOptions({
  queryKey: ["facilities"],
  queryFn: () => call<readonly FacilityView[]>("GET", "/api/facilities"),
});

export const edgesQuery = queryOptions({
  queryKey: ["edges"],
  queryFn: () => call<readonly EdgeView[]>("GET", "/api/edges"),
});

/** Everybody's. */
export const everybodysSessionsQuery = queryOptions({
  queryKey: ["sessions", "everybody"],
  queryFn: () => call<readonly SessionListing[]>("GET", "/api/sessions/everybody"),
});

/** The facilities, for who may see them. */
export function useFacilities(): readonly FacilityView[] {
  const may = useMay();
  return useQuery({ ...facilitiesQuery, enabled: may("facility.read") }).data ?? none;
}

export function useFacilityNames(): FacilityNames {
  const facilities = useFacilities();
  return useMemo(() => new Map(facilities.map(({ id, name }) => [id, name])), [facilities]);
}

const none: readonly FacilityView[] = [];

/** Reads again what says who may do what, after it was changed. */
export function accessChanged(queries: QueryClient): void {
  for (const queryKey of [["grants"], ["sessions"], ["clients"], peopleQuery.queryKey, devicesQuery.queryKey]) {
    void queries.invalidateQueries({ queryKey });
  }
}
