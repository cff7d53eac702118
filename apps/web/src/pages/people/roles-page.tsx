import { Text, Title } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { IconCheck, IconMapPin } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { Fragment } from "react";
import type { Role, RoleView } from "#formats/api";
import { rolesQuery } from "../../api/access-queries.ts";
import { ProblemNote } from "../../shell/problem-note.tsx";
import { actGroup, actGroupLabel, actGroups, actLabel, wordedActs } from "../../words/act-words.ts";
import { roleLabel, roleSays } from "../../words/role-words.ts";
import { Page } from "../page.tsx";
import rows from "../rows.module.css";
import { peopleFilter } from "./access-views.ts";
import classes from "./people.module.css";
import { RoleFilter } from "./role-filter.tsx";

type Where = RoleView["acts"][number]["where"];

/** What each role may do, from the table that the server decides by. */
export function RolesPage() {
  const { role } = useSearch({ from: "/roles", select: peopleFilter });
  const navigate = useNavigate({ from: "/roles" });
  const isNarrow = useMediaQuery("(max-width: 900px)", undefined, { getInitialValueInEffect: false });
  const read = useQuery(rolesQuery);
  const shown = role ?? (isNarrow === true ? read.data?.[0]?.role : undefined);
  const one = read.data?.find((each) => each.role === shown);
  return (
    <Page title="Roles" about="What each may do">
      <search className={classes.filters}>
        <RoleFilter
          role={shown}
          onRole={(next) => void navigate({ search: next === undefined ? {} : { role: next }, replace: true })}
        />
        <Text size="sm" c="dimmed">
          {shown === undefined ? <Legend /> : roleSays(shown)}
        </Text>
      </search>
      {read.error !== null && read.data === undefined ? (
        <ProblemNote error={read.error} onRetry={() => void read.refetch()} />
      ) : null}
      {one !== undefined ? <OneRole role={one} /> : read.data === undefined ? null : <Matrix roles={read.data} />}
    </Page>
  );
}

function Legend() {
  return (
    <>
      <IconMapPin size={14} className={classes.may} aria-hidden /> where it was granted ·{" "}
      <IconCheck size={14} className={classes.may} aria-hidden /> if it was granted everywhere, or for oneself
    </>
  );
}

function groupsOf(acts: readonly string[]) {
  const inOrder = wordedActs
    .filter((act) => acts.includes(act))
    .concat(acts.filter((act) => !wordedActs.includes(act)));
  return actGroups
    .map((group) => ({ group, acts: inOrder.filter((act) => actGroup(act) === group) }))
    .filter((each) => each.acts.length > 0);
}

function OneRole({ role: { role, acts } }: { readonly role: RoleView }) {
  const where = new Map(acts.map((each) => [each.act, each.where]));
  return (
    <div className={classes.columns}>
      {groupsOf(acts.map(({ act }) => act)).map(({ group, acts: theirs }) => (
        <section key={group} aria-label={actGroupLabel[group]}>
          <Title order={2}>{actGroupLabel[group]}</Title>
          <ul aria-label={`${roleLabel(role)}: ${actGroupLabel[group]}`}>
            {theirs.map((act) => (
              <li key={act} title={act}>
                {actLabel(act)} <span className={classes.where}>{whereWords(where.get(act))}</span>
              </li>
            ))}
          </ul>
        </section>
      ))}
    </div>
  );
}

/** Acts down, roles across. */
function Matrix({ roles }: { readonly roles: readonly RoleView[] }) {
  const held = new Map(roles.map(({ role, acts }) => [role, new Map(acts.map(({ act, where }) => [act, where]))]));
  const all = [...new Set(roles.flatMap(({ acts }) => acts.map(({ act }) => act)))];
  return (
    <div className={rows.wrap}>
      <table className={classes.matrix} aria-label="Acts and roles">
        <thead>
          <tr>
            <th>Act</th>
            {roles.map(({ role }) => (
              <th key={role} scope="col" title={roleSays(role)}>
                {roleLabel(role)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {groupsOf(all).map(({ group, acts }) => (
            <Fragment key={group}>
              <tr>
                <th scope="rowgroup" colSpan={roles.length + 1}>
                  {actGroupLabel[group]}
                </th>
              </tr>
              {acts.map((act) => (
                <tr key={act}>
                  <th scope="row" title={act}>
                    {actLabel(act)}
                  </th>
                  {roles.map(({ role }) => (
                    <Mark key={role} role={role} where={held.get(role)?.get(act)} />
                  ))}
                </tr>
              ))}
            </Fragment>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Mark({ role, where }: { readonly role: Role; readonly where: Where | undefined }) {
  if (where === undefined) return <td />;
  const words = `${roleLabel(role)}: ${whereWords(where)}`;
  const Icon = where === "study" || where === "lists" ? IconMapPin : IconCheck;
  return (
    <td title={words}>
      <Icon size={15} className={classes.may} role="img" aria-label={words} />
    </td>
  );
}

function whereWords(where: Where | undefined): string {
  if (where === "tenant") return "granted everywhere";
  return where === "self" ? "for oneself" : "where granted";
}
