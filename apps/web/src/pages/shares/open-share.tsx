import { Button, Paper, Stack, Text, TextInput, Title } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type FormEvent, type ReactNode, useState } from "react";
import type { OpenedShare } from "#formats/api";
import { call, isRefusal } from "../../api/client.ts";
import { openedShareQuery } from "../../api/oversight-queries.ts";
import { sessionQuery } from "../../api/queries.ts";
import { Mark } from "../../shell/mark.tsx";
import { ProblemNote } from "../../shell/problem-note.tsx";
import { isGuest } from "./guest.ts";
import classes from "./shares.module.css";

/** For who opened a link to a study: asks for the code, which came another way. */
export function OpenShare({ secret, onOpened }: { readonly secret: string; onOpened(): void }) {
  const queries = useQueryClient();
  const navigate = useNavigate();
  const session = useQuery(sessionQuery).data;
  const [code, setCode] = useState("");
  const open = useMutation({
    mutationFn: () => call<OpenedShare>("POST", "/api/shares/open", { secret, code: code.replaceAll(/\s/g, "") }),
    onSuccess: async (opened) => {
      // Whatever was read as somebody else is not for who came by the link.
      queries.removeQueries({ predicate: ({ queryKey: [kind] }) => kind !== "session" && kind !== "setup" });
      queries.setQueryData(openedShareQuery.queryKey, opened);
      await navigate({ to: "/studies/$token", params: { token: opened.study }, replace: true });
      await queries.refetchQueries(sessionQuery);
      onOpened();
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    open.mutate();
  };
  if (isRefusal(open.error) && open.error.status === 404) return <ShareOver />;
  return (
    <Outside title="Images for you">
      <form onSubmit={submit}>
        <Stack gap="md">
          <Text>
            Somebody shared a study with you. It opens with the code of eight digits that you were told another way than
            the link.
          </Text>
          <TextInput
            label="Code"
            value={code}
            onChange={(event) => {
              setCode(event.currentTarget.value.replaceAll(/[^\d ]/g, ""));
              if (open.isError) open.reset();
            }}
            className={classes.digits}
            size="md"
            maxLength={10}
            inputMode="numeric"
            autoComplete="one-time-code"
            autoFocus
          />
          {session == null || isGuest(session) ? null : (
            <Text size="sm" c="dimmed">
              You are signed in here as {session.account.name}; opening the link signs you out.
            </Text>
          )}
          {open.isError ? <ProblemNote error={open.error} /> : null}
          <Button type="submit" disabled={code.replaceAll(" ", "").length !== 8} loading={open.isPending}>
            Open
          </Button>
        </Stack>
      </form>
    </Outside>
  );
}

/** A link that was ended, ran out, or was never one. */
export function ShareOver() {
  return (
    <Outside title="This link is over">
      <Text>
        It was ended, or its time has run out. Nothing of it is left in this browser. Ask who gave it to you for
        another.
      </Text>
    </Outside>
  );
}

export function Outside({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  return (
    <main className={classes.outside}>
      <Mark />
      <Paper component="section" aria-label={title} className={classes.card ?? ""} withBorder>
        <Title order={1} mb="sm">
          {title}
        </Title>
        {children}
      </Paper>
    </main>
  );
}
