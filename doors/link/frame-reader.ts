import { decodeFrame, type Frame, frameBodyBytesMax, frameHeader, frameHeaderBytes } from "./frames.ts";

export interface FrameReader {
  /** Gives each frame that ends in these bytes. Throws a `Problem` where there is none; it must not be used again then. */
  read(chunk: Uint8Array): void;
}

/**
 * Frames from a stream cut anywhere, in memory of one frame. What is given is a copy: a view would keep the whole chunk that it came
 * in for as long as one byte of it waits for its turn.
 */
export function createFrameReader(give: (frame: Frame) => void): FrameReader {
  const header = Buffer.alloc(frameHeaderBytes);
  const body = Buffer.alloc(frameBodyBytesMax);
  let filled = 0;
  let current: { readonly type: Frame["type"]; readonly length: number } | undefined;

  return {
    read(chunk) {
      for (let at = 0; at < chunk.length; ) {
        const into = current === undefined ? header : body;
        const wanted = current?.length ?? frameHeaderBytes;
        const piece = chunk.subarray(at, at + wanted - filled);
        into.set(piece, filled);
        at += piece.length;
        filled += piece.length;
        if (filled < wanted) return;
        filled = 0;
        if (current === undefined) {
          const begun = frameHeader(header);
          if (begun.length > 0) current = begun;
          else give(decodeFrame(begun.type, Buffer.alloc(0)));
        } else {
          const { type, length } = current;
          current = undefined;
          give(decodeFrame(type, Buffer.from(body.subarray(0, length))));
        }
      }
    },
  };
}
