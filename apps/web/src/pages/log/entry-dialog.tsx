import { Button, Group, Loader, Modal, Text } from "@mantine/core";
import { IconShieldCheck } from "@tabler/icons-react";
import { useMutation, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Fragment, type ReactNode, useState } from "react";
import type { EntryDetailView, FoundEntryView } from "#formats/api";
import { call } from "../../api/client.ts";
import { entryQuery } from "../../api/oversight-queries.ts";
import { useMay } from "../../api/queries.ts";
import { ProblemNote } from "../../shell/problem-note.tsx";
import { detailLabel, entryLabel } from "../../words/log-words.ts";
import { exactTime } from "../../words/moments.ts";
import { type Purpose, purposeLabel } from "../../words/role-words.ts";
import rows from "../rows.module.css";
import type { LogView } from "./log-view.ts";
import { VerifyEntry } from "./verify-entry.tsx";

export interface EntryDialogProps {
  /** The entry that is open; undefined for none. */
  readonly index: number | undefined;
  onClose(): void;
  onFilter(view: LogView): void;
}

/** One entry: all that it says, what is personal about it, and its proof. */
export function EntryDialog({ index, onClose, onFilter }: EntryDialogProps) {
  const entry = useQuery({ ...entryQuery(index ?? 0), enabled: index !== undefined });
  const [isVerifying, setVerifying] = useState(false);
  return (
    <Modal
      opened={index !== undefined}
      onClose={onClose}
      size="xl"
      title={`Entry ${(index ?? 0).toLocaleString("en")}`}
    >
      {entry.error === null ? null : <ProblemNote error={entry.error} onRetry={() => void entry.refetch()} />}
      {entry.data === null ? <Text>The log has no such entry yet.</Text> : null}
      {entry.isPending ? <Loader size="sm" aria-label="Reading the entry" /> : null}
      {entry.data == null ? null : (
        <>
          <EntryFacts entry={entry.data} onFilter={onFilter} />
          {isVerifying ? (
            <VerifyEntry entry={entry.data} />
          ) : (
            <Group mt="md">
              <Button
                leftSection={<IconShieldCheck size={17} aria-hidden />}
                onClick={() => setVerifying(true)}
                data-autofocus
              >
                Verify in this browser
              </Button>
            </Group>
          )}
        </>
      )}
    </Modal>
  );
}

function EntryFacts({ entry, onFilter }: { readonly entry: FoundEntryView; onFilter(view: LogView): void }) {
  const { at, actor, actorName, act, on, studies = [], purpose, outcome, counts = {} } = entry;
  const facts: readonly (readonly [string, ReactNode])[] = [
    [
      "When",
      <time key="at" dateTime={new Date(at).toISOString()} title={new Date(at).toISOString()}>
        {exactTime(at)}
      </time>,
    ],
    [
      "Who",
      <Also key="who" label="All by the same" onClick={() => onFilter({ actor })}>
        {actorName === "" ? actor : <span title={actor}>{actorName}</span>}
      </Also>,
    ],
    [
      "Act",
      <Also key="act" label="All of this kind" onClick={() => onFilter({ act })}>
        {entryLabel(act)}
      </Also>,
    ],
    ...(on === undefined ? [] : [["On", <Subject key="on" on={on} onFilter={onFilter} />] as const]),
    ...(studies.length === 0 ? [] : [["Studies", <Studies key="studies" tokens={studies} />] as const]),
    ...(purpose === undefined ? [] : [["For", purposeLabel(purpose as Purpose) ?? purpose] as const]),
    ...Object.entries(counts).map(([name, count]) => [name, count.toLocaleString("en")] as const),
    [
      "Outcome",
      <span key="outcome" className={outcome === "done" ? undefined : rows.refused}>
        {outcome}
      </span>,
    ],
    ...(entry.detail !== undefined ? [["Kept sealed", <Detail key="detail" index={entry.index} />] as const] : []),
  ];
  return (
    <dl className={rows.facts}>
      {facts.map(([name, value]) => (
        <Fragment key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </Fragment>
      ))}
    </dl>
  );
}

function Also({ label, onClick, children }: { readonly label: string; onClick(): void; readonly children: ReactNode }) {
  return (
    <Group justify="space-between" gap="xs" wrap="nowrap">
      <span>{children}</span>
      <Button size="compact-sm" variant="subtle" onClick={onClick}>
        {label}
      </Button>
    </Group>
  );
}

function Subject({ on, onFilter }: { readonly on: NonNullable<FoundEntryView["on"]>; onFilter(view: LogView): void }) {
  const text = (
    <span>
      {on.kind} <span className={rows.mono}>{on.id}</span>
    </span>
  );
  if (on.kind !== "study" && on.kind !== "patient") return text;
  return (
    <Also label={`All about this ${on.kind}`} onClick={() => onFilter({ study: on.id })}>
      {text}
    </Also>
  );
}

function Studies({ tokens }: { readonly tokens: readonly string[] }) {
  return tokens.slice(0, 5).map((token) => (
    <div key={token}>
      <Link to="/log" search={{ study: token }} className={rows.mono}>
        {token}
      </Link>
    </div>
  ));
}

/** An address, a reason in somebody's words: opened for who may, and that it was is an entry too. */
function Detail({ index }: { readonly index: number }) {
  const may = useMay();
  const reveal = useMutation({
    mutationFn: () => call<EntryDetailView>("GET", `/api/audit/entries/${index}/detail`),
  });
  if (!may("audit.reveal")) return "something personal, for who may reveal it";
  if (reveal.data !== undefined) {
    return Object.entries(reveal.data.detail).map(([name, value]) => (
      <div key={name}>
        {detailLabel(name)}: {value}
      </div>
    ));
  }
  return (
    <>
      <Button size="compact-sm" variant="default" loading={reveal.isPending} onClick={() => reveal.mutate()}>
        Reveal it
      </Button>{" "}
      <Text span size="sm" c="dimmed">
        That you did is written down
      </Text>
      {reveal.isError ? <ProblemNote error={reveal.error} /> : null}
    </>
  );
}
