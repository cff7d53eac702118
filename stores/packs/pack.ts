import type { VoidRange } from "#trust/vault";
import type { Lane } from "./lane.ts";

/** What is known of one pack. */
export interface Pack {
  readonly name: string;
  /** Undefined while it is open. */
  endPosition: number | undefined;
  /** That writes to it. */
  lane?: Lane;
  readonly voids: VoidRange[];
}
