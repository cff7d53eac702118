import { Problem } from "#base/problem";

/** Pieces by exact sizes out of a stream of bytes. */
export interface ByteSource {
  /** Exactly `count` bytes. Problem `damaged` when the stream ends before. */
  take(count: number): Promise<Buffer>;
  /** The next piece, at most `most` bytes; undefined at the end. */
  next(most: number): Promise<Buffer | undefined>;
  /** Ends the stream that it takes from. */
  close(): Promise<void>;
}

export function createByteSource(bytes: AsyncIterable<Buffer>): ByteSource {
  const iterator = bytes[Symbol.asyncIterator]();
  let rest: Buffer = Buffer.alloc(0);
  const next = async (most: number): Promise<Buffer | undefined> => {
    while (rest.length === 0) {
      const step = await iterator.next();
      if (step.done) return undefined;
      rest = step.value;
    }
    const piece = rest.subarray(0, most);
    rest = rest.subarray(piece.length);
    return piece;
  };
  return {
    next,
    async take(count) {
      const pieces: Buffer[] = [];
      for (let have = 0; have < count; ) {
        const piece = await next(count - have);
        if (piece === undefined) throw new Problem("damaged", "an instance ends inside its pixel data");
        pieces.push(piece);
        have += piece.length;
      }
      return pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces);
    },
    async close() {
      await iterator.return?.();
    },
  };
}
