import { ActionIcon, Button, Loader, Tooltip } from "@mantine/core";
import { useHotkeys } from "@mantine/hooks";
import { IconArrowLeft, IconKeyboard, IconLayoutSidebar, IconUserPlus } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import type { StudyDetail } from "#formats/api";
import { useEvents } from "../api/events.tsx";
import { studyQuery, useMay } from "../api/queries.ts";
import { GiveStudyAccess } from "../pages/people/give-study-access.tsx";
import { useIsGuest } from "../pages/shares/guest.ts";
import { ProblemNote } from "../shell/problem-note.tsx";
import { useShortcuts, useShortcutsHelp } from "../shell/shortcuts.tsx";
import { ageInYears, dicomDate, personName } from "../words/dicom-words.ts";
import { viewerHotkeys, viewerShortcuts } from "./commands.ts";
import { PaneView } from "./pane-view.tsx";
import { Rail } from "./rail.tsx";
import type { ReadingRoom } from "./reading-room.ts";
import { StudyActs } from "./study-acts.tsx";
import { Toolbar } from "./toolbar.tsx";
import { type Arrangement, useArrangement } from "./use-arrangement.ts";
import { usePaneState } from "./use-pane-state.ts";
import { useReadingRoom } from "./use-reading-room.ts";
import { useSeries } from "./use-series.ts";
import classes from "./viewer.module.css";

export function ViewerPage() {
  const { token } = useParams({ from: "/studies/$token" });
  const study = useQuery({ ...studyQuery(token), refetchOnWindowFocus: false });
  const { room, error } = useReadingRoom();
  useEffect(() => {
    // A name in the title would stay in the browser's history.
    document.title = "Study · Leadglass";
    return () => {
      document.title = "Leadglass";
    };
  }, []);
  const problem = (study.data === undefined ? study.error : null) ?? error;
  if (problem != null) {
    return (
      <div className={classes.middle}>
        <ProblemNote error={problem} onRetry={() => void study.refetch()} />
        <Button component={Link} to="/" variant="default" mt="sm">
          Back to the study list
        </Button>
      </div>
    );
  }
  if (study.data === undefined || room === undefined) {
    return (
      <div className={classes.middle} role="status" aria-label="Opening the study">
        <Loader size="sm" />
      </div>
    );
  }
  return <Viewer key={token} study={study.data} room={room} />;
}

function Viewer({ study, room }: { readonly study: StudyDetail; readonly room: ReadingRoom }) {
  const isGuest = useIsGuest();
  const [revision, setRevision] = useState(0);
  const entries = useSeries(study, revision);
  const arrangement = useArrangement(entries, room);
  const { layout, active, pane } = arrangement;
  const state = usePaneState(pane);
  const [withOverlay, setOverlay] = useState(true);
  const [withRail, setRail] = useState(true);
  useViewerKeys(arrangement, room, { overlay: () => setOverlay(!withOverlay), rail: () => setRail(!withRail) });
  return (
    <div className={classes.viewer}>
      <header className={classes.top}>
        {isGuest ? null : <BackToList />}
        <Patient study={study} />
        <Toolbar
          pane={pane}
          state={state}
          tool={arrangement.tool}
          onTool={arrangement.setTool}
          layout={layout}
          onLayout={arrangement.setLayout}
          onRemoveMeasurements={room.removeMeasurements}
        />
        <span className={classes.topEnd}>
          <NewImages study={study} onRead={() => setRevision(revision + 1)} />
          <StudyActs study={study.token} />
          <GiveAccess study={study} />
          <ShortcutsButton />
          <Tooltip label="Series (T)">
            <ActionIcon
              variant="subtle"
              color="gray"
              size={34}
              aria-label="Series (T)"
              aria-pressed={withRail}
              onClick={() => setRail(!withRail)}
            >
              <IconLayoutSidebar size={19} stroke={1.6} />
            </ActionIcon>
          </Tooltip>
        </span>
      </header>
      <div className={classes.room} data-rail={withRail}>
        {withRail ? (
          <Rail
            entries={entries}
            open={arrangement.open}
            current={arrangement.shown[active]?.id}
            onChoose={arrangement.choose}
          />
        ) : null}
        <PaneGrid study={study} room={room} arrangement={arrangement} withOverlay={withOverlay} />
      </div>
    </div>
  );
}

