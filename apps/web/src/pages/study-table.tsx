// biome-ignore-all lint/a11y/useSemanticElements: rows of a virtual grid lie where they are put, which table elements cannot
// biome-ignore-all lint/a11y/useKeyWithClickEvents: the grid takes the keys for its rows
// biome-ignore-all lint/a11y/useFocusableInteractive: the grid holds the focus and names its active row (ARIA grid pattern)
import { Tooltip } from "@mantine/core";
import { useHotkeys } from "@mantine/hooks";
import { IconAlertTriangle, IconArrowDown, IconArrowUp } from "@tabler/icons-react";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type KeyboardEvent, type ReactNode, useEffect, useRef, useState } from "react";
import { counted, type StudyView as StudyRow } from "#formats/api";
import { useShortcuts } from "../shell/shortcuts.tsx";
import { dicomDate, dicomTime, ideographicName, personName } from "../words/dicom-words.ts";
import { Time } from "../words/time.tsx";
import classes from "./studies.module.css";
import type { MenuPlace } from "./study-menu.tsx";
import { defaultSort, type StudySort, type StudyView } from "./study-view.ts";
import type { Studies } from "./use-studies.ts";

const rowHeight = 32;
const cardHeight = 92;

interface Column {
  readonly id: string;
  readonly label: string;
  readonly sort?: StudySort;
  cell(study: StudyRow): ReactNode;
}

const columns: readonly Column[] = [
  { id: "patient", label: "Patient", sort: "PatientName", cell: (study) => <PatientCell study={study} /> },
  { id: "id", label: "ID", sort: "PatientID", cell: (study) => study.patientId },
  { id: "born", label: "Born", cell: (study) => dicomDate(study.birthDate) },
  { id: "sex", label: "Sex", cell: (study) => study.sex },
  {
    id: "date",
    label: "Study date",
    sort: "StudyDate",
    cell: (study) => `${dicomDate(study.studyDate)} ${dicomTime(study.studyTime)}`,
  },
  { id: "modality", label: "Modality", cell: (study) => study.modalities.join(" ") },
  { id: "description", label: "Description", sort: "StudyDescription", cell: (study) => study.description },
  { id: "accession", label: "Accession", sort: "AccessionNumber", cell: (study) => study.accessionNumber },
  {
    id: "images",
    label: "Series / images",
    cell: (study) => `${study.seriesCount} / ${study.instanceCount.toLocaleString("en")}`,
  },
  { id: "arrived", label: "Arrived", sort: "ArrivedAt", cell: (study) => <Time at={study.changedAt} /> },
];

const shortcuts = [
  { keys: "/", label: "Search" },
  { keys: "↑ ↓", label: "Move through the studies" },
  { keys: "Page ↑ ↓", label: "Move by a page" },
  { keys: "Home, End", label: "First, last" },
  { keys: "Enter", label: "Open the study" },
  { keys: "Shift + F10", label: "What can be done with the study" },
];

export interface StudyTableProps {
  readonly studies: Studies;
  readonly view: StudyView;
  onView(view: StudyView): void;
  onOpen(token: string): void;
  onMenu(place: MenuPlace): void;
  onSearch(): void;
  readonly asCards: boolean;
}

/** A grid of 32 px rows, of which only those in sight are in the page; cards on a phone. */
export function StudyTable({ studies, view, onView, onOpen, onMenu, asCards }: StudyTableProps) {
  const { rows } = studies;
  const scroller = useRef<HTMLDivElement>(null);
  const [at, setAt] = useState(0);
  const height = asCards ? cardHeight : rowHeight;
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => height,
    overscan: 12,
    getItemKey: (index) => rows[index]?.token ?? index,
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: rows have another height as cards
  useEffect(() => virtual.measure(), [virtual, height]);
  const items = virtual.getVirtualItems();
  const lastShown = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (lastShown >= rows.length - 30) studies.more();
  });
  useShortcuts("Study list", shortcuts);
  const move = (to: number) => {
    const index = Math.max(0, Math.min(rows.length - 1, to));
    setAt(index);
    virtual.scrollToIndex(index);
  };
  useHotkeys([
    ["ArrowDown", () => scroller.current?.focus()],
    ["ArrowUp", () => scroller.current?.focus()],
  ]);
  const selected = Math.min(at, rows.length - 1);
  return (
    <div
      ref={scroller}
      className={classes.scroller}
      data-stale={studies.isStale}
      data-cards={asCards}
      role="grid"
      aria-label="Studies"
      aria-rowcount={studies.total + 1}
      aria-colcount={columns.length}
      aria-busy={studies.state === "loading"}
      aria-activedescendant={rows.length === 0 ? undefined : rowId(selected)}
      tabIndex={0}
      onContextMenu={(event) => {
        // The menu key and Shift+F10 come to the grid, which holds the focus: the menu stands at its active row.
        const [study, row] = [rows[selected], document.getElementById(rowId(selected))];
        if (event.target !== event.currentTarget || study === undefined || row === null) return;
        event.preventDefault();
        const { left, bottom } = row.getBoundingClientRect();
        onMenu({ token: study.token, left: left + 12, top: bottom });
      }}
      onKeyDown={(event) =>
        onKey(
          event,
          selected,
          rows,
          Math.max(1, Math.floor((scroller.current?.clientHeight ?? 0) / height) - 2),
          move,
          onOpen,
        )
      }
    >
      <HeadRow view={view} onView={onView} hidden={asCards} />
      {studies.state === "loading" ? <LoadingRows /> : null}
      <div role="rowgroup" className={classes.body} style={{ height: virtual.getTotalSize() }}>
        {items.map((item) => {
          const study = rows[item.index];
          if (study === undefined) return null;
          return (
            <div
              key={item.key}
              id={rowId(item.index)}
              role="row"
              aria-rowindex={item.index + 2}
              aria-selected={item.index === selected}
              className={asCards ? classes.card : classes.row}
              data-fresh={studies.fresh.has(study.token)}
              style={{ transform: `translateY(${item.start}px)`, height }}
              onClick={() => onOpen(study.token)}
              onPointerDown={() => setAt(item.index)}
              onContextMenu={(event) => {
                event.preventDefault();
                onMenu({ token: study.token, left: event.clientX, top: event.clientY });
              }}
            >
              {asCards ? (
                <CardCells study={study} />
              ) : (
                columns.map((column) => <Cell key={column.id} column={column} study={study} />)
              )}
            </div>
          );
        })}
      </div>
    </div>
  );
}

