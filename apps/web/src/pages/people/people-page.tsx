import { Button, Text, Title } from "@mantine/core";
import { useHotkeys } from "@mantine/hooks";
import { IconUserPlus } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { type ReactNode, useMemo, useState } from "react";
import { counted, type GrantView, type PeopleView, rolesOfPeople, type SessionListing } from "#formats/api";
import { everybodysSessionsQuery, grantsQuery, useFacilityNames } from "../../api/access-queries.ts";
import { peopleQuery, useMay } from "../../api/queries.ts";
import { ProblemNote } from "../../shell/problem-note.tsx";
import { useShortcuts } from "../../shell/shortcuts.tsx";
import { placeLabel, roleList } from "../../words/role-words.ts";
import { Time } from "../../words/time.tsx";
import { Page } from "../page.tsx";
import rows from "../rows.module.css";
import { peopleFilter } from "./access-views.ts";
import { FindBox, isFound } from "./find-box.tsx";
import { Invitations } from "./invitations.tsx";
import { InvitePerson } from "./invite-person.tsx";
import classes from "./people.module.css";
import { RoleFilter } from "./role-filter.tsx";
import { useSome } from "./show-more.tsx";
import { waysInWords } from "./ways-in-words.ts";

type Account = PeopleView["accounts"][number];

const shortcuts = [
  { keys: "/", label: "Search by name" },
  { keys: "N", label: "Invite a person" },
];

/** Who has an account, and who is invited to make one. */
export function PeoplePage() {
  const people = useQuery(peopleQuery);
  const may = useMay();
  const [isInviting, setInviting] = useState(false);
  useHotkeys([["n", () => setInviting(may("account.invite"))]]);
  useShortcuts("People", shortcuts);
  return (
    <Page title="People" about={people.data && counted(people.data.accounts.length, "account")}>
      {people.error !== null && people.data === undefined ? (
        <ProblemNote error={people.error} onRetry={() => void people.refetch()} />
      ) : null}
      {people.data === undefined ? null : (
        <>
          <Accounts accounts={people.data.accounts}>
            {may("account.invite") ? (
              <Button
                className={classes.push}
                leftSection={<IconUserPlus size={16} aria-hidden />}
                onClick={() => setInviting(true)}
              >
                Invite a person
              </Button>
            ) : null}
          </Accounts>
          <section className={rows.section} aria-labelledby="invited">
            <Title order={2} id="invited" mb={6}>
              Invited
            </Title>
            <Invitations invitations={people.data.invitations} />
          </section>
        </>
      )}
      <InvitePerson opened={isInviting} onClose={() => setInviting(false)} />
    </Page>
  );
}

function Accounts({ accounts, children }: { readonly accounts: readonly Account[]; readonly children: ReactNode }) {
  const { role } = useSearch({ from: "/people", select: peopleFilter });
  const navigate = useNavigate({ from: "/people" });
  const [text, setText] = useState("");
  const found = useMemo(
    () =>
      accounts
        .filter(({ name, roles }) => isFound(name, text) && (role === undefined || roles.includes(role)))
        .sort((one, other) => one.name.localeCompare(other.name)),
    [accounts, text, role],
  );
  const { some, more } = useSome(found);
  const clear = () => {
    setText("");
    void navigate({ search: {}, replace: true });
  };
  return (
    <section className={rows.section} aria-label="Accounts">
      <search className={classes.filters}>
        <FindBox text={text} onText={setText} label="Search people by name" />
        <RoleFilter
          role={role}
          among={rolesOfPeople}
          onRole={(next) => void navigate({ search: next === undefined ? {} : { role: next }, replace: true })}
        />
        {children}
      </search>
      {found.length === 0 ? (
        <div className={rows.empty}>
          <Text mb="xs">Nobody matches.</Text>
          <Button variant="default" onClick={clear}>
            Show everybody
          </Button>
        </div>
      ) : (
        <AccountRows accounts={some} />
      )}
      {more}
    </section>
  );
}

function AccountRows({ accounts }: { readonly accounts: readonly Account[] }) {
  const may = useMay();
  const facilities = useFacilityNames();
  const grants = useQuery({ ...grantsQuery(false), enabled: may("grant.read") });
  const sessions = useQuery({ ...everybodysSessionsQuery, enabled: may("session.list") });
  const places = useMemo(() => gathered(grants.data ?? [], (grant: GrantView) => grant.holder), [grants.data]);
  const open = useMemo(() => gathered(sessions.data ?? [], (one: SessionListing) => one.holder), [sessions.data]);
  return (
    <div className={rows.wrap}>
      <table className={rows.table}>
        <thead>
          <tr>
            <th>Name</th>
            <th>Roles</th>
            <th className={rows.wide}>Where</th>
            <th className={rows.wide}>Signs in with</th>
            {may("session.list") ? <th>Signed in</th> : null}
            <th className={rows.wide}>Since</th>
          </tr>
        </thead>
        <tbody>
          {accounts.map((account) => {
            const held = places.get(`user:${account.id}`) ?? [];
            const where = [...new Set(held.map(({ place }) => placeLabel(place, facilities)))].join(", ");
            return (
              <tr key={account.id}>
                <td>
                  <Link to="/people/$id" params={{ id: account.id }} className={classes.name}>
                    {account.name}
                  </Link>
                </td>
                <td>{account.roles.length === 0 ? <NoRole /> : roleList(account.roles)}</td>
                <td className={rows.wide}>{where}</td>
                <td className={rows.wide}>{waysInWords(account)}</td>
                {may("session.list") ? (
                  <td className={rows.plain}>
                    <SignedIn sessions={open.get(account.name) ?? []} />
                  </td>
                ) : null}
                <td className={`${rows.wide} ${rows.plain}`}>
                  <Time at={account.createdAt} />
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

function NoRole() {
  return (
    <Text span c="dimmed" size="sm">
      none: cannot sign in
    </Text>
  );
}

/** The last use of the newest session; how many there are, where there is more than one. */
function SignedIn({ sessions }: { readonly sessions: readonly SessionListing[] }) {
  if (sessions.length === 0) return "no";
  return (
    <>
      <Time at={Math.max(...sessions.map(({ lastSeenAt }) => lastSeenAt))} />
      {sessions.length > 1 ? ` · ${sessions.length} browsers` : ""}
    </>
  );
}

function gathered<Row>(all: readonly Row[], keyOf: (row: Row) => string): ReadonlyMap<string, readonly Row[]> {
  return Map.groupBy(all, keyOf);
}
