import { Button, SegmentedControl, Text, Title } from "@mantine/core";
import { IconDownload, IconPrinter } from "@tabler/icons-react";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { counted, type DisclosureView } from "#formats/api";
import { retrieve } from "../../api/client.ts";
import { disclosuresQuery } from "../../api/oversight-queries.ts";
import { sessionQuery } from "../../api/queries.ts";
import { ProblemNote } from "../../shell/problem-note.tsx";
import { exactTime } from "../../words/moments.ts";
import { useNow } from "../../words/time.tsx";
import { Page } from "../page.tsx";
import rows from "../rows.module.css";
import { saveFile } from "../save-file.ts";
import classes from "./looks.module.css";

const yearMs = 365.25 * 86_400_000;

/** For a patient: who had to do with their images, in plain words. */
export function SeenPage() {
  const { years } = useSearch({ from: "/my-images" });
  const navigate = useNavigate({ from: "/my-images" });
  const now = useNow();
  // Fixed while the page is open: every second another question would be asked.
  const [yearAgo] = useState(() => Math.floor(now - yearMs));
  const patients = useQuery(sessionQuery).data?.patients ?? [];
  return (
    <Page title="Who has seen my images" about={years === 1 ? "In the last year" : "In the last six years"}>
      <Text mb="md" maw={640}>
        Everybody who looked at your images, took a copy or was given a link stands here, with the day and the reason.
        You may keep it, and ask the facility about anything that you do not expect.
      </Text>
      <SegmentedControl
        className="no-print"
        mb="md"
        value={years === 1 ? "1" : "6"}
        onChange={(next) => void navigate({ search: next === "1" ? { years: 1 } : {}, replace: true })}
        data={[
          { value: "6", label: "Six years" },
          { value: "1", label: "Last year" },
        ]}
        aria-label="How far back"
      />
      {patients.length === 0 ? <div className={rows.empty}>No images are yours here.</div> : null}
      {patients.map((patient, at) => (
        <Report
          key={patient}
          patient={patient}
          from={years === 1 ? yearAgo : undefined}
          title={patients.length === 1 ? undefined : `Images of person ${at + 1} of ${patients.length}`}
        />
      ))}
    </Page>
  );
}

interface ReportProps {
  readonly patient: string;
  readonly from: number | undefined;
  readonly title: string | undefined;
}

function Report({ patient, from, title }: ReportProps) {
  const report = useQuery(disclosuresQuery(patient, from));
  const save = useMutation({
    mutationFn: async () => {
      const query = from === undefined ? "" : `?from=${from}`;
      const answer = await retrieve(`/api/patients/${patient}/disclosures${query}`, "text/csv");
      saveFile("who-has-seen-my-images.csv", await answer.text(), "text/csv");
    },
  });
  const problem = report.error ?? save.error;
  const found = report.data?.disclosures ?? [];
  return (
    <section className={classes.report} aria-label={title ?? "Who has seen my images"}>
      {title === undefined ? null : (
        <Title order={2} mb="sm">
          {title}
        </Title>
      )}
      {problem === null ? null : <ProblemNote error={problem} onRetry={() => void report.refetch()} />}
      {report.data === undefined ? null : (
        <div className={classes.acts}>
          <Button variant="default" leftSection={<IconPrinter size={16} aria-hidden />} onClick={() => window.print()}>
            Print
          </Button>
          <Button
            variant="default"
            leftSection={<IconDownload size={16} aria-hidden />}
            loading={save.isPending}
            onClick={() => save.mutate()}
          >
            As a table (CSV)
          </Button>
        </div>
      )}
      {report.data === undefined ? (
        problem === null ? (
          <div className={rows.empty}>Reading what the log has of you…</div>
        ) : null
      ) : found.length === 0 ? (
        <div className={rows.empty}>Nobody has had to do with your images in this time.</div>
      ) : (
        <Disclosures found={found} />
      )}
    </section>
  );
}

function Disclosures({ found }: { readonly found: readonly DisclosureView[] }) {
  return (
    <div className={rows.wrap}>
      <table className={rows.table}>
        <thead>
          <tr>
            <th>Day</th>
            <th>Who</th>
            <th>What they did</th>
            <th>Why</th>
          </tr>
        </thead>
        <tbody>
          {found.map((each) => (
            <tr key={`${each.firstAt} ${each.who} ${each.what} ${each.purpose}`}>
              <td className={rows.plain} title={`${exactTime(each.firstAt)} – ${exactTime(each.lastAt)}`}>
                {exactTime(each.lastAt).slice(0, 10)}
              </td>
              <td>{each.who}</td>
              <td>
                {each.description}
                {each.count === 1 ? "" : `, ${counted(each.count, "time")}`}
                {each.studies > 1 ? `, of ${counted(each.studies, "study", "studies")}` : ""}
              </td>
              <td>{each.purposeDescription}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
