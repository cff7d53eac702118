import { crc32 } from "node:zlib";
import { Problem } from "#base/problem";

/*
 * The bytes of a parcel as they lie in a segment: pieces of 16 KiB, the last one shorter, each followed by its CRC-32, begun with the
 * number of the piece, so that one in another's place is noticed. The link reads 16 to 64 KiB at once from anywhere: with small pieces
 * little is read besides.
 */
const pieceBytes = 16 * 1024;
const sumBytes = 4;
const strideBytes = pieceBytes + sumBytes;

/** What a parcel of this length takes. */
export function storedBytes(length: number): number {
  return length + sumBytes * Math.ceil(length / pieceBytes);
}

export interface Pieces {
  /** How long the parcel is so far. */
  length(): number;
  /** The next bytes of the parcel, with the sums between them. Nothing is copied. */
  of(parts: readonly Uint8Array[]): Uint8Array[];
  /** What is still to be written behind the last. */
  end(): Uint8Array[];
}

export function createPieces(): Pieces {
  let length = 0;
  let sum = 0;
  const closed = (): Uint8Array => {
    const bytes = Buffer.alloc(sumBytes);
    bytes.writeUInt32BE(sum);
    sum = Math.floor(length / pieceBytes);
    return bytes;
  };
  return {
    length: () => length,
    of(parts) {
      const out: Uint8Array[] = [];
      for (const part of parts) {
        for (let at = 0; at < part.length; ) {
          const piece = part.subarray(at, at + pieceBytes - (length % pieceBytes));
          sum = crc32(piece, sum);
          length += piece.length;
          at += piece.length;
          out.push(piece);
          if (length % pieceBytes === 0) out.push(closed());
        }
      }
      return out;
    },
    end: () => (length % pieceBytes === 0 ? [] : [closed()]),
  };
}

/** Reads at a position into a buffer; how many bytes there were. */
export type ReadAt = (position: number, into: Uint8Array) => Promise<number>;

/** The bytes [from, to) of a parcel that lies at `position`. Problem "damaged" when one of their pieces is not as it was written. */
export async function readPieces(
  read: ReadAt,
  { position, length }: { readonly position: number; readonly length: number },
  from: number,
  to: number,
): Promise<Uint8Array> {
  if (from === to) return new Uint8Array(0);
  const [first, behind] = [Math.floor(from / pieceBytes), Math.ceil(to / pieceBytes)];
  const start = first * strideBytes;
  const stored = Buffer.alloc(Math.min(behind * strideBytes, storedBytes(length)) - start);
  if ((await readWhole(read, position + start, stored)) < stored.length) throw damaged();
  const bytes = Buffer.alloc(to - from);
  for (let number = first; number < behind; number++) {
    const lies = (number - first) * strideBytes;
    const piece = stored.subarray(lies, lies + Math.min(pieceBytes, length - number * pieceBytes));
    if (crc32(piece, number) !== stored.readUInt32BE(lies + piece.length)) throw damaged();
    const begins = number * pieceBytes;
    piece.copy(bytes, Math.max(0, begins - from), Math.max(0, from - begins), Math.min(piece.length, to - begins));
  }
  return bytes;
}

const damaged = () =>
  new Problem("damaged", "bytes of a parcel in the spool are not as they were written", {
    remedy: "look after the disk; send the study to the edge once more",
  });

/** As much as there is. */
export async function readWhole(read: ReadAt, position: number, into: Uint8Array): Promise<number> {
  let have = 0;
  while (have < into.length) {
    const count = await read(position + have, into.subarray(have));
    if (count === 0) break;
    have += count;
  }
  return have;
}
