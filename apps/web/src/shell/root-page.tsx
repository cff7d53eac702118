import { Center, Loader, MantineProvider } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Outlet, useLocation } from "@tanstack/react-router";
import { useState } from "react";
import { EventsProvider } from "../api/events.tsx";
import { sessionQuery, setupQuery } from "../api/queries.ts";
import { FirstStart } from "../first-start/first-start.tsx";
import { Join } from "../first-start/join.tsx";
import { SignInPage } from "../pages/sign-in-page.tsx";
import { styleNonce } from "../style-nonce.ts";
import { cssVariables, theme } from "../theme.ts";
import { NowProvider } from "../words/time.tsx";
import { Header } from "./header.tsx";
import { CommandPalette } from "./palette.tsx";
import { ProblemNote } from "./problem-note.tsx";
import classes from "./shell.module.css";
import { ShortcutsProvider } from "./shortcuts.tsx";

/** Decides who sees what: the first start, the sign-in, or the pages. The address stays the same through all three. */
export function RootPage({ setupSecret }: { readonly setupSecret: string | undefined }) {
  const reading = useLocation({ select: (location) => location.pathname.startsWith("/studies/") });
  const session = useQuery(sessionQuery);
  // Reading pages are dark, whatever the rest of the desk is.
  const forced = reading && session.data != null ? { forceColorScheme: "dark" as const } : {};
  return (
    <MantineProvider
      theme={theme}
      cssVariablesResolver={cssVariables}
      defaultColorScheme="auto"
      getStyleNonce={styleNonce}
      {...forced}
    >
      <Notifications position="bottom-left" limit={3} containerWidth={360} />
      <NowProvider>
        <Gate setupSecret={setupSecret} reading={reading} />
      </NowProvider>
    </MantineProvider>
  );
}

function Gate({ setupSecret, reading }: { readonly setupSecret: string | undefined; readonly reading: boolean }) {
  const queries = useQueryClient();
  const setup = useQuery(setupQuery);
  const session = useQuery(sessionQuery);
  const [leading, setLeading] = useState(false);
  const [isLinkUsed, setLinkUsed] = useState(false);
  const finished = () => {
    setLinkUsed(true);
    setLeading(false);
    void queries.invalidateQueries();
  };
  const problem = setup.error ?? session.error;
  if (problem !== null && (setup.data === undefined || session.data === undefined)) {
    return (
      <Center component="main" h="100dvh" p="md">
        <ProblemNote error={problem} onRetry={() => void queries.refetchQueries()} />
      </Center>
    );
  }
  if (setup.data === undefined || session.data === undefined) {
    return (
      <Center component="main" h="100dvh" aria-label="Loading">
        <Loader size="sm" />
      </Center>
    );
  }
  if (setup.data.needed || leading) {
    return (
      <FirstStart
        secret={setupSecret}
        dicom={setup.data.dicom}
        onBegun={() => setLeading(true)}
        onFinished={finished}
      />
    );
  }
  if (setupSecret !== undefined && !isLinkUsed) return <Join secret={setupSecret} onFinished={finished} />;
  if (session.data === null) return <SignInPage />;
  return <Pages reading={reading} />;
}

function Pages({ reading }: { readonly reading: boolean }) {
  return (
    <EventsProvider>
      <ShortcutsProvider>
        <div className={classes.frame}>
          <a className={classes.skip} href="#main">
            Skip to content
          </a>
          {reading ? null : <Header />}
          <main id="main" className={classes.main} tabIndex={-1}>
            <Outlet />
          </main>
        </div>
        <CommandPalette />
      </ShortcutsProvider>
    </EventsProvider>
  );
}
