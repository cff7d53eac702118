import { parentPort } from "node:worker_threads";
import { openWholeTask, type WholeAnswer, type WholeTask } from "#trust/vault";
import { movable } from "./movable.ts";

/* A thread that opens whole objects: it reads no file and keeps no key; each task brings the key of its object. */

export interface OpeningRequest {
  readonly serial: number;
  readonly task: WholeTask;
}

export interface OpeningReply {
  readonly serial: number;
  readonly answer: Extract<WholeAnswer, { damagedSegment: number }> | { sha256: string; pieces: ArrayBuffer[] };
  readonly sealed: ArrayBuffer;
}

parentPort?.on("message", ({ serial, task }: OpeningRequest) => {
  const sealed = task.segments[0]?.buffer as ArrayBuffer;
  const opened = openWholeTask(task);
  const pieces = "pieces" in opened ? opened.pieces.map(movable) : [];
  const answer = "pieces" in opened ? { sha256: opened.sha256, pieces } : opened;
  parentPort?.postMessage({ serial, answer, sealed } satisfies OpeningReply, [sealed, ...pieces]);
});
parentPort?.postMessage("ready");
