import { Problem } from "#base/problem";

/**
 * Instances one after the other, as a cloud sends them to its edge: each in pieces behind their length in four bytes (big endian), then a
 * length of 0 and one byte, which says whether the whole was proven while it went. So neither side holds a whole one.
 */
export type FramedPart =
  | { readonly kind: "piece"; readonly bytes: Buffer }
  | { readonly kind: "end"; readonly isWhole: boolean };

const wholeByte = 1;
const givenUpByte = 0;
/** Above any header that is written anew in one piece; it is passed on as it comes. */
const pieceBytesMax = 2 ** 30;

export function framedPiece(piece: Buffer): readonly Buffer[] {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(piece.length);
  return piece.length === 0 ? [] : [length, piece];
}

export const framedEnd = (isWhole: boolean): Buffer => Buffer.from([0, 0, 0, 0, isWhole ? wholeByte : givenUpByte]);

/** Problem `unavailable` for what ends inside an instance, or is not of this form. */
export async function* unframed(chunks: AsyncIterable<Buffer>): AsyncGenerator<FramedPart> {
  let head = Buffer.alloc(0);
  let left = 0;
  let isInside = false;
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length; ) {
      if (left > 0) {
        const bytes = chunk.subarray(at, at + left);
        at += bytes.length;
        left -= bytes.length;
        yield { kind: "piece", bytes };
        continue;
      }
      const wanted = head.length < 4 ? 4 : 5;
      const taken = chunk.subarray(at, at + wanted - head.length);
      head = Buffer.concat([head, taken]);
      at += taken.length;
      if (head.length < 4) continue;
      const length = head.readUInt32BE();
      if (length > pieceBytesMax) throw broken();
      if (length === 0 && head.length < 5) continue;
      if (length > 0) {
        left = length;
        isInside = true;
      } else {
        const isWhole = head[4] === wholeByte;
        if (isWhole && !isInside) throw broken();
        isInside = false;
        yield { kind: "end", isWhole };
      }
      head = Buffer.alloc(0);
    }
  }
  if (isInside || head.length > 0) throw broken();
}

function broken(): Problem {
  return new Problem("unavailable", "what the cloud sent broke off", { remedy: "ask for it again" });
}
