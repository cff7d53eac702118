import { Button, Code, Collapse, Text } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { AuditPage, LogEntryView } from "#formats/api";
import { auditPage } from "../api/queries.ts";
import { ProblemNote } from "../shell/problem-note.tsx";
import { counted, exactTime } from "../words/moments.ts";
import { type EntryRun, runsOf } from "./entry-runs.ts";
import { Page } from "./page.tsx";
import classes from "./rows.module.css";

const entriesAtOnce = 100;

/** The audit log, newest first. */
export function LogPage() {
  const log = useInfiniteQuery({
    queryKey: ["audit"],
    queryFn: ({ pageParam }) => auditPage(pageParam),
    initialPageParam: undefined as { readonly from: number; readonly to: number } | undefined,
    getNextPageParam: (last) => before(last),
  });
  const entries = inOrder(log.data?.pages ?? []);
  const newest = log.data?.pages[0];
  return (
    <Page
      title="Log"
      about={
        newest === undefined
          ? undefined
          : `${counted(newest.size, "entry", "entries")}, none can be changed or removed unseen`
      }
    >
      <Checkpoint checkpoint={newest?.checkpoint ?? null} />
      {log.error !== null && log.data === undefined ? (
        <ProblemNote error={log.error} onRetry={() => void log.refetch()} />
      ) : null}
      {entries.length === 0 ? (
        <div className={classes.empty}>{log.isPending ? "Reading the log…" : "Nothing has been done yet."}</div>
      ) : (
        <div className={classes.wrap}>
          <table className={classes.table}>
            <thead>
              <tr>
                <th className={classes.right}>Entry</th>
                <th>When</th>
                <th>Who</th>
                <th>Act</th>
                <th>On</th>
                <th>Outcome</th>
              </tr>
            </thead>
            <tbody>
              {runsOf(entries).map((run) => (
                <Run key={run.newest.index} run={run} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {log.hasNextPage ? (
        <Button variant="default" mt="md" loading={log.isFetchingNextPage} onClick={() => void log.fetchNextPage()}>
          Show older entries
        </Button>
      ) : null}
    </Page>
  );
}

/** Entries that follow on each other and say the same: reading a series is one for each image. */
function Run({ run: { newest, oldest } }: { readonly run: EntryRun }) {
  const count = newest.index - oldest.index + 1;
  return (
    <tr>
      <td className={classes.right}>
        {count === 1 ? "" : `${oldest.index.toLocaleString("en")} – `}
        {newest.index.toLocaleString("en")}
      </td>
      <td className={classes.plain}>{exactTime(newest.at)}</td>
      <td className={classes.mono}>{newest.actor}</td>
      <td className={classes.plain}>
        {newest.act}
        {count === 1 ? "" : ` × ${count.toLocaleString("en")}`}
      </td>
      <td className={classes.mono}>{newest.on === undefined ? "" : `${newest.on.kind} ${newest.on.id}`}</td>
      <td className={isGood(newest.outcome) ? undefined : classes.refused}>{newest.outcome}</td>
    </tr>
  );
}

function isGood(outcome: string): boolean {
  return /^(ok|done|allowed|success|passed)/i.test(outcome);
}

/** The log may grow between two pages: an entry is shown once, where its number says. */
function inOrder(pages: readonly AuditPage[]): readonly LogEntryView[] {
  const byIndex = new Map(pages.flatMap((page) => page.entries).map((entry) => [entry.index, entry]));
  return [...byIndex.values()].sort((one, other) => other.index - one.index);
}

function before(page: AuditPage): { readonly from: number; readonly to: number } | undefined {
  const oldest = Math.min(...page.entries.map((entry) => entry.index));
  return Number.isFinite(oldest) && oldest > 0 ? { from: Math.max(0, oldest - entriesAtOnce), to: oldest } : undefined;
}

function Checkpoint({ checkpoint }: { readonly checkpoint: string | null }) {
  const [open, setOpen] = useState(false);
  if (checkpoint === null) {
    return (
      <Text c="dimmed" size="sm" mb="md">
        No checkpoint has been signed yet.
      </Text>
    );
  }
  return (
    <div className={classes.section}>
      <Button
        variant="subtle"
        size="compact-sm"
        px={4}
        onClick={() => setOpen(!open)}
        aria-expanded={open}
        aria-controls="checkpoint"
      >
        {open ? "Hide the signed checkpoint" : "Show the signed checkpoint"}
      </Button>
      <Collapse expanded={open}>
        <div id="checkpoint">
          <Text size="sm" c="dimmed" my={6}>
            Keep a copy elsewhere: <Code>leadglass audit verify</Code> shows with it that no entry up to this point was
            changed, removed or moved.
          </Text>
          <Code block>{checkpoint}</Code>
        </div>
      </Collapse>
    </div>
  );
}
