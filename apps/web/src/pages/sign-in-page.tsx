import { Button, Paper, PasswordInput, Stack, TextInput, Title, UnstyledButton } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useEffect, useRef, useState } from "react";
import type { SessionRequest, SessionView } from "#formats/api";
import { call } from "../api/client.ts";
import { sessionQuery } from "../api/queries.ts";
import { Mark } from "../shell/mark.tsx";
import { ProblemNote } from "../shell/problem-note.tsx";
import classes from "./sign-in.module.css";

const empty: SessionRequest = { name: "", password: "", code: "" };

/** One form for name, password and code, so that a wrong answer does not tell which of them was wrong. */
export function SignInPage() {
  const queries = useQueryClient();
  const [form, setForm] = useState(empty);
  const [withRecovery, setWithRecovery] = useState(false);
  const codeField = useRef<HTMLInputElement>(null);
  const signIn = useMutation({
    mutationFn: (request: SessionRequest) => call<SessionView>("POST", "/api/session", request),
    onSuccess: (session) => queries.setQueryData(sessionQuery.queryKey, session),
  });
  useEffect(() => {
    document.title = "Sign in · Leadglass";
    return () => {
      document.title = "Leadglass";
    };
  }, []);
  const change = (part: Partial<SessionRequest>) => {
    setForm((before) => ({ ...before, ...part }));
    if (signIn.isError) signIn.reset();
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    signIn.mutate({
      ...form,
      name: form.name.trim(),
      code: withRecovery ? form.code.trim() : form.code.replaceAll(/\D/g, ""),
    });
  };
  return (
    <main className={classes.page}>
      <Paper component="form" className={classes.card} onSubmit={submit} withBorder>
        <div className={classes.head}>
          <Mark size={26} />
          <Title order={1}>Sign in to Leadglass</Title>
        </div>
        <Stack gap="sm">
          <TextInput
            label="Name"
            value={form.name}
            onChange={(event) => change({ name: event.currentTarget.value })}
            autoComplete="username"
            required
            withAsterisk={false}
            autoFocus
            spellCheck={false}
          />
          <PasswordInput
            label="Password"
            value={form.password}
            onChange={(event) => change({ password: event.currentTarget.value })}
            autoComplete="current-password"
            required
            withAsterisk={false}
          />
          <TextInput
            key={withRecovery ? "recovery" : "code"}
            ref={codeField}
            label={withRecovery ? "Recovery code" : "Six digits from your authenticator"}
            value={form.code}
            onChange={(event) => change({ code: event.currentTarget.value })}
            inputMode={withRecovery ? "text" : "numeric"}
            autoComplete={withRecovery ? "off" : "one-time-code"}
            spellCheck={false}
            required
            withAsterisk={false}
            classNames={{ input: classes.code ?? "" }}
          />
          {signIn.isError ? <ProblemNote error={signIn.error} /> : null}
          <Button type="submit" loading={signIn.isPending} fullWidth mt={4}>
            Sign in
          </Button>
          <UnstyledButton
            className={classes.other}
            onClick={() => {
              setWithRecovery(!withRecovery);
              change({ code: "" });
            }}
          >
            {withRecovery ? "Use the authenticator instead" : "Lost the phone? Use a recovery code"}
          </UnstyledButton>
        </Stack>
      </Paper>
    </main>
  );
}
