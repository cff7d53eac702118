import type { CodedFrame, DecodedFrame, FrameDescription } from "#imaging/codecs";
import type { DisplayAttributes, Picture, RenderOptions } from "#imaging/rendering";

/** One frame as it is stored, and what it is to be shown like. */
export interface PictureRequest {
  readonly frame: Uint8Array;
  readonly image: FrameDescription;
  readonly attributes: DisplayAttributes;
  readonly options: RenderOptions;
}

/**
 * Port: work on pixels that strangers sent, done apart from the process that holds the keys, in time and memory that are bounded; a
 * decoder that hangs or crashes takes nobody with it. Rejects with Problems: `busy` when too much waits already, `invalid`
 * for frames that are damaged or took too long, `unsupported`, `too-large`. What is handed over is copied or taken: do not
 * write to it afterwards.
 */
export interface PixelWork {
  decodeFrame(frame: Uint8Array, image: FrameDescription): Promise<DecodedFrame>;
  /** One frame as it is stored, compressed without loss for another transfer syntax. */
  recodeFrame(frame: Uint8Array, image: FrameDescription, transferSyntaxUid: string): Promise<CodedFrame>;
  /** A frame as it is to be looked at. */
  renderFrame(request: PictureRequest): Promise<Picture>;
}
