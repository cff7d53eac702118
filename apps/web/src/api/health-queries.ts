import { queryOptions } from "@tanstack/react-query";
import type { AsideView, EdgeHistoryView, EdgeReport, EdgeReportView } from "#formats/api";
import { type RangeName, ranges } from "../pages/health/history-view.ts";
import { call } from "./client.ts";

/** On a box: how it does now. */
export const ownReportQuery = queryOptions({
  queryKey: ["own-report"],
  queryFn: () => call<EdgeReport>("GET", "/api/edge/report"),
  refetchInterval: 10_000,
});

export const asidesQuery = queryOptions({
  queryKey: ["asides"],
  queryFn: () => call<readonly AsideView[]>("GET", "/api/edge/asides"),
  refetchInterval: 60_000,
});

/** In the cloud: what an edge told last; null before it told anything. */
export const edgeReportQuery = (id: string) =>
  queryOptions({
    queryKey: ["edge-report", id],
    queryFn: () => call<EdgeReportView | null>("GET", `/api/edges/${id}/report`),
    refetchInterval: 10_000,
  });

/** `of`: `/api/edge` on the box itself, `/api/edges/ID` in the cloud. */
export const healthHistoryQuery = (of: string, range: RangeName, points: number) =>
  queryOptions({
    queryKey: ["health-history", of, range, points],
    queryFn: () => {
      const to = Math.round(performance.timeOrigin + performance.now());
      return call<EdgeHistoryView>("GET", `${of}/history?from=${to - ranges[range].ms}&to=${to}&points=${points}`);
    },
    refetchInterval: 60_000,
  });
