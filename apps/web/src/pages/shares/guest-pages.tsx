import { Loader } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Navigate, Outlet, useLocation } from "@tanstack/react-router";
import { EventsProvider } from "../../api/events.tsx";
import { openedShareQuery } from "../../api/oversight-queries.ts";
import { ProblemNote } from "../../shell/problem-note.tsx";
import shell from "../../shell/shell.module.css";
import { ShortcutsProvider } from "../../shell/shortcuts.tsx";
import { Outside } from "./open-share.tsx";

/** All that there is for who came by a link: the viewer, on that one study. */
export function GuestPages() {
  const opened = useQuery({ ...openedShareQuery, staleTime: Number.POSITIVE_INFINITY });
  const path = useLocation({ select: ({ pathname }) => pathname });
  if (opened.data === undefined) {
    return (
      <Outside title="Images for you">
        {opened.error === null ? (
          <Loader size="sm" aria-label="Opening the study" />
        ) : (
          <ProblemNote error={opened.error} onRetry={() => void opened.refetch()} />
        )}
      </Outside>
    );
  }
  const { study } = opened.data;
  if (path !== `/studies/${study}`) return <Navigate to="/studies/$token" params={{ token: study }} replace />;
  return (
    <EventsProvider>
      <ShortcutsProvider>
        <div className={shell.frame}>
          <main id="main" className={shell.main} tabIndex={-1}>
            <Outlet />
          </main>
        </div>
      </ShortcutsProvider>
    </EventsProvider>
  );
}
