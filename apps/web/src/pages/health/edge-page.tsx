import { Text } from "@mantine/core";
import { IconArrowLeft } from "@tabler/icons-react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import type { EdgeView } from "#formats/api";
import { edgesQuery } from "../../api/access-queries.ts";
import { useEvents } from "../../api/events.tsx";
import { edgeReportQuery } from "../../api/health-queries.ts";
import { ProblemNote } from "../../shell/problem-note.tsx";
import { exactTime } from "../../words/moments.ts";
import { Time, useNow } from "../../words/time.tsx";
import { NotFoundPage } from "../not-found-page.tsx";
import { Page } from "../page.tsx";
import people from "../people/people.module.css";
import rows from "../rows.module.css";
import { Health } from "./health.tsx";
import { History } from "./history.tsx";

/** In the cloud: how one edge does, as it told last. */
export function EdgePage() {
  const { id } = useParams({ from: "/edges/$id" });
  const queries = useQueryClient();
  const edges = useQuery(edgesQuery);
  useEvents((event) => {
    if (event.type === "edge" && event.id === id) void queries.invalidateQueries(edgesQuery);
  });
  const edge = edges.data?.find((each) => each.id === id);
  if (edges.data !== undefined && edge === undefined) return <NotFoundPage />;
  return (
    <Page
      title="Edge"
      heading={edge?.name ?? "Edge"}
      about={
        <Link to="/edges" className={people.back}>
          <IconArrowLeft size={14} aria-hidden />
          Edges
        </Link>
      }
    >
      {edges.error !== null && edges.data === undefined ? (
        <ProblemNote error={edges.error} onRetry={() => void edges.refetch()} />
      ) : null}
      {edge === undefined ? null : <Told key={id} edge={edge} />}
    </Page>
  );
}

function Told({ edge }: { readonly edge: EdgeView }) {
  const told = useQuery(edgeReportQuery(edge.id));
  const now = useNow();
  if (told.error !== null && told.data === undefined) {
    return <ProblemNote error={told.error} onRetry={() => void told.refetch()} />;
  }
  if (told.data === undefined) return null;
  if (told.data === null) {
    return (
      <div className={rows.empty}>
        {edge.state === "invited"
          ? "It is not enrolled yet: its code waits to be typed on the machine."
          : "It has not told yet how it does. It tells once a minute while it runs and reaches this cloud."}
      </div>
    );
  }
  const { report, receivedAt } = told.data;
  return (
    <>
      <Health
        report={report}
        age={{ receivedAt, now: Math.max(now, receivedAt) }}
        about={
          <Text size="sm" c="dimmed">
            As it told at {exactTime(receivedAt)}, <Time at={receivedAt} />
            {edge.state === "revoked"
              ? `. It was revoked at ${exactTime(edge.revokedAt)}: this cloud does not take it any more`
              : ""}
          </Text>
        }
      />
      <History of={`/api/edges/${edge.id}`} />
    </>
  );
}
