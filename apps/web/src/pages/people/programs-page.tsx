import { Button, Code, Group, Modal, Text } from "@mantine/core";
import { useHotkeys } from "@mantine/hooks";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import type { ClientView, GrantView } from "#formats/api";
import { accessChanged, clientsQuery, grantsQuery, useFacilityNames } from "../../api/access-queries.ts";
import { call } from "../../api/client.ts";
import { useMay } from "../../api/queries.ts";
import { ProblemNote } from "../../shell/problem-note.tsx";
import { useShortcuts } from "../../shell/shortcuts.tsx";
import { placeLabel, roleLabel } from "../../words/role-words.ts";
import { Time } from "../../words/time.tsx";
import { Page } from "../page.tsx";
import { ActsHead, RowAct } from "../row-acts.tsx";
import rows from "../rows.module.css";
import { AddProgram } from "./add-program.tsx";
import classes from "./people.module.css";
import { programKind } from "./program-words.ts";

const shortcuts = [{ keys: "N", label: "Add a program" }];

/** A program that asks for tokens by OAuth, or one that `leadglass token` makes them for. */
interface Program {
  readonly id: string;
  readonly name: string;
  readonly registered: ClientView | undefined;
  readonly grants: readonly GrantView[];
}

export function ProgramsPage() {
  const may = useMay();
  const [isAdding, setAdding] = useState(false);
  const clients = useQuery(clientsQuery);
  const grants = useQuery({ ...grantsQuery(true), enabled: may("grant.read") });
  useHotkeys([["n", () => setAdding(may("client.write"))]]);
  useShortcuts("Programs", shortcuts);
  const programs = programsOf(clients.data ?? [], grants.data ?? []);
  return (
    <Page title="Programs" about="They read and write with tokens, for people or for themselves">
      {may("client.write") ? (
        <div className={classes.filters}>
          <Button className={classes.push} onClick={() => setAdding(true)}>
            Add a program
          </Button>
        </div>
      ) : null}
      {clients.error !== null && clients.data === undefined ? (
        <ProblemNote error={clients.error} onRetry={() => void clients.refetch()} />
      ) : clients.data === undefined ? (
        <div className={rows.empty}>Reading the list…</div>
      ) : programs.length === 0 ? (
        <div className={rows.empty}>
          No program has access. Add a viewer, an app or a server of yours; for a script on this machine{" "}
          <Code>leadglass token --client NAME</Code> makes one.
        </div>
      ) : (
        <ProgramRows programs={programs} />
      )}
      <AddProgram opened={isAdding} onClose={() => setAdding(false)} />
    </Page>
  );
}

function programsOf(clients: readonly ClientView[], grants: readonly GrantView[]): readonly Program[] {
  const held = Map.groupBy(
    grants.filter(({ holder, holderName }) => holder.startsWith("client:") && holderName !== "a removed account"),
    ({ holder }) => holder.slice("client:".length),
  );
  const byToken = [...held].map(([id, theirs]) => ({ id, name: theirs[0]?.holderName ?? "", registered: undefined }));
  const registered = clients.map((client) => ({ id: client.id, name: client.name, registered: client }));
  const known = new Set(clients.map(({ id }) => id));
  return [...registered, ...byToken.filter(({ id }) => !known.has(id))]
    .map((each) => ({ ...each, grants: (held.get(each.id) ?? []).filter(({ isLive }) => isLive) }))
    .sort((one, other) => one.name.localeCompare(other.name));
}

function ProgramRows({ programs }: { readonly programs: readonly Program[] }) {
  const may = useMay();
  const facilities = useFacilityNames();
  const [leaving, setLeaving] = useState<Program | undefined>(undefined);
  return (
    <div className={rows.wrap}>
      <table className={rows.table} aria-label="Programs">
        <thead>
          <tr>
            <th>Name</th>
            <th>Kind</th>
            <th className={rows.wide}>Client id</th>
            <th className={rows.wide}>Sends people back to</th>
            <th>May by itself</th>
            <th className={rows.wide}>Since</th>
            <ActsHead />
          </tr>
        </thead>
        <tbody>
          {programs.map((program) => (
            <tr key={program.id}>
              <td>{program.name}</td>
              <td>{programKind(program.registered)}</td>
              <td className={`${rows.wide} ${rows.mono}`}>{program.registered?.id}</td>
              <td className={`${rows.wide} ${rows.mono}`}>
                {program.registered?.redirectUris.map((uri) => (
                  <div key={uri}>{uri}</div>
                ))}
              </td>
              <td>
                {program.grants.length === 0 ? (
                  "nothing"
                ) : (
                  <Link to="/grants" search={{ who: `client:${program.id}` }} className={classes.name}>
                    {program.grants
                      .map(({ role, place }) => `${roleLabel(role)}, ${placeLabel(place, facilities).toLowerCase()}`)
                      .join("; ")}
                  </Link>
                )}
              </td>
              <td className={`${rows.wide} ${rows.plain}`}>
                {program.registered === undefined ? "" : <Time at={program.registered.createdAt} />}
              </td>
              <td className={rows.right}>
                {may("client.write") ? (
                  <RowAct onClick={() => setLeaving(program)} label={`Remove ${program.name}`}>
                    Remove
                  </RowAct>
                ) : null}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <RemoveProgram program={leaving} onClose={() => setLeaving(undefined)} />
    </div>
  );
}

function RemoveProgram({ program, onClose }: { readonly program: Program | undefined; onClose(): void }) {
  const queries = useQueryClient();
  const remove = useMutation({
    mutationFn: (id: string) => call<void>("DELETE", `/api/clients/${encodeURIComponent(id)}`),
    onSuccess: () => {
      accessChanged(queries);
      onClose();
    },
  });
  const close = () => {
    remove.reset();
    onClose();
  };
  return (
    <Modal opened={program !== undefined} onClose={close} title={`Remove ${program?.name ?? ""}?`}>
      <Text mb="sm">Its tokens, its grants and what people let it do end at once. What it did stays in the log.</Text>
      {remove.isError ? <ProblemNote error={remove.error} /> : null}
      <Group justify="flex-end" gap="xs" mt="sm">
        <Button variant="default" onClick={close} data-autofocus>
          Keep it
        </Button>
        <Button color="red" loading={remove.isPending} onClick={() => program && remove.mutate(program.id)}>
          Remove
        </Button>
      </Group>
    </Modal>
  );
}
