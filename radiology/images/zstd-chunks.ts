import { promisify } from "node:util";
import { constants, zstdCompress, zstdDecompress } from "node:zlib";
import { Problem } from "#base/problem";
import type { ByteSource } from "./byte-source.ts";

/**
 * Bytes under Zstandard (RFC 8878), a chunk at a time: its length, its length packed (4 bytes each, little endian), and one frame. A chunk
 * that does not shrink stands as it is. Each is restored by itself, so that what a stranger sends costs one chunk of memory.
 */

export type ZstdLevel = 1 | 2 | 3;

export const chunkBytesMax = 1024 * 1024;
/** No chunk of ours shrinks to less than one byte in so many: what does is somebody's bomb. */
export const inflateRatioMax = 1024;

const headBytes = 8;
const windowLog = 20;
/** A frame that decoders pass over (RFC 8878 §3.1.2). */
const skippableMagic = 0x184d2a50;
const skippableHeadBytes = 8;

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

/** One chunk, restored and compared before it is given. `bytes` must not change until then, nor while what is given is used. */
export async function packedChunk(bytes: Uint8Array, level: ZstdLevel): Promise<Uint8Array[]> {
  const params = { [constants.ZSTD_c_compressionLevel]: level, [constants.ZSTD_c_windowLog]: windowLog };
  const body = padded(await compress(bytes, { params, chunkSize: atOnce(bytes.length) }), bytes.length);
  if (body.length >= bytes.length || !(await restoredChunk(body, bytes.length)).equals(bytes))
    return storedChunk(bytes);
  return [headOf(bytes.length, body.length), body];
}

/** One chunk as it is. */
export const storedChunk = (bytes: Uint8Array): Uint8Array[] => [headOf(bytes.length, bytes.length), bytes];

/** All of `bytes`, chunk after chunk. */
export async function packedChunks(bytes: Uint8Array, level: ZstdLevel): Promise<Uint8Array[]> {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += chunkBytesMax) {
    parts.push(...(await packedChunk(bytes.subarray(at, at + chunkBytesMax), level)));
  }
  return parts;
}

/** Exactly `size` bytes out of their chunks. Problem `damaged` for what no sender of ours writes. */
export async function* unpackedChunks(source: ByteSource, size: number): AsyncGenerator<Uint8Array> {
  for (let left = size; left > 0; ) {
    const chunk = await unpackedChunk(source, left);
    if (chunk === undefined) throw new Problem("damaged", "a packed object ends too early");
    yield chunk;
    left -= chunk.length;
  }
}

/** The next chunk, `most` bytes long at most; undefined where nothing follows. */
export async function unpackedChunk(source: ByteSource, most: number): Promise<Buffer | undefined> {
  const begun = await source.next(headBytes);
  if (begun === undefined) return undefined;
  const head = Buffer.concat([begun, await source.take(headBytes - begun.length)]);
  const [plain, packed] = [head.readUInt32LE(0), head.readUInt32LE(4)];
  if (plain === 0 || plain > chunkBytesMax || packed > plain || packed * inflateRatioMax < plain) {
    throw new Problem("damaged", "a chunk of a packed object states lengths that cannot be");
  }
  if (plain > most) throw longerThanStated();
  const body = await source.take(packed);
  return packed === plain ? body : restoredChunk(body, plain);
}

export const longerThanStated = (): Problem => new Problem("too-large", "a packed object is longer than was stated");

async function restoredChunk(body: Uint8Array, plainBytes: number): Promise<Buffer> {
  const params = { [constants.ZSTD_d_windowLogMax]: windowLog };
  const bounds = { chunkSize: atOnce(plainBytes), maxOutputLength: plainBytes };
  const plain = await decompress(body, { params, ...bounds }).catch((cause) => {
    throw new Problem("damaged", "a chunk of a packed object cannot be restored", { cause });
  });
  if (plain.length !== plainBytes) throw new Problem("damaged", "a chunk of a packed object is shorter than it states");
  return plain;
}

/** All of a chunk at once: each piece of output is a trip to another thread, which takes longer than its compression. */
const atOnce = (plainBytes: number): number => Math.max(plainBytes, constants.Z_MIN_CHUNK);

function headOf(plainBytes: number, packedBytes: number): Buffer {
  const head = Buffer.alloc(headBytes);
  head.writeUInt32LE(plainBytes, 0);
  head.writeUInt32LE(packedBytes, 4);
  return head;
}

/** Blank pixels shrink to nothing; such a frame is followed by one that means nothing. */
function padded(frame: Buffer, plainBytes: number): Buffer {
  const lacking = Math.ceil(plainBytes / inflateRatioMax) - frame.length;
  if (lacking <= 0) return frame;
  const filler = Buffer.alloc(Math.max(lacking, skippableHeadBytes));
  filler.writeUInt32LE(skippableMagic, 0);
  filler.writeUInt32LE(filler.length - skippableHeadBytes, 4);
  return Buffer.concat([frame, filler]);
}
