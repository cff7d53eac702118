import { queryOptions, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import type { RoutingRuleRequest, RoutingRuleView, RoutingView } from "#formats/api";
import { call } from "../../api/client.ts";
import { devicesQuery } from "../../api/queries.ts";

export const routingQuery = queryOptions({
  queryKey: ["routing"],
  queryFn: () => call<RoutingView>("GET", "/api/routing"),
  // Counts and what is held back move while one looks.
  refetchInterval: 5_000,
});

/** What a device is called by its id. */
export function useDeviceName(): (id: string) => string {
  const devices = useQuery(devicesQuery).data;
  return (id) => devices?.find((one) => one.id === id)?.ae ?? "a device that is gone";
}

/** A change of the rules; what stands afterwards is read again. */
export function useRoutingChange<Request>(work: (request: Request) => Promise<unknown>, onDone: () => void = () => {}) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: work,
    onSuccess: onDone,
    onSettled: () => queries.invalidateQueries(routingQuery),
  });
}

/** Without what the server adds. */
export function requestOf({ id: _id, counts: _counts, ...rule }: RoutingRuleView): RoutingRuleRequest {
  return rule;
}
