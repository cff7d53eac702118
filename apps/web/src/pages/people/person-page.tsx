import { Button, Group, Title } from "@mantine/core";
import { IconArrowLeft } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { counted, type PeopleView } from "#formats/api";
import { everybodysSessionsQuery, grantsQuery } from "../../api/access-queries.ts";
import { peopleQuery, sessionQuery, useMay } from "../../api/queries.ts";
import { ProblemNote } from "../../shell/problem-note.tsx";
import { Time } from "../../words/time.tsx";
import { NotFoundPage } from "../not-found-page.tsx";
import { Page } from "../page.tsx";
import rows from "../rows.module.css";
import { GiveGrant } from "./give-grant.tsx";
import { GrantRows } from "./grant-rows.tsx";
import classes from "./people.module.css";
import { PersonSessions } from "./person-sessions.tsx";
import { RecoverPerson } from "./recover-person.tsx";
import { RemovePerson } from "./remove-person.tsx";
import { waysInWords } from "./ways-in-words.ts";

type Account = PeopleView["accounts"][number];

/** One person: what they may do, where they are signed in, and how to help or part. */
export function PersonPage() {
  const { id } = useParams({ from: "/people/$id" });
  const people = useQuery(peopleQuery);
  const account = people.data?.accounts.find((each) => each.id === id);
  if (people.data !== undefined && account === undefined) return <NotFoundPage />;
  return (
    <Page title="Person" heading={account?.name ?? "Person"} about={<BackToPeople />}>
      {people.error !== null && people.data === undefined ? (
        <ProblemNote error={people.error} onRetry={() => void people.refetch()} />
      ) : null}
      {account === undefined ? null : <Person key={id} account={account} />}
    </Page>
  );
}

function Person({ account }: { readonly account: Account }) {
  const may = useMay();
  const isSelf = useQuery(sessionQuery).data?.account.id === account.id;
  const isComplete = useWhatStandsAbove();
  const [dialog, setDialog] = useState<"recover" | "remove" | undefined>(undefined);
  const close = () => setDialog(undefined);
  return (
    <>
      <div className={rows.section}>
        <dl className={rows.facts}>
          <dt>Signs in with</dt>
          <dd>{waysInWords(account)}</dd>
          <dt>Account since</dt>
          <dd>
            <Time at={account.createdAt} />
          </dd>
        </dl>
      </div>
      <Held account={account} />
      {may("session.list") ? <PersonSessions name={account.name} /> : null}
      {isComplete ? (
        <Group gap="xs">
          {may("account.recover") && !isSelf ? (
            <Button variant="default" onClick={() => setDialog("recover")}>
              Give new ways in…
            </Button>
          ) : null}
          {may("account.remove") ? (
            <Button variant="outline" color="red" onClick={() => setDialog("remove")}>
              Remove the account…
            </Button>
          ) : null}
        </Group>
      ) : null}
      <RecoverPerson name={account.name} opened={dialog === "recover"} onClose={close} />
      <RemovePerson name={account.name} isSelf={isSelf} opened={dialog === "remove"} onClose={close} />
    </>
  );
}

/** Whether the lists above are there: a button below them would be pushed away from under the pointer by what arrives. */
function useWhatStandsAbove(): boolean {
  const may = useMay();
  const grants = useQuery({ ...grantsQuery(true), enabled: may("grant.read") });
  const sessions = useQuery({ ...everybodysSessionsQuery, enabled: may("session.list") });
  return !grants.isLoading && !sessions.isLoading;
}

function BackToPeople() {
  return (
    <Link to="/people" className={classes.back}>
      <IconArrowLeft size={14} aria-hidden />
      People
    </Link>
  );
}

function Held({ account }: { readonly account: Account }) {
  const may = useMay();
  const [withEnded, setWithEnded] = useState(false);
  const [isGiving, setGiving] = useState(false);
  const all = useQuery({ ...grantsQuery(true), enabled: may("grant.read") });
  if (!may("grant.read")) return null;
  const theirs = (all.data ?? []).filter(({ holder }) => holder === `user:${account.id}`);
  const live = theirs.filter(({ isLive }) => isLive);
  const over = theirs.length - live.length;
  const shown = withEnded ? theirs : live;
  return (
    <section className={rows.section} aria-labelledby="granted">
      <Group justify="space-between" mb={6}>
        <Title order={2} id="granted">
          Grants
        </Title>
        <Group gap="xs">
          {over === 0 ? null : (
            <Button variant="subtle" size="compact-sm" onClick={() => setWithEnded(!withEnded)}>
              {withEnded ? "Hide ended ones" : `Show ${counted(over, "ended one")}`}
            </Button>
          )}
          {may("grant.write") ? (
            <Button size="compact-md" onClick={() => setGiving(true)}>
              Give a grant
            </Button>
          ) : null}
        </Group>
      </Group>
      {all.error !== null && all.data === undefined ? (
        <ProblemNote error={all.error} onRetry={() => void all.refetch()} />
      ) : (
        <>
          {all.data !== undefined && live.length === 0 ? (
            <div className={rows.empty}>Nothing: {account.name} cannot sign in until something is granted.</div>
          ) : null}
          {shown.length === 0 ? null : (
            <GrantRows grants={shown} withHolder={false} label={`Grants of ${account.name}`} />
          )}
        </>
      )}
      <GiveGrant to={account.name} opened={isGiving} onClose={() => setGiving(false)} />
    </section>
  );
}
