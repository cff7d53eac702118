import { IconFileText, IconPhotoOff } from "@tabler/icons-react";
import { useState } from "react";
import { counted } from "#formats/api";
import { wordsOf } from "../shell/problem-note.tsx";
import { dragType } from "./pane-view.tsx";
import type { Shown } from "./stacks.ts";
import type { SeriesEntry } from "./use-series.ts";
import classes from "./viewer.module.css";

export interface RailProps {
  readonly entries: readonly SeriesEntry[];
  /** What the panes show. */
  readonly open: ReadonlySet<string>;
  readonly current: string | undefined;
  onChoose(shown: Shown): void;
}

/** The series of the study. A click shows one in the active pane; dragging, in any. */
export function Rail({ entries, open, current, onChoose }: RailProps) {
  return (
    <nav className={classes.rail} aria-label="Series">
      <ul>
        {entries.flatMap((entry) =>
          entry.state === "ready"
            ? entry.shown.map((shown) => (
                <li key={shown.id}>
                  <RailItem
                    shown={shown}
                    isOpen={open.has(shown.id)}
                    isCurrent={shown.id === current}
                    onChoose={onChoose}
                  />
                </li>
              ))
            : [
                <li key={entry.series.seriesUid} className={classes.railWaiting}>
                  <span className={classes.railPicture}>
                    {entry.state === "failed" ? <IconPhotoOff size={22} aria-hidden /> : null}
                  </span>
                  <span className={classes.railTitle}>
                    {entry.series.description || `Series ${entry.series.number}`}
                  </span>
                  <span className={classes.railCount}>
                    {entry.state === "failed"
                      ? wordsOf(entry.error).message
                      : counted(entry.series.instanceCount, "object")}
                  </span>
                </li>,
              ],
        )}
      </ul>
    </nav>
  );
}

interface RailItemProps {
  readonly shown: Shown;
  readonly isOpen: boolean;
  readonly isCurrent: boolean;
  onChoose(shown: Shown): void;
}

function RailItem({ shown, isOpen, isCurrent, onChoose }: RailItemProps) {
  const count = shown.kind === "images" ? counted(shown.images.length, "image") : shown.what;
  return (
    <button
      type="button"
      className={classes.railItem}
      data-open={isOpen}
      aria-current={isCurrent}
      aria-label={`${shown.modality} ${shown.title}, ${count}`}
      title={shown.title}
      draggable
      onDragStart={(event) => {
        event.dataTransfer.setData(dragType, shown.id);
        event.dataTransfer.effectAllowed = "copy";
      }}
      onClick={(event) => {
        onChoose(shown);
        // The keys go on to the images, unless the keyboard chose.
        if (event.detail > 0) event.currentTarget.blur();
      }}
    >
      <span className={classes.railPicture}>
        {shown.kind === "images" ? (
          <Thumbnail src={shown.thumbnail} />
        ) : (
          <IconFileText size={26} stroke={1.3} aria-hidden />
        )}
        <span className={classes.railModality}>{shown.modality}</span>
      </span>
      <span className={classes.railTitle}>{shown.title}</span>
      <span className={classes.railCount}>{count}</span>
    </button>
  );
}

function Thumbnail({ src }: { readonly src: string }) {
  const [isMissing, setMissing] = useState(false);
  if (isMissing) return <IconPhotoOff size={22} aria-hidden />;
  return <img src={src} alt="" loading="lazy" decoding="async" draggable={false} onError={() => setMissing(true)} />;
}
