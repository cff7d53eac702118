import { Button, Title } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import type { SessionListing } from "#formats/api";
import { everybodysSessionsQuery } from "../../api/access-queries.ts";
import { call } from "../../api/client.ts";
import { deviceName } from "../../api/passkeys.ts";
import { useMay } from "../../api/queries.ts";
import { ProblemNote } from "../../shell/problem-note.tsx";
import { Time } from "../../words/time.tsx";
import rows from "../rows.module.css";

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
        <div className={rows.wrap}>
          <table className={rows.table}>
            <thead>
              <tr>
                <th>Browser</th>
                <th>Address</th>
                <th className={rows.wide}>Since</th>
                <th>Last use</th>
                <th>
                  <span className="visually-hidden">Acts</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {theirs.map((session) => (
                <tr key={session.id}>
                  <td title={session.userAgent}>{deviceName(session.userAgent)}</td>
                  <td className={rows.mono}>{session.address}</td>
                  <td className={rows.wide}>
                    <Time at={session.createdAt} />
                  </td>
                  <td className={rows.plain}>{session.isThis ? "this one" : <Time at={session.lastSeenAt} />}</td>
                  <td className={rows.right}>
                    {session.isThis || !may("session.close") ? null : (
                      <Button
                        size="compact-sm"
                        variant="default"
                        onClick={() => end.mutate(session)}
                        aria-label={`End the session of ${name} on ${deviceName(session.userAgent)}`}
                      >
                        End
                      </Button>
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