function rowId(index: number): string {
  return `study-row-${index}`;
}

function onKey(
  event: KeyboardEvent,
  at: number,
  rows: readonly StudyRow[],
  page: number,
  move: (to: number) => void,
  onOpen: (token: string) => void,
): void {
  if (event.target !== event.currentTarget || event.altKey || event.ctrlKey || event.metaKey) return;
  const target = {
    ArrowDown: at + 1,
    ArrowUp: at - 1,
    PageDown: at + page,
    PageUp: at - page,
    Home: 0,
    End: rows.length - 1,
  }[event.key];
  if (target !== undefined) move(target);
  else if (event.key === "Enter") {
    const study = rows[at];
    if (study !== undefined) onOpen(study.token);
  } else return;
  event.preventDefault();
}

function HeadRow({
  view,
  onView,
  hidden,
}: {
  readonly view: StudyView;
  onView(view: StudyView): void;
  readonly hidden: boolean;
}) {
  const sort = view.sort ?? defaultSort;
  const ascending = view.ascending ?? false;
  const by = (column: StudySort) => {
    const { sort: _, ascending: __, ...rest } = view;
    const firstWay = column === "PatientName" || column === "PatientID" || column === "StudyDescription";
    const way = column === sort ? !ascending : firstWay;
    onView({ ...rest, ...(column === defaultSort ? {} : { sort: column }), ...(way ? { ascending: true } : {}) });
  };
  return (
    <div role="rowgroup" className={hidden ? "visually-hidden" : classes.head}>
      <div role="row" aria-rowindex={1} className={classes.headRow}>
        {columns.map((column) => {
          const order = column.sort === sort ? (ascending ? "ascending" : "descending") : "none";
          return (
            <div
              key={column.id}
              role="columnheader"
              className={classes[column.id]}
              aria-sort={column.sort === undefined ? undefined : order}
            >
              {column.sort === undefined ? (
                column.label
              ) : (
                <button
                  type="button"
                  className={classes.sort}
                  tabIndex={hidden ? -1 : 0}
                  onClick={() => column.sort && by(column.sort)}
                >
                  {column.label}
                  {order === "ascending" ? (
                    <IconArrowUp size={13} aria-hidden />
                  ) : order === "descending" ? (
                    <IconArrowDown size={13} aria-hidden />
                  ) : null}
                </button>
              )}
            </div>
          );
        })}
      </div>
    </div>
  );
}

function Cell({ column, study }: { readonly column: Column; readonly study: StudyRow }) {
  const value = column.cell(study);
  return (
    <div
      role="gridcell"
      className={classes[column.id]}
      title={typeof value === "string" && value !== "" ? value : undefined}
    >
      {value}
    </div>
  );
}

function PatientCell({ study }: { readonly study: StudyRow }) {
  const name = personName(study.patientName);
  const ideographic = ideographicName(study.patientName);
  return (
    <>
      <span className={classes.name} title={name}>
        {name === "" ? <span className={classes.absent}>No name</span> : name}
      </span>
      {ideographic === "" ? null : <span className={classes.ideographic}>{ideographic}</span>}
      <ConflictBadge count={study.conflictCount} />
    </>
  );
}

/** The same SOP Instance UID came with other bytes: both are kept. */
function ConflictBadge({ count }: { readonly count: number }) {
  if (count === 0) return null;
  const words = `${counted(count, "image")} came twice with different content: both are kept`;
  return (
    <Tooltip label={words}>
      <span className={classes.conflict} role="img" aria-label={words}>
        <IconAlertTriangle size={13} aria-hidden />
        {count}
      </span>
    </Tooltip>
  );
}

function CardCells({ study }: { readonly study: StudyRow }) {
  return (
    <div role="gridcell" className={classes.cardInner}>
      <div className={classes.cardTop}>
        <PatientCell study={study} />
        <span className={classes.cardModality}>{study.modalities.join(" ")}</span>
      </div>
      <div className={classes.cardLine}>{study.description === "" ? "No description" : study.description}</div>
      <div className={classes.cardFoot}>
        <span>{[dicomDate(study.studyDate), study.patientId].filter((part) => part !== "").join(" · ")}</span>
        <span>{counted(study.instanceCount, "image")}</span>
      </div>
    </div>
  );
}

const loadingRows = Array.from({ length: 12 }, (_, index) => index);

function LoadingRows() {
  return (
    <div aria-hidden>
      {loadingRows.map((index) => (
        <div key={index} className={classes.loadingRow} />
      ))}
    </div>
  );
}
