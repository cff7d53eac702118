import { decodeFrame, type Frame, frameHeader, frameHeaderBytes } from "./frames.ts";

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
  let filled = 0;
  let current: { readonly type: Frame["type"]; readonly body: Buffer } | undefined;

  return {
    read(chunk) {
      for (let at = 0; at < chunk.length; ) {
        const into: Buffer = current?.body ?? header;
        const piece = chunk.subarray(at, at + into.length - filled);
        into.set(piece, filled);
        at += piece.length;
        filled += piece.length;
        if (filled < into.length) return;
        filled = 0;
        if (current === undefined) {
          const { type, length } = frameHeader(header);
          // Up to 64 KiB on the word of a header, for one frame of a stream at a time; not from the pool that Node shares out, where a
          // short piece that waits for its turn would keep its neighbours.
          const body = Buffer.alloc(length);
          if (length > 0) current = { type, body };
          else give(decodeFrame(type, body));
        } else {
          const { type, body } = current;
          current = undefined;
          give(decodeFrame(type, body));
        }
      }
    },
  };
}
