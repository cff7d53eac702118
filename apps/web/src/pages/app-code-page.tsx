import { Button, Paper, Stack, Text, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import type { AskView } from "#formats/api";
import { call } from "../api/client.ts";
import { ProblemNote } from "../shell/problem-note.tsx";
import classes from "./ask.module.css";
import { Ask } from "./ask.tsx";
import { Page } from "./page.tsx";

/** A device without a browser shows a code: who types it sees what asks, and lets it in or not. */
export function AppCodePage() {
  const [code, setCode] = useState("");
  const look = useMutation({ mutationFn: () => call<AskView>("POST", "/api/app-codes", { code }) });
  const decide = useMutation({
    mutationFn: (allow: boolean) => call<undefined>("POST", "/api/app-codes/decision", { code, allow }),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    look.mutate();
  };
  if (decide.isSuccess) {
    return (
      <Page title="Let a device in">
        <Text role="status">
          {decide.variables ? "It is let in. The device goes on by itself in a moment." : "It is not let in."}
        </Text>
      </Page>
    );
  }
  if (look.data !== undefined) {
    return (
      <Page title="Let a device in">
        <Ask
          ask={look.data}
          error={decide.error}
          isPending={decide.isPending}
          onAllow={() => decide.mutate(true)}
          onRefuse={() => decide.mutate(false)}
        >
          <Text size="sm">Only if the device in front of you shows this code: {code.toUpperCase()}</Text>
        </Ask>
      </Page>
    );
  }
  return (
    <Page title="Let a device in">
      <Paper component="form" className={classes.card} onSubmit={submit} withBorder>
        <Stack gap="sm">
          <TextInput
            label="Code that the device shows"
            classNames={{ input: classes.code ?? "" }}
            value={code}
            onChange={(event) => setCode(event.currentTarget.value)}
            autoComplete="off"
            spellCheck={false}
            maxLength={16}
            required
            withAsterisk={false}
            autoFocus
          />
          {look.error === null ? null : <ProblemNote error={look.error} />}
          <Button type="submit" loading={look.isPending}>
            Continue
          </Button>
        </Stack>
      </Paper>
    </Page>
  );
}
