import type { PictureLayout } from "./coded-pixels.ts";
import type { ZstdLevel } from "./zstd-chunks.ts";

/** How a data set is made small for a journey. What comes out at its end is the data set, bit for bit, in its own transfer syntax. */
export type Packing = "plain" | "zstd" | "htj2k" | "jpeg-ls";

export interface Recipe {
  readonly packing: Exclude<Packing, "plain">;
  /** Of what is not in codestreams. */
  readonly level: ZstdLevel;
}

export interface PackingTask {
  readonly bytes: Uint8Array;
  /** Where the pixels are, for what makes codestreams of them. */
  readonly picture: PictureLayout | undefined;
  readonly recipe: Recipe;
}

export interface PackingDone {
  /** Undefined where that recipe cannot give the bytes back exactly, or does not make them shorter. */
  readonly parts: readonly Uint8Array[] | undefined;
  /** That packing, restoring and comparing took. */
  readonly milliseconds: number;
}

/**
 * Port: packing beside the thread that asks. What is given was restored and compared. Rejects with a Problem when a thread died over it; the
 * bytes are the asker's as before, and must not change meanwhile.
 */
export interface PackingWork {
  /** How many tasks are worked on at once. */
  readonly lanes: number;
  pack(task: PackingTask): Promise<PackingDone>;
}
