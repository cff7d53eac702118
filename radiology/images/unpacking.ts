import { isPassing, isProblem, Problem } from "#base/problem";
import { byPlane } from "#imaging/codecs";
import { type ByteSource, createByteSource } from "./byte-source.ts";
import { codedHeadBytes, describeRun, lengthsBytes, readCodedHead, readLengths } from "./coded-pixels.ts";
import type { Packing } from "./packing-work.ts";
import type { PixelWork } from "./pixel-work.ts";
import { longerThanStated, unpackedChunk, unpackedChunks } from "./zstd-chunks.ts";

/** One data set on its way out of its packing. Exactly one of `end` and `abort` ends it. */
export interface Unpacking {
  /** The next bytes, which may be kept. Resolves when they are needed no more than that: until then no more are asked for. */
  write(bytes: Uint8Array): Promise<void>;
  /** Resolves when all of the data set has been given. */
  end(): Promise<void>;
  /** Nothing more is given once it resolves. Never rejects. */
  abort(): Promise<void>;
}

/**
 * Data sets out of what a stranger sent: an edge may have been stolen. Never gives more than the stated size, holds a chunk and a few
 * codestreams whatever is stated, and has codestreams decoded apart from the keys. What comes out is compared by whoever asked: a sender who
 * packs other bytes than it signed is found there.
 */
export interface Unpacker {
  /**
   * `sizeBytes` is what the sender says the data set has, or the most that it may have: of plain bytes and chunks an end can be told only by
   * who compares them. Rejections are Problems: `damaged`, `too-large`, what a decoder in trouble says, or what `give` rejected with.
   */
  unpacking(packing: Packing, sizeBytes: number, give: (bytes: Uint8Array) => void | Promise<void>): Unpacking;
}

const plainBytesAtOnce = 256 * 1024;
/** Codestreams that are decoded at once: as many as there are processes that do. */
const runsAhead = 2;

export function createUnpacker({ pixels }: { readonly pixels: Pick<PixelWork, "decodeFrame"> }): Unpacker {
  return {
    unpacking(packing, sizeBytes, give) {
      const { readable, writable } = new TransformStream<Uint8Array, Buffer>({
        transform: (bytes, controller) =>
          controller.enqueue(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)),
      });
      const writer = writable.getWriter();
      let isAborted = false;
      const work = async () => {
        const source = createByteSource(readable);
        try {
          for await (const bytes of restored(packing, sizeBytes, source, pixels)) {
            if (isAborted) return;
            await give(bytes);
          }
          if ((await source.next(1)) !== undefined) throw new Problem("damaged", "more follows a packed object");
        } finally {
          await source.close();
        }
      };
      const done = work();
      done.catch(() => {}); // told by the next call
      // What was not taken is the fault of what ended the work: that is told.
      const or = (step: Promise<void>) => step.catch(() => done);
      return {
        write: (bytes) => or(writer.write(bytes)),
        async end() {
          await or(writer.close());
          await done;
        },
        async abort() {
          isAborted = true;
          await writer.abort().catch(() => {});
          await done.catch(() => {});
        },
      };
    },
  };
}

async function* restored(
  packing: Packing,
  sizeBytes: number,
  source: ByteSource,
  pixels: Pick<PixelWork, "decodeFrame">,
): AsyncGenerator<Uint8Array> {
  if (packing === "plain" || packing === "zstd") {
    for (let left = sizeBytes; ; ) {
      const bytes = packing === "zstd" ? await unpackedChunk(source, left) : await source.next(plainBytesAtOnce);
      if (bytes === undefined) return;
      if (bytes.length > left) throw longerThanStated();
      yield bytes;
      left -= bytes.length;
    }
  } else {
    const picture = readCodedHead(await source.take(codedHeadBytes), sizeBytes);
    const runs = readLengths(picture, await source.take(lengthsBytes(picture)));
    yield* unpackedChunks(source, picture.before);
    const begun: Promise<Uint8Array>[] = [];
    for (const { lines, codedBytes } of runs) {
      const coded = await source.take(codedBytes);
      const one = pixels.decodeFrame(coded, describeRun(picture, lines, packing)).then((made) => made.pixels, refused);
      one.catch(() => {}); // told when its turn comes
      begun.push(one);
      if (begun.length >= runsAhead) yield laid(await (begun.shift() as Promise<Uint8Array>), picture.byPlane);
    }
    for (const one of begun) yield laid(await one, picture.byPlane);
    yield* unpackedChunks(source, picture.after);
  }
}

/** What ails a codestream ails the object; a decoder that cannot be had is another matter, and passes. */
function refused(problem: unknown): never {
  if (isProblem(problem) && isPassing(problem)) throw problem;
  throw new Problem("damaged", "a codestream of a packed object cannot be decoded", { cause: problem });
}

const laid = (pixels: Uint8Array, isByPlane: boolean): Uint8Array => (isByPlane ? byPlane(pixels, 3, 1) : pixels);
