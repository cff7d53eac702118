import { useQueryClient } from "@tanstack/react-query";
import { call } from "../api/client.ts";

/** Ends the session and loads the page anew, so that nothing read under it stays in this tab's memory. */
export function useSignOut(): () => Promise<void> {
  const queries = useQueryClient();
  return async () => {
    await call<void>("DELETE", "/api/session");
    queries.clear();
    window.location.replace("/");
  };
}
