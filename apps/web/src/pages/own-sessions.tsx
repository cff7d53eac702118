import { Button, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { SessionListing } from "#formats/api";
import { call } from "../api/client.ts";
import { deviceName } from "../api/passkeys.ts";
import { sessionsQuery } from "../api/queries.ts";
import { ProblemNote } from "../shell/problem-note.tsx";
import { Time } from "../words/time.tsx";
import classes from "./rows.module.css";
import { useChange } from "./use-change.ts";

export function OwnSessions() {
  const sessions = useQuery(sessionsQuery);
  const end = useChange(({ id }: SessionListing) => call<void>("DELETE", `/api/sessions/${encodeURIComponent(id)}`));
  const endOthers = useChange(() => call<void>("DELETE", "/api/sessions"));
  const listed = sessions.data ?? [];
  const problem = sessions.error ?? end.error ?? endOthers.error;
  return (
    <>
      <Text size="sm" c="dimmed" mb="sm">
        End what you do not know, then change how you sign in.
      </Text>
      <div className={classes.wrap}>
        <table className={classes.table}>
          <thead>
            <tr>
              <th>Browser</th>
              <th>Address</th>
              <th className={classes.wide}>Since</th>
              <th>Last use</th>
              <th aria-label="Acts" />
            </tr>
          </thead>
          <tbody>
            {listed.map((session) => (
              <tr key={session.id}>
                <td title={session.userAgent}>{deviceName(session.userAgent)}</td>
                <td className={classes.mono}>{session.address}</td>
                <td className={classes.wide}>
                  <Time at={session.createdAt} />
                </td>
                <td>{session.isThis ? "this one" : <Time at={session.lastSeenAt} />}</td>
                <td className={classes.right}>
                  {session.isThis ? null : (
                    <Button size="compact-sm" variant="default" onClick={() => end.mutate(session)}>
                      End
                    </Button>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {problem === null ? null : <ProblemNote error={problem} />}
      {listed.length > 1 ? (
        <Button mt="sm" variant="default" loading={endOthers.isPending} onClick={() => endOthers.mutate()}>
          End all but this one
        </Button>
      ) : null}
    </>
  );
}
