import type { DecodedFrame, FrameDescription } from "#imaging/codecs";
import type { PictureFormat } from "#imaging/pictures";
import type { DisplayAttributes, RenderOptions } from "#imaging/rendering";

/** One frame as it is stored, and what it is to be shown like. */
export interface PictureRequest {
  readonly frame: Uint8Array;
  readonly image: FrameDescription;
  readonly attributes: DisplayAttributes;
  readonly options: RenderOptions;
  readonly format: PictureFormat;
}

/**
 * Port: work on pixels that strangers sent, done apart from the thread that serves, in time and memory that are bounded; a
 * decoder that hangs or crashes takes nobody with it. Rejects with Problems: `busy` when too much waits already, `invalid`
 * for frames that are damaged or took too long, `unsupported`, `too-large`. What is handed over is copied or taken: do not
 * write to it afterwards.
 */
export interface PixelWork {
  decodeFrame(frame: Uint8Array, image: FrameDescription): Promise<DecodedFrame>;
  /** A picture as a file, JPEG or PNG. */
  renderPicture(request: PictureRequest): Promise<Uint8Array>;
}
