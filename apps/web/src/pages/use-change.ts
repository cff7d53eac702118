import { useMutation, useQueryClient } from "@tanstack/react-query";
import { credentialsQuery, sessionsQuery } from "../api/queries.ts";
import { useProven } from "../shell/proof.tsx";

/** A change of one's own ways in: asks for a proof where the server wants one, and shows afterwards how things stand. */
export function useChange<Answer, Request = void>(work: (request: Request) => Promise<Answer>) {
  const queries = useQueryClient();
  const proven = useProven();
  return useMutation({
    mutationFn: (request: Request) => proven(() => work(request)),
    onSettled: () => {
      void queries.invalidateQueries(credentialsQuery);
      void queries.invalidateQueries(sessionsQuery);
    },
  });
}
