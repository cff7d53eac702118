import { Readable } from "node:stream";
import { createDeflateRaw } from "node:zlib";
import { createInflater, readerLimits } from "#formats/dicom";
import type { ByteSource } from "./byte-source.ts";

const inflateBytesAtOnce = 256 * 1024;

/** What lies under the compression of the deflated transfer syntaxes (PS3.5 §A.5), within the reader's bounds. */
export async function* inflated(source: ByteSource): AsyncGenerator<Uint8Array> {
  const pieces: Uint8Array[] = [];
  const inflater = createInflater({
    inflatedBytesMax: readerLimits.inflatedBytesMax,
    inflateRatioMax: readerLimits.inflateRatioMax,
    onOutput: (bytes) => pieces.push(bytes.slice()),
  });
  for (;;) {
    const piece = await source.next(inflateBytesAtOnce);
    if (piece === undefined) return;
    inflater.push(piece);
    yield* pieces.splice(0);
  }
}

/** The other way; a NUL makes its length even. */
export async function* deflated(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const deflate = createDeflateRaw();
  const input = Readable.from(pieces, { objectMode: false });
  input.once("error", (error) => deflate.destroy(error));
  let size = 0;
  try {
    for await (const piece of input.pipe(deflate) as AsyncIterable<Buffer>) {
      size += piece.length;
      yield piece;
    }
    if (size % 2 === 1) yield Uint8Array.of(0);
  } finally {
    input.destroy();
    deflate.destroy();
  }
}
