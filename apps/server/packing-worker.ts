import { parentPort } from "node:worker_threads";
import { systemClock } from "#base/clock";
import { createFrameCodecs } from "#imaging/codecs";
import { createPackingHere, type PackingTask } from "#radiology/images";
import { movable } from "./movable.ts";

/* A thread that packs data sets, one after the other: it reads no file, and keeps nothing of them. */

/** What it answers; without parts where that recipe cannot. */
export interface PackingReply {
  readonly parts: readonly ArrayBuffer[] | undefined;
  readonly milliseconds: number;
}

const work = createPackingHere({ codecs: createFrameCodecs(), clock: systemClock });
/** Codecs that have run: the first time takes what compiling takes, and is not what is to be known. */
const warm = new Set<string>();

parentPort?.on("message", async (task: PackingTask) => {
  const { packing } = task.recipe;
  if (!warm.has(packing)) await work.pack(task);
  warm.add(packing);
  const { parts, milliseconds } = await work.pack(task);
  const moved = parts?.map(movable);
  parentPort?.postMessage({ parts: moved, milliseconds } satisfies PackingReply, moved ?? []);
});