function BackToList() {
  return (
    <Tooltip label="Study list">
      <ActionIcon component={Link} to="/" variant="subtle" color="gray" size={34} aria-label="Back to the study list">
        <IconArrowLeft size={19} />
      </ActionIcon>
    </Tooltip>
  );
}

function useViewerKeys(arrangement: Arrangement, room: ReadingRoom, toggle: { overlay(): void; rail(): void }): void {
  useHotkeys(
    viewerHotkeys({
      pane: () => arrangement.pane,
      setTool: arrangement.setTool,
      moveSeries: arrangement.moveSeries,
      nextLayout: arrangement.nextLayout,
      nextPane: arrangement.nextPane,
      toggleOverlay: toggle.overlay,
      toggleRail: toggle.rail,
      removeMeasurement: room.removeMeasurement,
    }),
  );
  useShortcuts("Viewer", viewerShortcuts);
}

interface PaneGridProps {
  readonly study: StudyDetail;
  readonly room: ReadingRoom;
  readonly arrangement: Arrangement;
  readonly withOverlay: boolean;
}

function PaneGrid({ study, room, arrangement, withOverlay }: PaneGridProps) {
  const { layout, shown, active } = arrangement;
  const count = layout.rows * layout.columns;
  return (
    <div className={classes.grid} data-layout={layout.id}>
      {Array.from({ length: count }, (_, place) => (
        <PaneView
          // biome-ignore lint/suspicious/noArrayIndexKey: a pane is its place
          key={place}
          room={room}
          study={study}
          place={place}
          paneCount={count}
          shown={shown[place]}
          isActive={place === active}
          withOverlay={withOverlay}
          onActive={() => arrangement.setActive(place)}
          onDrop={(id) => arrangement.drop(place, id)}
          onPane={arrangement.onPane}
        />
      ))}
    </div>
  );
}

function Patient({ study }: { readonly study: StudyDetail }) {
  const age = ageInYears(study.birthDate, study.studyDate);
  const facts = [study.patientId, dicomDate(study.birthDate), age === undefined ? "" : `${age} y`, study.sex];
  return (
    <div className={classes.patient}>
      <h1>{personName(study.patientName) || "No name"}</h1>
      <span>{facts.filter((fact) => fact !== "").join(" · ")}</span>
    </div>
  );
}

function GiveAccess({ study }: { readonly study: StudyDetail }) {
  const may = useMay();
  const [opened, setOpened] = useState(false);
  if (!may("grant.write")) return null;
  return (
    <>
      <Tooltip label="Give access">
        <ActionIcon variant="subtle" color="gray" size={34} aria-label="Give access" onClick={() => setOpened(true)}>
          <IconUserPlus size={19} stroke={1.6} />
        </ActionIcon>
      </Tooltip>
      <GiveStudyAccess token={study.token} opened={opened} onClose={() => setOpened(false)} />
    </>
  );
}

function ShortcutsButton() {
  const show = useShortcutsHelp();
  return (
    <Tooltip label="Keyboard shortcuts (?)">
      <ActionIcon
        className={classes.wide ?? ""}
        variant="subtle"
        color="gray"
        size={34}
        aria-label="Keyboard shortcuts"
        onClick={show}
      >
        <IconKeyboard size={19} stroke={1.6} />
      </ActionIcon>
    </Tooltip>
  );
}

/** Images that came in while the study is open are offered, not pushed under the reader's eyes. */
function NewImages({ study, onRead }: { readonly study: StudyDetail; onRead(): void }) {
  const [read, setRead] = useState(study.instanceCount);
  const [now, setNow] = useState(study.instanceCount);
  const detail = useQuery(studyQuery(study.token));
  useEvents((event) => {
    if (event.type === "study" && event.study.token === study.token) setNow(event.study.instanceCount);
  });
  if (now <= read) return null;
  return (
    <Button
      size="compact-sm"
      variant="light"
      onClick={() => {
        setRead(now);
        void detail.refetch().then(onRead);
      }}
    >
      {now - read} new
    </Button>
  );
}
