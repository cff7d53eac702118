import { queryOptions } from "@tanstack/react-query";
import type { MigrationView } from "#formats/api";
import { call } from "../../api/client.ts";

const lookEveryMs = 2_000;

/** Read again and again while one runs. */
export const migrationsQuery = queryOptions({
  queryKey: ["migrations"],
  queryFn: () => call<readonly MigrationView[]>("GET", "/api/migrations"),
  refetchInterval: ({ state }) => (state.data?.some((one) => one.state === "running") === true ? lookEveryMs : false),
});
