import { useQuery } from "@tanstack/react-query";
import { ownReportQuery } from "../../api/health-queries.ts";
import { ProblemNote } from "../../shell/problem-note.tsx";
import { Page } from "../page.tsx";
import { Asides } from "./asides.tsx";
import { Health } from "./health.tsx";
import { History } from "./history.tsx";

/** On a box in a facility: how it does itself. */
export function ThisBoxPage() {
  const report = useQuery(ownReportQuery);
  return (
    <Page title="This box">
      {report.error !== null ? <ProblemNote error={report.error} onRetry={() => void report.refetch()} /> : null}
      {report.data === undefined ? null : (
        <>
          <Health report={report.data} />
          <Asides />
          <History of="/api/edge" />
        </>
      )}
    </Page>
  );
}
