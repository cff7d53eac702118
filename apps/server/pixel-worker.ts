import { parentPort } from "node:worker_threads";
import { asProblem } from "#base/problem";
import { createFrameCodecs } from "#imaging/codecs";
import { encodePicture } from "#imaging/pictures";
import { renderFrame } from "#imaging/rendering";
import type { PixelAnswer, PixelTask } from "./pixel-tasks.ts";

/** What one frame may take when it is decoded: a 16 bit image of 16,000 by 16,000 pixels. */
const limits = { outputBytesMax: 512 * 1024 * 1024 };

const codecs = createFrameCodecs();
const port = parentPort;

async function answer(task: PixelTask): Promise<PixelAnswer> {
  const decoded = await codecs.decodeFrame(task.frame, task.image, limits);
  if (task.kind === "decode") return { kind: "decoded", decoded: { ...decoded, pixels: standalone(decoded.pixels) } };
  const picture = renderFrame(decoded, task.attributes, task.options);
  return { kind: "rendered", bytes: standalone(await encodePicture(picture, task.format)) };
}

/** A copy with memory of its own, to be handed over: that of a codec may be its module's, that of a native one is nobody's. */
function standalone(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(bytes);
}

port?.on("message", async (task: PixelTask) => {
  try {
    const done = await answer(task);
    if (done.kind === "problem") port.postMessage(done);
    else port.postMessage(done, [(done.kind === "decoded" ? done.decoded.pixels : done.bytes).buffer as ArrayBuffer]);
  } catch (error) {
    const { code, message, remedy } = asProblem(error, "working on a frame");
    port.postMessage({ kind: "problem", code, message, remedy } satisfies PixelAnswer);
  }
});
