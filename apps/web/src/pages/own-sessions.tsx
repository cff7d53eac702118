import { Button, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { SessionListing } from "#formats/api";
import { call } from "../api/client.ts";
import { sessionsQuery } from "../api/queries.ts";
import { ProblemNote } from "../shell/problem-note.tsx";
import { SessionRows } from "./session-rows.tsx";
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
      <SessionRows sessions={listed} onEnd={end.mutate} />
      {problem === null ? null : <ProblemNote error={problem} />}
      {listed.length > 1 ? (
        <Button mt="sm" variant="default" loading={endOthers.isPending} onClick={() => endOthers.mutate()}>
          End all but this one
        </Button>
      ) : null}
    </>
  );
}
