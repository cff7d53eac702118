import { createFrameCodecs } from "#imaging/codecs";
import { renderFrame } from "#imaging/rendering";
import type { PixelWork } from "./pixel-work.ts";

/** The work on pixels in this thread: a test of the processes that do it shows what they add. */
export function pixelsHere(): PixelWork {
  const codecs = createFrameCodecs();
  return {
    decodeFrame: (frame, image) => codecs.decodeFrame(frame, image),
    recodeFrame: (frame, image, to) => codecs.recodeFrame(frame, image, to),
    async renderFrame({ frame, image, attributes, options }) {
      return renderFrame(await codecs.decodeFrame(frame, image), attributes, options);
    },
  };
}
