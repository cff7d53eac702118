import { Button, Group, Progress, Text, Title } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { MigrationView } from "#formats/api";
import { call } from "../../api/client.ts";
import { useMay } from "../../api/queries.ts";
import { ProblemNote } from "../../shell/problem-note.tsx";
import { Time } from "../../words/time.tsx";
import { Page } from "../page.tsx";
import { RowAct } from "../row-acts.tsx";
import rows from "../rows.module.css";
import { Sure } from "../sure.tsx";
import { MigrationReport } from "./migration-report.tsx";
import { daysOf, stateWord } from "./migration-words.ts";
import classes from "./migrations.module.css";
import { migrationsQuery } from "./migrations-query.ts";
import { StartMigration } from "./start-migration.tsx";

/** Old archives that are taken over: how far each is, what came of it, and steering it. */
export function MigrationsPage() {
  const may = useMay();
  const migrations = useQuery(migrationsQuery);
  const [isStarting, setStarting] = useState(false);
  const [reported, setReported] = useState<MigrationView | undefined>(undefined);
  const all = migrations.data ?? [];
  return (
    <Page title="Old archives" about="Every study of another archive, fetched and compared with it, image by image">
      {may("migration.write") ? (
        <Group mb="sm">
          <Button onClick={() => setStarting(true)}>Take an archive over</Button>
        </Group>
      ) : null}
      {migrations.error !== null && migrations.data === undefined ? (
        <ProblemNote error={migrations.error} onRetry={() => void migrations.refetch()} />
      ) : all.length === 0 ? (
        <div className={rows.empty}>
          {migrations.isPending
            ? "Reading the list…"
            : "No archive is taken over yet. Add the old archive under Devices with the port it takes associations at, then choose the days whose studies are to come. It goes on by itself, at night alone if you like, and can be paused."}
        </div>
      ) : (
        all.map((one) => <Migration key={one.id} migration={one} onReport={() => setReported(one)} />)
      )}
      <StartMigration opened={isStarting} onClose={() => setStarting(false)} />
      <MigrationReport migration={reported} onClose={() => setReported(undefined)} />
    </Page>
  );
}

function Migration({ migration, onReport }: { readonly migration: MigrationView; onReport(): void }) {
  const { id, device, state, says, trouble, by, startedAt, days, daysListed, totals, asked } = migration;
  const heading = `migration-${id}`;
  const isOver = state === "done" || state === "stopped";
  return (
    <section className={classes.one} aria-labelledby={heading}>
      <Group justify="space-between" align="baseline" gap="sm">
        <Title order={2} id={heading}>
          {device.ae === "" ? "A machine that is not registered any more" : device.ae}, {daysOf(asked.dates)}
        </Title>
        <Text size="sm" className={state === "paused" ? rows.refused : undefined}>
          {stateWord(migration)}
        </Text>
      </Group>
      <Progress value={shareOf(migration)} mt={8} mb={8} aria-label={`${daysListed} of ${days} days listed`} />
      <Text size="sm">{says}</Text>
      <Text size="sm" c="dimmed">
        {by}, <Time at={startedAt} />
        {totals.conflicts > 0 ? `; ${totals.conflicts} images came with other bytes than ours: both are kept` : ""}
      </Text>
      {trouble !== undefined && !isOver ? (
        <Text size="sm" mt={4} role={state === "paused" ? "alert" : undefined}>
          {trouble.message} (<Time at={trouble.at} />){trouble.remedy === undefined ? null : `. ${trouble.remedy}`}
        </Text>
      ) : null}
      <Group gap={6} mt={8}>
        <RowAct label={`Report on ${device.ae}`} onClick={onReport}>
          Report
        </RowAct>
        <Steering migration={migration} />
      </Group>
    </section>
  );
}

/** Days that were listed, and of their studies those that are over. */
function shareOf({ days, daysListed, totals: { found, waiting }, state }: MigrationView): number {
  if (state === "done") return 100;
  return found === 0 ? (100 * daysListed) / days : (100 * (daysListed / days) * (found - waiting)) / found;
}

function Steering({ migration: { id, state, device, totals } }: { readonly migration: MigrationView }) {
  const may = useMay();
  const queries = useQueryClient();
  const [asking, setAsking] = useState<"stop" | "remove" | undefined>(undefined);
  const steer = useMutation({
    mutationFn: (way: "pause" | "resume") => call<MigrationView>("POST", `/api/migrations/${id}/${way}`),
    onSettled: () => queries.invalidateQueries(migrationsQuery),
  });
  if (!may("migration.write")) return null;
  const close = () => setAsking(undefined);
  const isOpen = state === "running" || state === "paused";
  const wrong = totals.short + totals.differs + totals.failed;
  return (
    <>
      {state === "running" ? (
        <RowAct label={`Pause ${device.ae}`} loading={steer.isPending} onClick={() => steer.mutate("pause")}>
          Pause
        </RowAct>
      ) : null}
      {state === "paused" || (state === "done" && wrong > 0) ? (
        <RowAct label={`Resume ${device.ae}`} loading={steer.isPending} onClick={() => steer.mutate("resume")}>
          {state === "done" ? "Try again what is not whole" : "Resume"}
        </RowAct>
      ) : null}
      {isOpen ? (
        <RowAct label={`Stop ${device.ae}`} onClick={() => setAsking("stop")}>
          Stop
        </RowAct>
      ) : (
        <RowAct label={`Forget ${device.ae}`} onClick={() => setAsking("remove")}>
          Forget
        </RowAct>
      )}
      {steer.isError ? <ProblemNote error={steer.error} /> : null}
      <Sure
        opened={asking === "stop"}
        title={`Stop taking ${device.ae} over?`}
        says="It does not go on after that. What came stays; another one fetches only what is missing. To go on later, pause it instead."
        does="Stop"
        changes={migrationsQuery}
        run={() => call<MigrationView>("POST", `/api/migrations/${id}/stop`)}
        onClose={close}
      />
      <Sure
        opened={asking === "remove"}
        title="Forget this one?"
        says="Its report goes, and the list of studies that are not whole. Images that came stay. Save the report first if somebody may ask for it."
        does="Forget"
        changes={migrationsQuery}
        run={() => call<void>("DELETE", `/api/migrations/${id}`)}
        onClose={close}
      />
    </>
  );
}
