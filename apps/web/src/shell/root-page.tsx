import { Center, Loader, MantineProvider } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Navigate, Outlet, useLocation } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { EventsProvider, useEvents } from "../api/events.tsx";
import { sessionQuery, setupQuery } from "../api/queries.ts";
import { FirstStart } from "../first-start/first-start.tsx";
import { Join } from "../first-start/join.tsx";
import { NotFoundPage } from "../pages/not-found-page.tsx";
import { isGuest } from "../pages/shares/guest.ts";
import { GuestPages } from "../pages/shares/guest-pages.tsx";
import { OpenShare, ShareOver } from "../pages/shares/open-share.tsx";
import { SignInPage } from "../pages/sign-in-page.tsx";
import { styleNonce } from "../style-nonce.ts";
import { cssVariables, theme } from "../theme.ts";
import { NowProvider } from "../words/time.tsx";
import { Alarms } from "./alarms.tsx";
import { Header } from "./header.tsx";
import { CommandPalette } from "./palette.tsx";
import { placeOf, usePlaces } from "./places.ts";
import { ProblemNote } from "./problem-note.tsx";
import { ProofProvider } from "./proof.tsx";
import classes from "./shell.module.css";
import { ShortcutsProvider } from "./shortcuts.tsx";

/** From the fragment of the address: a one-use link to an account, or to a study for somebody outside. */
interface Secrets {
  readonly setupSecret: string | undefined;
  readonly shareSecret: string | undefined;
}

/** Decides who sees what: the first start, the sign-in, or the pages. The address stays the same through all three. */
export function RootPage(secrets: Secrets) {
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
        <Gate secrets={secrets} reading={reading} />
      </NowProvider>
    </MantineProvider>
  );
}

function Gate({ secrets, reading }: { readonly secrets: Secrets; readonly reading: boolean }) {
  const queries = useQueryClient();
  const setup = useQuery(setupQuery);
  const session = useQuery(sessionQuery);
  const [leading, setLeading] = useState(false);
  const [link, setLink] = useState(secrets.setupSecret);
  const [share, setShare] = useState(secrets.shareSecret);
  const wasGuest = useRef(false);
  wasGuest.current ||= isGuest(session.data);
  const finished = () => {
    setLink(undefined);
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
    return <FirstStart secret={link} dicom={setup.data.dicom} onBegun={() => setLeading(true)} onFinished={finished} />;
  }
  if (link !== undefined) return <Join secret={link} onFinished={finished} />;
  if (share !== undefined) return <OpenShare secret={share} onOpened={() => setShare(undefined)} />;
  if (session.data === null) return wasGuest.current ? <ShareOver /> : <SignInPage onLink={setLink} />;
  if (isGuest(session.data)) return <GuestPages />;
  return <Pages reading={reading} />;
}

function Pages({ reading }: { readonly reading: boolean }) {
  return (
    <EventsProvider>
      <ProofProvider>
        <ShortcutsProvider>
          <div className={classes.frame}>
            <a className={classes.skip} href="#main">
              Skip to content
            </a>
            {reading ? null : <Header />}
            <main id="main" className={classes.main} tabIndex={-1}>
              <Allowed />
            </main>
          </div>
          <CommandPalette />
          <Alarms />
        </ShortcutsProvider>
      </ProofProvider>
    </EventsProvider>
  );
}

/** The page of this address, for who may see it. Whoever has no study list begins elsewhere. */
function Allowed() {
  useForgetting();
  const path = useLocation({ select: ({ pathname }) => pathname });
  const places = usePlaces();
  const [first] = places;
  const place = placeOf(path);
  if (place === undefined || places.includes(place)) return <Outlet />;
  return path === "/" && first !== undefined ? <Navigate to={first.to} replace /> : <NotFoundPage />;
}

/** What was read while one might read it is not kept for later. */
function useForgetting(): void {
  const queries = useQueryClient();
  const may = useQuery(sessionQuery).data?.may;
  const before = useRef(may);
  useEvents((event) => {
    if (event.type === "access") void queries.invalidateQueries(sessionQuery);
  });
  useEffect(() => {
    const isLess = before.current?.some((act) => may !== undefined && !may.includes(act));
    before.current = may;
    if (!isLess) return;
    void queries.resetQueries({ predicate: ({ queryKey: [kind] }) => kind !== "session" && kind !== "setup" });
  }, [queries, may]);
}
