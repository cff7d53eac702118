import { Button, Code, Group, Text, Title } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import type { ConfirmationView } from "#formats/api";
import { call } from "../api/client.ts";
import { confirmationsQuery, peopleQuery } from "../api/queries.ts";
import { ProblemNote } from "../shell/problem-note.tsx";
import { actWords, isOpen, outcomeWords } from "../words/confirmation-words.ts";
import { exactTime, relativeTime } from "../words/moments.ts";
import { Time, useNow } from "../words/time.tsx";
import { ConfirmAct } from "./confirm-act.tsx";
import classes from "./confirmations.module.css";
import { Page } from "./page.tsx";
import rows from "./rows.module.css";

/** What one person must not do alone: asked for by one, confirmed here by another. */
export function ConfirmationsPage() {
  const all = useQuery(confirmationsQuery);
  const now = useNow();
  if (all.data === undefined) {
    return (
      <Page title="Confirmations">
        {all.error === null ? (
          <div className={rows.empty}>Reading the requests…</div>
        ) : (
          <ProblemNote error={all.error} onRetry={() => void all.refetch()} />
        )}
      </Page>
    );
  }
  const open = all.data.filter(isOpen(now));
  const decided = all.data.filter((each) => !isOpen(now)(each));
  return (
    <Page title="Confirmations" about="Nobody shreds, exports in bulk or changes the root key alone">
      <SecondNeeded />
      <section className={rows.section} aria-label="To be decided" aria-live="polite">
        {open.length === 0 ? (
          <div className={rows.empty}>
            Nothing waits for a second administrator. What one asks for, for example with{" "}
            <Code>leadglass vault shred</Code>, is shown here to the others.
          </div>
        ) : (
          open.map((each) => <Asked key={each.id} asked={each} />)
        )}
      </section>
      {decided.length === 0 ? null : (
        <section className={rows.section} aria-labelledby="decided">
          <Title order={2} id="decided" mb={6}>
            Decided
          </Title>
          <Decided all={decided} />
        </section>
      )}
    </Page>
  );
}

function SecondNeeded() {
  const people = useQuery(peopleQuery);
  const administrators = people.data?.accounts.filter(({ roles }) => roles.includes("administrator")).length ?? 2;
  if (administrators > 1) return null;
  return (
    <div className={classes.note} role="note">
      There is one administrator. Until there is a second, such acts are refused:{" "}
      <Code>leadglass user add NAME --role administrator</Code> prints a one-use link for another person.
    </div>
  );
}

function Asked({ asked }: { readonly asked: ConfirmationView }) {
  const now = useNow();
  const queries = useQueryClient();
  const [isConfirming, setConfirming] = useState(false);
  const decline = useMutation({
    mutationFn: (act: "refuse" | "withdraw") => call<ConfirmationView>("POST", `/api/confirmations/${asked.id}/${act}`),
    onSettled: () => queries.invalidateQueries(confirmationsQuery),
  });
  const { label, says, isFinal } = actWords(asked.act);
  const facts = Object.entries(asked.detail);
  return (
    <article className={classes.card} aria-label={label}>
      <div className={classes.head}>
        <Title order={2}>{label}</Title>
        <Text size="sm" c="dimmed">
          {asked.isOwn ? "You asked" : `${asked.requestedBy} asked`} <Time at={asked.requestedAt} />; the time to
          confirm ends{" "}
          <time dateTime={new Date(asked.endsAt).toISOString()} title={exactTime(asked.endsAt)}>
            {relativeTime(asked.endsAt, now)}
          </time>
        </Text>
      </div>
      <Text className={isFinal ? classes.final : undefined}>{says}</Text>
      {facts.length === 0 ? null : (
        <dl className={classes.facts}>
          {facts.map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      )}
      {decline.isError ? <ProblemNote error={decline.error} /> : null}
      <Group gap="xs" mt="sm" justify="space-between">
        {asked.on.kind === "study" ? (
          <Link to="/studies/$token" params={{ token: asked.on.id }} className={classes.link}>
            Open the study
          </Link>
        ) : (
          <span />
        )}
        {asked.isOwn ? (
          <Button variant="default" loading={decline.isPending} onClick={() => decline.mutate("withdraw")}>
            Withdraw
          </Button>
        ) : (
          <Group gap="xs">
            <Button variant="default" loading={decline.isPending} onClick={() => decline.mutate("refuse")}>
              Refuse
            </Button>
            <Button onClick={() => setConfirming(true)}>Confirm…</Button>
          </Group>
        )}
      </Group>
      <ConfirmAct asked={asked} opened={isConfirming} onClose={() => setConfirming(false)} />
    </article>
  );
}

function Decided({ all }: { readonly all: readonly ConfirmationView[] }) {
  return (
    <div className={rows.wrap}>
      <table className={rows.table}>
        <thead>
          <tr>
            <th>Asked</th>
            <th>Act</th>
            <th className={rows.wide}>By</th>
            <th>Outcome</th>
          </tr>
        </thead>
        <tbody>
          {all.map((each) => (
            <tr key={each.id}>
              <td className={rows.plain}>
                <Time at={each.requestedAt} />
              </td>
              <td>{actWords(each.act).label}</td>
              <td className={rows.wide}>{each.isOwn ? "you" : each.requestedBy}</td>
              <td className={each.state === "failed" ? rows.refused : undefined}>
                {outcomeWords(each.state === "pending" ? { ...each, state: "expired" } : each)}
                {each.problem === undefined ? "" : `: ${each.problem.message}`}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
