import { createFrameCodecs } from "#imaging/codecs";
import { encodePicture } from "#imaging/pictures";
import { renderFrame } from "#imaging/rendering";
import type { PixelWork } from "./pixel-work.ts";

/** The work on pixels in this thread: a test of the processes that do it shows what they add. */
export function pixelsHere(): PixelWork {
  const codecs = createFrameCodecs();
  return {
    decodeFrame: (frame, image) => codecs.decodeFrame(frame, image),
    async renderPicture({ frame, image, attributes, options, format }) {
      return encodePicture(renderFrame(await codecs.decodeFrame(frame, image), attributes, options), format);
    },
  };
}
