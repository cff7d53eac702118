import { Button, Progress, Stack, Text } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import type { PhantomState } from "#formats/api";
import { call } from "../api/client.ts";
import { useEvents } from "../api/events.tsx";
import { phantomQuery } from "../api/queries.ts";
import { wordsOf } from "../shell/problem-note.tsx";

/** Loads the built-in CT head and shows how far it is. */
export function LoadPhantom({
  onOpen,
  variant = "default",
}: {
  onOpen?(token: string): void;
  readonly variant?: "default" | "filled";
}) {
  const queries = useQueryClient();
  const navigate = useNavigate();
  const phantom = useQuery(phantomQuery);
  const keep = (state: PhantomState) => queries.setQueryData(phantomQuery.queryKey, state);
  const [begun, setBegun] = useState(false);
  useEvents((event) => {
    if (event.type === "phantom") {
      if (event.phantom.state === "loading") setBegun(true);
      keep(event.phantom);
    } else if (event.type === "study" && begun && phantom.data?.state === "absent") {
      // The last slices are stored before the list counts them: then the end is told too early, and asked for again.
      void queries.invalidateQueries(phantomQuery);
    }
  });
  const load = useMutation({ mutationFn: () => call<PhantomState>("POST", "/api/phantom"), onSuccess: keep });
  const state = phantom.data;
  if (state?.state === "loaded" && state.studyToken !== undefined) {
    const token = state.studyToken;
    const open = onOpen ?? ((to: string) => void navigate({ to: "/studies/$token", params: { token: to } }));
    return (
      <Button variant={variant} onClick={() => open(token)}>
        Open the phantom study
      </Button>
    );
  }
  if (state?.state === "loading" || load.isPending) {
    const percent = state === undefined || state.total === 0 ? 0 : (100 * state.done) / state.total;
    return (
      <Stack gap={4} miw={220} role="status">
        <Text size="sm">
          Loading the phantom study: {state?.done ?? 0} of {state?.total || "…"}
        </Text>
        <Progress value={percent} aria-label="Phantom study loaded" />
      </Stack>
    );
  }
  return (
    <Stack gap={4} align="flex-start">
      <Button variant={variant} onClick={() => load.mutate()}>
        Load the phantom study
      </Button>
      {load.isError ? (
        <Text size="sm" c="var(--mantine-color-error)" role="alert">
          {wordsOf(load.error).message}
        </Text>
      ) : null}
    </Stack>
  );
}
