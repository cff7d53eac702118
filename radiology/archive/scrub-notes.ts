import type { Half, PackRange } from "#trust/vault";

/** A range of bytes that did not prove, and that no replica could mend. */
export interface ScrubDamage extends PackRange {
  readonly half: Half;
  readonly what: string;
}

export interface ScrubPass {
  readonly startedAt: number;
  readonly endedAt: number;
  readonly objects: number;
  readonly bytes: number;
  readonly repaired: number;
}

/** What is to outlive a stop: no pass begins anew because of one, and known damage stays known. */
export interface ScrubNotes {
  readonly lastFullPass?: ScrubPass;
  /** The pass under way. */
  readonly pass?: Omit<ScrubPass, "endedAt"> & { readonly packsDone: readonly string[] };
  readonly damaged: readonly ScrubDamage[];
}
