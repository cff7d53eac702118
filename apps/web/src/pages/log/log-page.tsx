import { Button, Menu } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { counted, type FoundEntryView } from "#formats/api";
import { writeCsv } from "#formats/csv";
import { findEntries } from "../../api/oversight-queries.ts";
import { useMay } from "../../api/queries.ts";
import { ProblemNote } from "../../shell/problem-note.tsx";
import { useShortcuts } from "../../shell/shortcuts.tsx";
import { entryLabel, subjectWords } from "../../words/log-words.ts";
import { exactTime } from "../../words/moments.ts";
import { type EntryRun, runsOf } from "../entry-runs.ts";
import { Page } from "../page.tsx";
import rows from "../rows.module.css";
import { saveFile } from "../save-file.ts";
import { SavedViews } from "../saved-views.tsx";
import { EntryDialog } from "./entry-dialog.tsx";
import classes from "./log.module.css";
import { LogFilters } from "./log-filters.tsx";
import { isFiltered, type LogView, logQuestion, logView } from "./log-view.ts";
import { WholeLog } from "./whole-log.tsx";

const shortcuts = [
  { keys: "/", label: "Go to an entry or token" },
  { keys: "Enter", label: "Open the entry" },
];

/** The audit log, newest first: who did what, on what, and that it is so. */
export function LogPage() {
  const view = useSearch({ from: "/log" });
  const navigate = useNavigate({ from: "/log" });
  const { entry: _entry, ...filters } = view;
  const log = useInfiniteQuery({
    queryKey: ["audit", filters],
    queryFn: ({ pageParam }) =>
      findEntries({ ...logQuestion(filters), ...(pageParam !== undefined && { before: pageParam }) }),
    initialPageParam: undefined as number | undefined,
    getNextPageParam: (last) => last.next,
  });
  useShortcuts("Log", shortcuts);
  const show = (next: LogView) => void navigate({ search: next, replace: true });
  const entries = inOrder(log.data?.pages.flatMap((page) => page.entries) ?? []);
  const newest = log.data?.pages[0];
  const about = newest && `${counted(newest.size, "entry", "entries")}, none can be changed or removed unseen`;
  return (
    <Page title="Log" about={about}>
      <LogFilters
        view={view}
        onView={show}
        actorName={entries.find(({ actor }) => actor === view.actor)?.actorName ?? ""}
      >
        <SavedViews
          page="log"
          search={new URLSearchParams(filters as Record<string, string>).toString()}
          onShow={(kept) => show(logView(Object.fromEntries(new URLSearchParams(kept))))}
        />
        <WholeLog checkpoint={newest?.checkpoint ?? null} />
        <Exports entries={entries} />
      </LogFilters>
      {log.error !== null && log.data === undefined ? (
        <ProblemNote error={log.error} onRetry={() => void log.refetch()} />
      ) : entries.length === 0 ? (
        <Nothing isPending={log.isPending} isFiltered={isFiltered(view)} onClear={() => show({})} />
      ) : (
        <Entries entries={entries} onOpen={(entry) => show({ ...view, entry })} />
      )}
      {log.hasNextPage ? (
        <Button variant="default" mt="md" loading={log.isFetchingNextPage} onClick={() => void log.fetchNextPage()}>
          {entries.length === 0 ? "Search further back" : "Show older entries"}
        </Button>
      ) : null}
      <EntryDialog
        index={view.entry}
        onClose={() => show(filters)}
        onFilter={(only) => show(only)}
        key={view.entry ?? "none"}
      />
    </Page>
  );
}

interface NothingProps {
  readonly isPending: boolean;
  readonly isFiltered: boolean;
  onClear(): void;
}

function Nothing({ isPending, isFiltered: filtered, onClear }: NothingProps) {
  if (isPending) return <div className={rows.empty}>Reading the log…</div>;
  if (!filtered) return <div className={rows.empty}>Nothing has been done yet.</div>;
  return (
    <div className={rows.empty}>
      <p>No entry matches.</p>
      <Button variant="default" onClick={onClear}>
        Show all entries
      </Button>
    </div>
  );
}

function Entries({ entries, onOpen }: { readonly entries: readonly FoundEntryView[]; onOpen(index: number): void }) {
  return (
    <div className={rows.wrap}>
      <table className={rows.table} aria-label="Entries">
        <thead>
          <tr>
            <th className={rows.right}>Entry</th>
            <th>When</th>
            <th>Who</th>
            <th>Act</th>
            <th className={rows.wide}>On</th>
            <th>Outcome</th>
          </tr>
        </thead>
        <tbody>
          {runsOf(entries).map((run) => (
            <Run key={run.newest.index} run={run} onOpen={onOpen} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Entries that follow on each other and say the same: reading a series is one for each image. */
function Run({
  run: { newest, oldest },
  onOpen,
}: {
  readonly run: EntryRun<FoundEntryView>;
  onOpen(index: number): void;
}) {
  const count = newest.index - oldest.index + 1;
  return (
    <tr className={classes.row}>
      <td className={rows.right}>
        {count === 1 ? "" : `${oldest.index.toLocaleString("en")} – `}
        <button type="button" className={classes.entry} onClick={() => onOpen(newest.index)}>
          {newest.index.toLocaleString("en")}
        </button>
      </td>
      <td className={rows.plain}>
        <time dateTime={new Date(newest.at).toISOString()} title={new Date(newest.at).toISOString()}>
          {exactTime(newest.at)}
        </time>
      </td>
      <td className={newest.actorName === "" ? rows.mono : rows.plain} title={newest.actor}>
        {newest.actorName || newest.actor}
      </td>
      <td className={rows.plain} title={newest.act}>
        {entryLabel(newest.act)}
        {count === 1 ? "" : ` × ${count.toLocaleString("en")}`}
      </td>
      <td className={`${rows.plain} ${rows.wide}`} title={newest.on?.id}>
        {subjectWords(newest.on)}
      </td>
      <td className={newest.outcome === "done" ? undefined : rows.refused}>{newest.outcome}</td>
    </tr>
  );
}

/** What is shown as a table, or for an auditor all of it with its proof. */
function Exports({ entries }: { readonly entries: readonly FoundEntryView[] }) {
  const may = useMay();
  return (
    <Menu position="bottom-end" width={300}>
      <Menu.Target>
        <Button variant="default" leftSection={<IconDownload size={16} aria-hidden />}>
          Export
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item
          disabled={entries.length === 0}
          onClick={() => saveFile("leadglass-log.csv", writeCsv(heading, entries.map(cellsOf)), "text/csv")}
        >
          {`The ${counted(entries.length, "entry", "entries")} shown, as a table (CSV)`}
        </Menu.Item>
        {may("audit.export") ? (
          <Menu.Item component="a" href="/api/audit/bundle" download="leadglass-log.zip">
            The whole log with its proof (ZIP)
          </Menu.Item>
        ) : (
          <Menu.Label>The whole log with its proof is for auditors</Menu.Label>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}

const heading = ["entry", "at", "actor", "name", "act", "on", "id", "purpose", "outcome"];

const cellsOf = ({ index, at, actor, actorName, act, on, purpose, outcome }: FoundEntryView) => [
  ...[index, new Date(at).toISOString(), actor, actorName, act],
  ...[on?.kind, on?.id, purpose, outcome],
];

/** The log may grow between two pages: an entry is shown once, where its number says. */
function inOrder(entries: readonly FoundEntryView[]): readonly FoundEntryView[] {
  const byIndex = new Map(entries.map((entry) => [entry.index, entry]));
  return [...byIndex.values()].sort((one, other) => other.index - one.index);
}
