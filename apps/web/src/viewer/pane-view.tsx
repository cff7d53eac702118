import { type DragEvent, useEffect, useRef, useState } from "react";
import type { StudyDetail } from "#formats/api";
import { DocumentView } from "./document-view.tsx";
import { Overlay } from "./overlay.tsx";
import { openPane, type Pane } from "./pane.ts";
import type { ReadingRoom } from "./reading-room.ts";
import type { Shown } from "./stacks.ts";
import { usePaneState } from "./use-pane-state.ts";
import classes from "./viewer.module.css";

/** What a dragged series is marked with. */
export const dragType = "application/x-leadglass-series";

export interface PaneViewProps {
  readonly room: ReadingRoom;
  readonly study: StudyDetail;
  readonly place: number;
  readonly paneCount: number;
  readonly shown: Shown | undefined;
  readonly isActive: boolean;
  readonly withOverlay: boolean;
  onActive(): void;
  onDrop(id: string): void;
  onPane(place: number, pane: Pane | undefined): void;
}

export function PaneView(props: PaneViewProps) {
  const { study, place, shown, isActive, withOverlay, onActive, onDrop } = props;
  const { element, pane } = useViewport(props);
  const state = usePaneState(pane);
  const [isOver, setOver] = useState(false);
  useEffect(() => {
    pane?.show(shown?.kind === "images" ? shown : undefined);
  }, [pane, shown]);
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    const id = event.dataTransfer.getData(dragType);
    if (id !== "") onDrop(id);
  };
  const over = (event: DragEvent) => {
    if (!event.dataTransfer.types.includes(dragType)) return;
    event.preventDefault();
    setOver(true);
  };
  return (
    <section
      className={classes.pane}
      data-active={isActive && props.paneCount > 1}
      data-over={isOver}
      aria-label={`Pane ${place + 1}${shown === undefined ? ", empty" : `: ${shown.title}`}`}
      onPointerDownCapture={onActive}
      onFocusCapture={onActive}
      onDragOver={over}
      onDragLeave={() => setOver(false)}
      onDrop={drop}
    >
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the right button zooms here; keys are the page's */}
      <div
        ref={element}
        className={classes.viewport}
        data-testid={`viewport-${place}`}
        data-status={state?.status ?? "empty"}
        onContextMenu={(event) => event.preventDefault()}
      />
      {shown?.kind === "images" && state?.status === "loading" ? (
        <Preview key={shown.id} src={shown.thumbnail} />
      ) : null}
      {shown === undefined ? <p className={classes.hint}>Choose a series, or drag one here</p> : null}
      {shown?.kind === "document" ? <DocumentView document={shown} /> : null}
      {state?.status === "failed" ? (
        <p className={classes.refusal} role="alert">
          {state.problem}
        </p>
      ) : null}
      {shown?.kind === "images" && state !== undefined && withOverlay ? <Overlay study={study} state={state} /> : null}
      {shown?.kind === "images" && state !== undefined && shown.images.length > 1 ? (
        <ImageSlider pane={pane} index={state.index} count={shown.images.length} />
      ) : null}
    </section>
  );
}

/** The series' thumbnail stands in until the first image is there. */
function Preview({ src }: { readonly src: string }) {
  const [isMissing, setMissing] = useState(false);
  return isMissing ? (
    <p className={classes.hint}>Loading…</p>
  ) : (
    <img className={classes.preview} src={src} alt="" onError={() => setMissing(true)} />
  );
}

function useViewport({ room, place, paneCount, onPane }: PaneViewProps) {
  const element = useRef<HTMLDivElement>(null);
  const [pane, setPane] = useState<Pane | undefined>(undefined);
  const count = useRef(paneCount);
  count.current = paneCount;
  const told = useRef(onPane);
  told.current = onPane;
  useEffect(() => {
    if (element.current === null) return;
    const opened = openPane({
      room,
      element: element.current,
      viewportId: `pane-${place}`,
      paneCount: () => count.current,
    });
    setPane(opened);
    told.current(place, opened);
    // A pane changes its size with the window, with the series at its side, and with how many panes there are.
    let frame = 0;
    const sizes = new ResizeObserver(() => {
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(room.fit);
    });
    sizes.observe(element.current);
    return () => {
      cancelAnimationFrame(frame);
      sizes.disconnect();
      opened.close();
      setPane(undefined);
      told.current(place, undefined);
    };
  }, [room, place]);
  return { element, pane };
}

function ImageSlider({
  pane,
  index,
  count,
}: {
  readonly pane: Pane | undefined;
  readonly index: number;
  readonly count: number;
}) {
  return (
    <input
      type="range"
      className={classes.slider}
      min={1}
      max={count}
      value={index + 1}
      aria-label="Image"
      aria-valuetext={`Image ${index + 1} of ${count}`}
      onChange={(event) => pane?.goTo(Number(event.currentTarget.value) - 1)}
      // The keys go back to the images.
      onPointerUp={(event) => event.currentTarget.blur()}
    />
  );
}
