import { useCallback, useMemo, useState } from "react";
import { type Layout, layouts } from "./commands.ts";
import type { Pane } from "./pane.ts";
import type { PrimaryTool, ReadingRoom } from "./reading-room.ts";
import type { Shown } from "./stacks.ts";
import type { SeriesEntry } from "./use-series.ts";

export interface Arrangement {
  readonly layout: Layout;
  readonly active: number;
  readonly tool: PrimaryTool;
  /** What each place shows. */
  readonly shown: readonly (Shown | undefined)[];
  readonly open: ReadonlySet<string>;
  /** The active one. */
  readonly pane: Pane | undefined;
  setLayout(layout: Layout): void;
  nextLayout(): void;
  setActive(place: number): void;
  nextPane(): void;
  setTool(tool: PrimaryTool): void;
  choose(shown: Shown): void;
  moveSeries(by: number): void;
  drop(place: number, id: string): void;
  onPane(place: number, pane: Pane | undefined): void;
}

/** Which series is in which pane, which pane the tools act on, and the tool in hand. */
export function useArrangement(entries: readonly SeriesEntry[], room: ReadingRoom): Arrangement {
  const [layout, setLayoutState] = useState<Layout>(layouts[0]);
  const [active, setActive] = useState(0);
  const [tool, setToolState] = useState<PrimaryTool>("window");
  const [chosen, setChosen] = useState<readonly (string | undefined)[]>([]);
  const [panes, setPanes] = useState<ReadonlyMap<number, Pane>>(new Map());
  const all = useMemo(() => entries.flatMap((entry) => entry.shown), [entries]);
  const count = layout.rows * layout.columns;
  const places = useMemo(() => filled(chosen, count, all), [chosen, count, all]);
  const shown = useMemo(() => places.map((id) => all.find((each) => each.id === id)), [places, all]);
  const put = (place: number, id: string) =>
    setChosen((before) =>
      Array.from({ length: Math.max(before.length, place + 1, count) }, (_, each) =>
        each === place ? id : (before[each] ?? places[each]),
      ),
    );
  const setLayout = (next: Layout) => {
    setLayoutState(next);
    setActive((before) => Math.min(before, next.rows * next.columns - 1));
  };
  return {
    layout,
    active,
    tool,
    shown,
    open: new Set(places.filter((id) => id !== undefined)),
    pane: panes.get(active),
    setLayout,
    nextLayout: () =>
      setLayout(layouts[(layouts.findIndex((each) => each.id === layout.id) + 1) % layouts.length] ?? layouts[0]),
    setActive,
    nextPane: () => setActive((active + 1) % count),
    setTool: (next) => {
      room.setPrimaryTool(next);
      setToolState(next);
    },
    choose: (each) => put(active, each.id),
    moveSeries: (by) => {
      const at = all.findIndex((each) => each.id === places[active]);
      const next = all[Math.max(0, Math.min(all.length - 1, at + by))];
      if (next !== undefined) put(active, next.id);
    },
    drop: (place, id) => {
      setActive(place);
      put(place, id);
    },
    onPane: useCallback((place: number, pane: Pane | undefined) => {
      setPanes((before) => {
        const after = new Map(before);
        if (pane === undefined) after.delete(place);
        else after.set(place, pane);
        return after;
      });
    }, []),
  };
}

/** A place that nobody chose for gets the next picture series that is in no other place. */
function filled(
  chosen: readonly (string | undefined)[],
  count: number,
  all: readonly Shown[],
): readonly (string | undefined)[] {
  const used = new Set(chosen.slice(0, count));
  const free = [
    ...all.filter((each) => each.kind === "images"),
    ...all.filter((each) => each.kind === "document"),
  ].filter((each) => !used.has(each.id));
  return Array.from({ length: count }, (_, place) => chosen[place] ?? free.shift()?.id);
}
