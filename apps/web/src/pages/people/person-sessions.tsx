import { Title } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import type { SessionListing } from "#formats/api";
import { everybodysSessionsQuery } from "../../api/access-queries.ts";
import { call } from "../../api/client.ts";
import { useMay } from "../../api/queries.ts";
import { ProblemNote } from "../../shell/problem-note.tsx";
import rows from "../rows.module.css";
import { SessionRows } from "../session-rows.tsx";

/** Where somebody else is signed in. */
export function PersonSessions({ name }: { readonly name: string }) {
  const may = useMay();
  const queries = useQueryClient();
  const sessions = useQuery(everybodysSessionsQuery);
  const end = useMutation({
    mutationFn: ({ id }: SessionListing) => call<void>("DELETE", `/api/sessions/everybody/${encodeURIComponent(id)}`),
    onSettled: () => queries.invalidateQueries(everybodysSessionsQuery),
  });
  const theirs = (sessions.data ?? []).filter(({ holder }) => holder === name);
  const problem = (sessions.data === undefined ? sessions.error : null) ?? end.error;
  return (
    <section className={rows.section} aria-labelledby="signed-in">
      <Title order={2} id="signed-in" mb={6}>
        Signed in
      </Title>
      {problem === null ? null : <ProblemNote error={problem} />}
      {theirs.length === 0 ? (
        <div className={rows.empty}>Nowhere at the moment.</div>
      ) : (
        <SessionRows sessions={theirs} name={name} onEnd={may("session.close") ? end.mutate : undefined} />
      )}
    </section>
  );
}
