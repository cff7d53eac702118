import { useDebouncedValue, useMediaQuery } from "@mantine/hooks";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { ProblemNote } from "../shell/problem-note.tsx";
import { EmergencyAccess } from "./emergency-access.tsx";
import { EmergencyBanner } from "./emergency-banner.tsx";
import { NoStudies } from "./no-studies.tsx";
import { SavedViews } from "./saved-views.tsx";
import classes from "./studies.module.css";
import { StudyFilters } from "./study-filters.tsx";
import { type MenuPlace, StudyMenu } from "./study-menu.tsx";
import { StudyTable } from "./study-table.tsx";
import { isFiltered, keptView, type StudyView, studyView } from "./study-view.ts";
import { useStudies } from "./use-studies.ts";

/** The search text lives in this page's memory only; the filters and the order are in the address. */
export function StudiesPage() {
  const view = useSearch({ from: "/", select: studyView });
  const navigate = useNavigate({ from: "/" });
  const [text, setText] = useState("");
  const [isEmergency, setEmergency] = useState(false);
  const [menu, setMenu] = useState<MenuPlace | undefined>(undefined);
  const [search] = useDebouncedValue(text.trim(), 250);
  const studies = useStudies(view, search);
  const searchField = useRef<HTMLInputElement>(null);
  const isPhone = useMediaQuery("(max-width: 640px)", undefined, { getInitialValueInEffect: false });
  useViewerAhead();
  const show = (next: StudyView) => void navigate({ search: next, replace: true });
  const clear = () => {
    setText("");
    show({
      ...(view.sort === undefined ? {} : { sort: view.sort }),
      ...(view.ascending === undefined ? {} : { ascending: view.ascending }),
    });
  };
  return (
    <div className={classes.page}>
      <h1 className="visually-hidden">Studies</h1>
      <EmergencyBanner />
      <StudyFilters
        view={view}
        onView={show}
        text={text}
        onText={setText}
        searchField={searchField}
        onClear={clear}
        total={studies.state === "ready" ? studies.total : undefined}
        isTotalExact={studies.state !== "ready" || studies.isTotalExact}
      >
        <SavedViews
          page="studies"
          search={new URLSearchParams(Object.entries(view).map(([name, value]) => [name, String(value)])).toString()}
          onShow={(kept) => show(keptView(kept))}
        />
      </StudyFilters>
      {studies.state === "failed" ? (
        <div className={classes.middle}>
          <ProblemNote error={studies.error} onRetry={studies.retry} />
        </div>
      ) : studies.state === "ready" && studies.rows.length === 0 ? (
        <NoStudies filtered={isFiltered(view, search)} onClear={clear} onEmergency={() => setEmergency(true)} />
      ) : (
        <StudyTable
          studies={studies}
          view={view}
          onView={show}
          asCards={isPhone === true}
          onOpen={(token) => void navigate({ to: "/studies/$token", params: { token } })}
          onMenu={setMenu}
          onSearch={() => searchField.current?.focus()}
        />
      )}
      <EmergencyAccess opened={isEmergency} onClose={() => setEmergency(false)} onOpened={setText} />
      <StudyMenu at={menu} onClose={() => setMenu(undefined)} />
    </div>
  );
}

/** Reads the viewer's code while nobody waits for it. */
function useViewerAhead(): void {
  useEffect(() => {
    const later = window.requestIdleCallback ?? ((work: () => void) => setTimeout(work, 1_500));
    later(() => void import("../viewer/viewer-page.tsx"));
  }, []);
}
