import { Button, Group, Modal, Stack, Text, Title } from "@mantine/core";
import { queryOptions, useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import {
  counted,
  type MigrationReportView,
  type MigrationStudyView,
  type MigrationTally,
  type MigrationView,
} from "#formats/api";
import { call, retrieve } from "../../api/client.ts";
import { useMay } from "../../api/queries.ts";
import { ProblemNote } from "../../shell/problem-note.tsx";
import { personName } from "../../words/dicom-words.ts";
import rows from "../rows.module.css";
import { saveFile } from "../save-file.ts";
import { tallyOf, whatIsWrong } from "./migration-words.ts";
import classes from "./migrations.module.css";

const reportQuery = (id: string) =>
  queryOptions({
    queryKey: ["migrations", id, "report"],
    queryFn: () => call<MigrationReportView>("GET", `/api/migrations/${id}/report`),
  });
const studiesQuery = (id: string, identified: boolean) =>
  queryOptions({
    queryKey: ["migrations", id, "studies", identified],
    queryFn: () =>
      call<readonly MigrationStudyView[]>(
        "GET",
        `/api/migrations/${id}/studies${identified ? "?identified=true" : ""}`,
      ),
    // Whose they are is nobody's business once the dialog is gone.
    gcTime: 0,
  });

/** What was found, what came, and what is not whole. */
export function MigrationReport({
  migration,
  onClose,
}: {
  readonly migration: MigrationView | undefined;
  onClose(): void;
}) {
  return (
    <Modal
      opened={migration !== undefined}
      onClose={onClose}
      title={`Report on ${migration?.device.ae ?? ""}`}
      size="xl"
    >
      {migration === undefined ? null : <Report id={migration.id} />}
    </Modal>
  );
}

function Report({ id }: { readonly id: string }) {
  const { data: report, error, refetch } = useQuery(reportQuery(id));
  if (error !== null) return <ProblemNote error={error} onRetry={() => void refetch()} />;
  if (report === undefined) return <Text c="dimmed">Adding up…</Text>;
  const { totals, unsureDays, says } = report.migration;
  return (
    <Stack gap="md">
      <div>
        <Text>{says}</Text>
        <Text size="sm" c="dimmed">
          {counted(totals.instancesListed, "image")} there, {totals.instancesBefore} were here,{" "}
          {totals.instancesFetched} came, {totals.instancesMissing} missing.
          {unsureDays > 0 ? ` Of ${counted(unsureDays, "day")} the archive may not have listed all studies.` : ""}
        </Text>
      </div>
      <Tallies caption="By month" head="Month" tallies={report.months} />
      <Tallies caption="By modality" head="Modality" tallies={report.modalities} />
      <NotWhole id={id} />
      <Saving id={id} />
    </Stack>
  );
}

const number = `${rows.right} ${classes.number}`;

interface TalliesProps {
  readonly caption: string;
  readonly head: string;
  readonly tallies: readonly MigrationTally[];
}

function Tallies({ caption, head, tallies }: TalliesProps) {
  if (tallies.length === 0) return null;
  return (
    <div className={rows.wrap}>
      <table className={rows.table} aria-label={caption}>
        <thead>
          <tr>
            <th>{head}</th>
            {["Studies", "Were here", "Fetched", "Waiting", "Not whole"].map((column) => (
              <th key={column} className={number}>
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {tallies.map(({ of, counts: { found, heldBefore, fetched, waiting, short, differs, failed } }) => (
            <tr key={of}>
              <td>{tallyOf(of)}</td>
              <td className={number}>{found}</td>
              <td className={number}>{heldBefore}</td>
              <td className={number}>{fetched}</td>
              <td className={number}>{waiting}</td>
              <td className={number}>{short + differs + failed}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function NotWhole({ id }: { readonly id: string }) {
  const may = useMay();
  const [identified, setIdentified] = useState(false);
  const { data: studies, error } = useQuery(studiesQuery(id, identified));
  if (error !== null) return <ProblemNote error={error} />;
  if (studies === undefined) return null;
  if (studies.length === 0) return <Text size="sm">No study is short of anything.</Text>;
  return (
    <div>
      <Group justify="space-between" mb={6}>
        <Title order={3}>Not whole</Title>
        {may("migration.identify") && !identified ? (
          <Button size="compact-sm" variant="default" onClick={() => setIdentified(true)}>
            Show whose they are
          </Button>
        ) : null}
      </Group>
      <div className={rows.wrap}>
        <table className={rows.table} aria-label="Studies that are not whole">
          <thead>
            <tr>
              <th>Study</th>
              <th>Month</th>
              <th>Modality</th>
              <th>What is wrong</th>
            </tr>
          </thead>
          <tbody>
            {studies.map((study) => (
              <tr key={study.token}>
                <td className={study.identity === undefined ? rows.mono : undefined}>
                  {study.identity === undefined
                    ? study.token.slice(0, 8)
                    : [personName(study.identity.patientName), study.identity.patientId, study.identity.accession]
                        .filter((text) => text !== "")
                        .join(", ")}
                </td>
                <td className={rows.plain}>{tallyOf(study.month)}</td>
                <td className={rows.plain}>{study.modalities.join(", ")}</td>
                <td>{whatIsWrong(study)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}

/** For whoever has to show later that nothing was left behind. */
function Saving({ id }: { readonly id: string }) {
  const save = useMutation({
    async mutationFn(what: "report" | "studies") {
      const answer = await retrieve(`/api/migrations/${id}/${what}`, "text/csv");
      saveFile(what === "report" ? "days.csv" : "studies-not-whole.csv", await answer.text(), "text/csv");
    },
  });
  return (
    <Group gap="xs">
      <Button variant="default" onClick={() => save.mutate("report")}>
        Save the days as a table
      </Button>
      <Button variant="default" onClick={() => save.mutate("studies")}>
        Save what is not whole
      </Button>
      {save.isError ? <ProblemNote error={save.error} /> : null}
    </Group>
  );
}
