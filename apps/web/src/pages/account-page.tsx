import { Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { credentialsQuery } from "../api/queries.ts";
import { ProblemNote } from "../shell/problem-note.tsx";
import { OwnPasskeys } from "./own-passkeys.tsx";
import { OwnPassword } from "./own-password.tsx";
import { OwnRecoveryCodes } from "./own-recovery-codes.tsx";
import { OwnSessions } from "./own-sessions.tsx";
import { Page } from "./page.tsx";
import classes from "./rows.module.css";

/** One's own ways to sign in, and where one is signed in. */
export function AccountPage() {
  const credentials = useQuery(credentialsQuery);
  const { data } = credentials;
  return (
    <Page title="My account" {...(data !== undefined && { about: `Signed in as ${data.name}` })}>
      {credentials.error === null ? null : (
        <ProblemNote error={credentials.error} onRetry={() => void credentials.refetch()} />
      )}
      {data === undefined ? null : (
        <>
          <section className={classes.section} aria-labelledby="passkeys">
            <Title order={2} id="passkeys" mb="xs">
              Passkeys
            </Title>
            <OwnPasskeys held={data} />
          </section>
          <section className={classes.section} aria-labelledby="password">
            <Title order={2} id="password" mb="xs">
              Password and authenticator
            </Title>
            <OwnPassword held={data} />
          </section>
          <section className={classes.section} aria-labelledby="recovery">
            <Title order={2} id="recovery" mb="xs">
              Recovery codes
            </Title>
            <OwnRecoveryCodes held={data} />
          </section>
          <section className={classes.section} aria-labelledby="sessions">
            <Title order={2} id="sessions" mb="xs">
              Where I am signed in
            </Title>
            <OwnSessions />
          </section>
        </>
      )}
    </Page>
  );
}
