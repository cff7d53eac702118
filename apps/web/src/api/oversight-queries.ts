import { queryOptions } from "@tanstack/react-query";
import type {
  BrokenGlassView,
  DisclosureReport,
  FoundEntriesView,
  LogQuestion,
  LooksPage,
  OpenedShare,
  ReviewPage,
  SavedView,
  ShareView,
} from "#formats/api";
import { call } from "./client.ts";

/** Numbers and texts as a query; what is absent is left out. */
function asQuery(given: object): string {
  const held = Object.entries(given).filter(([, value]) => value !== undefined && value !== "");
  const query = new URLSearchParams(held.map(([name, value]) => [name, String(value)])).toString();
  return query === "" ? "" : `?${query}`;
}

export function findEntries(question: LogQuestion): Promise<FoundEntriesView> {
  return call<FoundEntriesView>("GET", `/api/audit/find${asQuery(question)}`);
}

export const entryQuery = (index: number) =>
  queryOptions({
    queryKey: ["entry", index],
    queryFn: async () => {
      const { entries } = await findEntries({ before: index + 1, limit: 1 });
      return entries.find((entry) => entry.index === index) ?? null;
    },
    staleTime: Number.POSITIVE_INFINITY,
  });

export const savedViewsQuery = (page: SavedView["page"]) =>
  queryOptions({
    queryKey: ["saved-views", page],
    queryFn: () => call<readonly SavedView[]>("GET", `/api/saved-views?page=${page}`),
  });

/** The first page; what the header counts. */
export const openReviewsQuery = queryOptions({
  queryKey: ["reviews", "waiting"],
  queryFn: () => call<ReviewPage>("GET", "/api/reviews?state=open"),
});

export function reviewPage(state: "open" | "decided", before: string | undefined): Promise<ReviewPage> {
  return call<ReviewPage>("GET", `/api/reviews${asQuery({ state, before })}`);
}

export const sharesQuery = (study?: string) =>
  queryOptions({
    queryKey: ["shares", study ?? ""],
    queryFn: () => call<readonly ShareView[]>("GET", `/api/shares${asQuery({ study })}`),
  });

export const brokenGlassQuery = queryOptions({
  queryKey: ["broken-glass"],
  queryFn: () => call<readonly BrokenGlassView[]>("GET", "/api/break-glass"),
});

export const openedShareQuery = queryOptions({
  queryKey: ["opened-share"],
  queryFn: () => call<OpenedShare>("GET", "/api/shares/opened"),
});

export function looksAt(study: string, before: number | undefined): Promise<LooksPage> {
  return call<LooksPage>("GET", `/api/studies/${study}/looks${asQuery({ before, limit: 500 })}`);
}

export const disclosuresQuery = (patient: string, from: number | undefined) =>
  queryOptions({
    queryKey: ["disclosures", patient, from ?? 0],
    queryFn: () => call<DisclosureReport>("GET", `/api/patients/${patient}/disclosures${asQuery({ from })}`),
  });
