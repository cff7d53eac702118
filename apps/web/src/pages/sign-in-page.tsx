import { Button, Divider, Paper, PasswordInput, Stack, Text, TextInput, Title, UnstyledButton } from "@mantine/core";
import { IconFingerprint } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useEffect, useRef, useState } from "react";
import type { IssuedLinkView, PasskeyProof, RecoveryRequest, SessionRequest, SessionView } from "#formats/api";
import { call } from "../api/client.ts";
import {
  canOfferPasskeysWhileTyping,
  canUsePasskeys,
  provePasskey,
  stopOffering,
  wasGivenUp,
} from "../api/passkeys.ts";
import { sessionQuery, signInQuery } from "../api/queries.ts";
import { secretIn } from "../first-start/setup-secret.ts";
import { Mark } from "../shell/mark.tsx";
import { ProblemNote } from "../shell/problem-note.tsx";
import classes from "./sign-in.module.css";

/** How a way through an identity provider ended, as the server says it behind `#sign-in=`. */
const notices: Readonly<Record<string, string>> = {
  passkey: "Your organisation vouches for you. Now use your passkey.",
  declined: "The sign-in was declined there. Nobody was signed in.",
  again: "That sign-in took too long, or was begun in another browser. Begin again.",
  unavailable: "Your organisation's sign-in does not answer. Try again, or sign in another way.",
  "nothing-granted":
    "Your organisation vouches for you, and none of your groups may do anything here. Ask an administrator.",
  absent: "There is no such sign-in here any more.",
};

/** Said once: it leaves the address with it. */
function takeNotice({ hash, pathname }: Location, past: History): string | undefined {
  const code = /^#sign-in=([a-z-]+)$/.exec(hash)?.[1];
  if (code === undefined) return undefined;
  past.replaceState(null, "", pathname);
  return notices[code];
}

const empty: SessionRequest = { name: "", password: "", code: "" };

/** A challenge of the server holds five minutes. */
const offerAgainMs = 4 * 60_000;

const signInBy = (answer: PasskeyProof["answer"]) => call<SessionView>("POST", "/api/session/passkey", { answer });

/**
 * A passkey first; below it one form for name, password and code, so that a wrong answer does not tell which of them was wrong.
 * `onLink`: a recovery code of who has passkeys alone leads to a one-use link.
 */
export function SignInPage({ onLink }: { onLink(secret: string): void }) {
  const queries = useQueryClient();
  const offer = useQuery(signInQuery);
  const [notice] = useState(() => takeNotice(window.location, window.history));
  const arrived = (session: SessionView) => queries.setQueryData(sessionQuery.queryKey, session);
  const passkeysOffered = offer.data?.passkeys === true && canUsePasskeys();
  const byPasskey = useMutation({
    mutationFn: async () => {
      stopOffering();
      return signInBy(await provePasskey("/api/session/passkey/options"));
    },
    onSuccess: arrived,
  });
  useOfferWhileTyping(passkeysOffered && !byPasskey.isPending, arrived);
  useEffect(() => {
    document.title = "Sign in · Leadglass";
    return () => {
      document.title = "Leadglass";
    };
  }, []);
  const providers = offer.data?.providers ?? [];
  return (
    <main className={classes.page}>
      <Paper className={classes.card} withBorder>
        <div className={classes.head}>
          <Mark size={26} />
          <Title order={1}>Sign in to Leadglass</Title>
        </div>
        {notice === undefined ? null : (
          <Text size="sm" mb="md" role="status">
            {notice}
          </Text>
        )}
        {passkeysOffered ? (
          <Button
            fullWidth
            leftSection={<IconFingerprint size={18} />}
            loading={byPasskey.isPending}
            onClick={() => byPasskey.mutate()}
          >
            Use a passkey
          </Button>
        ) : null}
        {providers.map(({ id, label }) => (
          <Button key={id} component="a" href={`/sign-in-with/${id}`} variant="default" fullWidth mt="xs">
            Continue with {label}
          </Button>
        ))}
        {byPasskey.isError ? (
          <div className={classes.problem}>
            <ProblemNote error={byPasskey.error} />
          </div>
        ) : null}
        {passkeysOffered || providers.length > 0 ? (
          <Divider label="or with a password" labelPosition="center" my="md" />
        ) : null}
        <PasswordForm isFirst={!passkeysOffered} onArrived={arrived} onLink={onLink} />
      </Paper>
    </main>
  );
}

/** The browser offers passkeys in the field for the name, until one is chosen. */
function useOfferWhileTyping(isOffered: boolean, onArrived: (session: SessionView) => void): void {
  const latest = useRef(onArrived);
  latest.current = onArrived;
  useEffect(() => {
    if (!isOffered) return;
    let isOver = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const offerNow = async () => {
      if (isOver || !(await canOfferPasskeysWhileTyping())) return;
      timer = setTimeout(() => {
        stopOffering();
        void offerNow();
      }, offerAgainMs);
      try {
        const answer = await provePasskey("/api/session/passkey/options", true);
        if (!isOver) latest.current(await signInBy(answer));
      } catch (error) {
        // Nobody asked for this offer, so nobody is told that it came to nothing.
        if (!wasGivenUp(error)) clearTimeout(timer);
      }
    };
    void offerNow();
    return () => {
      isOver = true;
      clearTimeout(timer);
      stopOffering();
    };
  }, [isOffered]);
}

interface PasswordFormProps {
  /** Nothing stands above it. */
  readonly isFirst: boolean;
  onArrived(session: SessionView): void;
  onLink(secret: string): void;
}

function PasswordForm({ isFirst, onArrived, onLink }: PasswordFormProps) {
  const [form, setForm] = useState(empty);
  const [withRecovery, setWithRecovery] = useState(false);
  const signIn = useMutation({
    mutationFn: (request: SessionRequest) => call<SessionView>("POST", "/api/session", request),
    onSuccess: onArrived,
  });
  const recover = useMutation({
    mutationFn: (request: RecoveryRequest) => call<IssuedLinkView>("POST", "/api/session/recovery", request),
    onSuccess: ({ link }) => onLink(secretIn(link) ?? ""),
  });
  const change = (part: Partial<SessionRequest>) => {
    setForm((before) => ({ ...before, ...part }));
    signIn.reset();
    recover.reset();
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const name = form.name.trim();
    const code = withRecovery ? form.code.trim() : form.code.replaceAll(/\D/g, "");
    if (withRecovery && form.password === "") recover.mutate({ name, code });
    else signIn.mutate({ ...form, name, code });
  };
  const problem = signIn.error ?? recover.error;
  return (
    <form onSubmit={submit}>
      <Stack gap="sm">
        <TextInput
          label="Name"
          value={form.name}
          onChange={(event) => change({ name: event.currentTarget.value })}
          autoComplete="username webauthn"
          required
          withAsterisk={false}
          autoFocus={isFirst}
          spellCheck={false}
        />
        <PasswordInput
          label="Password"
          {...(withRecovery && { description: "Leave it empty if you have none" })}
          value={form.password}
          onChange={(event) => change({ password: event.currentTarget.value })}
          autoComplete="current-password"
          required={!withRecovery}
          withAsterisk={false}
        />
        <TextInput
          key={withRecovery ? "recovery" : "code"}
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
        {problem === null ? null : <ProblemNote error={problem} />}
        <Button
          type="submit"
          loading={signIn.isPending || recover.isPending}
          fullWidth
          mt={4}
          variant={isFirst ? "filled" : "default"}
        >
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
    </form>
  );
}
