import { useSyncExternalStore } from "react";
import type { Pane, PaneState } from "./pane.ts";

const never = () => () => undefined;

/** The whole state of a pane, or undefined while there is none. */
export function usePaneState(pane: Pane | undefined): PaneState | undefined {
  return useSyncExternalStore(pane?.state.watch ?? never, () => pane?.state.get());
}
