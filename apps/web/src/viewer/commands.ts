import type { Shortcut } from "../shell/shortcuts.tsx";
import type { Pane } from "./pane.ts";
import { presets, presetsFor } from "./presets.ts";
import type { PrimaryTool } from "./reading-room.ts";

export const layouts = [
  { id: "1x1", label: "One pane", rows: 1, columns: 1 },
  { id: "1x2", label: "Two panes, side by side", rows: 1, columns: 2 },
  { id: "2x1", label: "Two panes, one above the other", rows: 2, columns: 1 },
  { id: "2x2", label: "Four panes", rows: 2, columns: 2 },
] as const;

export type Layout = (typeof layouts)[number];

/** What keys do to the viewer as a whole; the active pane is `pane()`. */
export interface ViewerActs {
  pane(): Pane | undefined;
  setTool(tool: PrimaryTool): void;
  moveSeries(by: number): void;
  nextLayout(): void;
  nextPane(): void;
  toggleOverlay(): void;
  toggleRail(): void;
  removeMeasurement(): void;
}

interface Key {
  /** As `useHotkeys` names it. */
  readonly hotkeys: readonly string[];
  readonly keys: string;
  readonly label: string;
  run(acts: ViewerActs, hotkey: string): void;
}

const tool = (hotkey: string, keys: string, name: PrimaryTool, label: string): Key => ({
  hotkeys: [hotkey],
  keys,
  label,
  run: (acts) => acts.setTool(name),
});

function page(acts: ViewerActs): number {
  return Math.max(5, Math.round((acts.pane()?.state.get().stack?.images.length ?? 0) / 10));
}

const keys: readonly Key[] = [
  { hotkeys: ["ArrowDown"], keys: "↓", label: "Next image", run: (acts) => acts.pane()?.move(1) },
  { hotkeys: ["ArrowUp"], keys: "↑", label: "Image before", run: (acts) => acts.pane()?.move(-1) },
  {
    hotkeys: ["PageDown"],
    keys: "Page ↓",
    label: "A tenth of the series on",
    run: (acts) => acts.pane()?.move(page(acts)),
  },
  {
    hotkeys: ["PageUp"],
    keys: "Page ↑",
    label: "A tenth of the series back",
    run: (acts) => acts.pane()?.move(-page(acts)),
  },
  { hotkeys: ["Home"], keys: "Home", label: "First image", run: (acts) => acts.pane()?.goTo(0) },
  { hotkeys: ["End"], keys: "End", label: "Last image", run: (acts) => acts.pane()?.goTo(Number.MAX_SAFE_INTEGER) },
  { hotkeys: ["ArrowRight"], keys: "→", label: "Next series", run: (acts) => acts.moveSeries(1) },
  { hotkeys: ["ArrowLeft"], keys: "←", label: "Series before", run: (acts) => acts.moveSeries(-1) },
  {
    hotkeys: ["Space"],
    keys: "Space",
    label: "Play, pause",
    run: (acts) => acts.pane()?.play(!acts.pane()?.state.get().playing),
  },
  tool("W", "W", "window", "Window by dragging"),
  tool("S", "S", "scroll", "Scroll by dragging"),
  tool("Z", "Z", "zoom", "Zoom by dragging"),
  tool("P", "P", "pan", "Move by dragging"),
  tool("L", "L", "length", "Measure a length"),
  tool("A", "A", "angle", "Measure an angle"),
  {
    hotkeys: ["Delete", "Backspace"],
    keys: "Delete",
    label: "Remove the selected or last measurement",
    run: (acts) => acts.removeMeasurement(),
  },
  {
    hotkeys: presets.map((preset) => preset.key),
    keys: "1 – 9",
    label: `Window: ${presets.map((preset) => preset.label.replace("CT ", "").toLowerCase()).join(", ")}`,
    run: (acts, hotkey) => {
      const pane = acts.pane();
      const preset = presetsFor(pane?.state.get().stack?.modality ?? "").find((each) => each.key === hotkey);
      if (preset !== undefined) pane?.applyPreset(preset);
    },
  },
  { hotkeys: ["R"], keys: "R", label: "Rotate by 90°", run: (acts) => acts.pane()?.rotate() },
  { hotkeys: ["H"], keys: "H", label: "Flip left and right", run: (acts) => acts.pane()?.flip("horizontal") },
  { hotkeys: ["V"], keys: "V", label: "Flip top and bottom", run: (acts) => acts.pane()?.flip("vertical") },
  { hotkeys: ["I"], keys: "I", label: "Invert", run: (acts) => acts.pane()?.invert() },
  { hotkeys: ["0"], keys: "0", label: "Reset the pane", run: (acts) => acts.pane()?.reset() },
  { hotkeys: ["G"], keys: "G", label: "Next layout", run: (acts) => acts.nextLayout() },
  { hotkeys: ["N"], keys: "N", label: "Next pane", run: (acts) => acts.nextPane() },
  { hotkeys: ["O"], keys: "O", label: "Show or hide the texts", run: (acts) => acts.toggleOverlay() },
  { hotkeys: ["T"], keys: "T", label: "Show or hide the series", run: (acts) => acts.toggleRail() },
];

export const viewerShortcuts: readonly Shortcut[] = [
  ...keys.map(({ keys: printed, label }) => ({ keys: printed, label })),
  { keys: "Wheel", label: "Scroll" },
  { keys: "Right button", label: "Zoom" },
  { keys: "Middle button", label: "Move" },
];

/** For `useHotkeys`. */
export function viewerHotkeys(acts: ViewerActs): [string, () => void][] {
  return keys.flatMap((key) =>
    key.hotkeys.map((hotkey): [string, () => void] => [hotkey, () => key.run(acts, hotkey)]),
  );
}
