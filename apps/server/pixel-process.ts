import { readSync, writeSync } from "node:fs";
import { asProblem } from "#base/problem";
import { createFrameCodecs } from "#imaging/codecs";
import { renderFrame } from "#imaging/rendering";
import { type PixelAnswer, type PixelTask, prefixBytes, readTask, writeAnswer } from "./pixel-tasks.ts";

/**
 * The program of a pixel process: takes a frame from its standard input, gives what it made of it to its standard output, one after the
 * other, until its input ends. It reads and writes while it waits for nothing else, so it does so without a loop between.
 */

/** What one frame may take when it is decoded; half of what the process may. */
const limits = { outputBytesMax: 128 * 1024 * 1024 };
const [input, output] = [0, 1];

/** Compiled codecs keep the memory of the largest frame that they had: over this, they are let go of. */
const keptBytesMax = 128 * 1024 * 1024;

let codecs = createFrameCodecs();

/** Whether the next frame finds room: what nobody needs is collected first, then old codecs go. */
function isRoomy(): boolean {
  const isOver = () => process.memoryUsage.rss() > keptBytesMax;
  if (!isOver()) return true;
  globalThis.gc?.();
  if (!isOver()) return true;
  codecs = createFrameCodecs();
  globalThis.gc?.();
  return !isOver();
}

interface Made {
  readonly answer: PixelAnswer;
  readonly bytes: Uint8Array;
}

async function madeOf(task: PixelTask, frame: Uint8Array): Promise<Made> {
  if (task.kind === "recode") {
    const { bytes, ...coded } = await codecs.recodeFrame(frame, task.image, task.to, limits);
    return { answer: { kind: "recoded", ...coded }, bytes };
  }
  const { pixels, ...decoded } = await codecs.decodeFrame(frame, task.image, limits);
  if (task.kind === "decode") return { answer: { kind: "decoded", ...decoded }, bytes: pixels };
  const { pixels: bytes, ...picture } = renderFrame({ ...decoded, pixels }, task.attributes, task.options);
  return { answer: { kind: "rendered", ...picture }, bytes };
}

function problemOf(error: unknown): Made {
  const { code, message, remedy } = asProblem(error, "working on a frame");
  const answer = { kind: "problem", code, message, ...(remedy !== undefined && { remedy }) } as const;
  return { answer, bytes: new Uint8Array(0) };
}

/** So many bytes of the input; undefined where it ends. */
function take(count: number): Buffer | undefined {
  const bytes = Buffer.alloc(count);
  for (let at = 0; at < count; ) {
    const length = readSync(input, bytes, at, count - at, null);
    if (length === 0) return undefined;
    at += length;
  }
  return bytes;
}

function give(bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(output, bytes, at, bytes.length - at);
}

function reply({ answer, bytes }: Made): void {
  give(writeAnswer(answer, bytes.length));
  give(bytes);
}

// It says that it is ready before each frame: one that has not is not given any.
while (isRoomy()) {
  reply({ answer: { kind: "ready" }, bytes: new Uint8Array(0) });
  const prefix = take(prefixBytes);
  const head = prefix && take(prefix.readUInt32LE(0));
  const frame = head && take(prefix.readUInt32LE(4));
  if (frame === undefined) break;
  reply(await madeOf(readTask(head as Buffer), frame).catch(problemOf));
}
