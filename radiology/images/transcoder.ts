import { TransferSyntaxUid } from "#formats/dicom";
import { type HeldInstance, wholeBytes } from "#radiology/archive";
import { canBeExplicit, explicitBytes, type Implementation } from "./explicit-bytes.ts";
import type { PixelWork } from "./pixel-work.ts";

export type { Implementation };

/** What of an instance says which transfer syntaxes it can be given in. */
export type Transcodable = Pick<HeldInstance, "transferSyntaxUid" | "pixelOffset">;

/**
 * Whole instances in other transfer syntaxes than they are stored in, without loss: what is stored with loss is decoded and not
 * compressed again. Made as it is read, a frame at a time; what is read on the way is proven as for `wholeBytes`.
 */
export interface Transcoder {
  /**
   * The transfer syntaxes that an instance can be given in, the stored one first, then from plain to compressed. Whether its samples
   * fit a codec shows when it is read: then Problem `unsupported`, before the first piece.
   */
  offered(instance: Transcodable): readonly string[];
  /** A Part 10 file in one of the offered transfer syntaxes. */
  file(instance: HeldInstance, transferSyntaxUid: string): AsyncIterable<Uint8Array>;
  /** The same without file meta information, as C-STORE sends it. */
  dataSet(instance: HeldInstance, transferSyntaxUid: string): AsyncIterable<Uint8Array>;
}

export interface TranscoderParts {
  readonly pixels: PixelWork;
  readonly implementation: Implementation;
}

export function createTranscoder(parts: TranscoderParts): Transcoder {
  const file = (instance: HeldInstance, to: string): AsyncIterable<Uint8Array> =>
    to === instance.transferSyntaxUid ? wholeBytes(instance) : explicitBytes(instance, parts);
  return {
    offered(instance) {
      const { transferSyntaxUid: stored } = instance;
      const plain = TransferSyntaxUid.explicitLittleEndian;
      return stored === plain || !canBeExplicit(instance) ? [stored] : [stored, plain];
    },
    file,
    dataSet: (instance, to) => withoutMeta(file(instance, to)),
  };
}

/** Behind the preamble and group 0002, whose length stands at its beginning (PS3.10 §7.1). */
async function* withoutMeta(file: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let start: Buffer | undefined = Buffer.alloc(0);
  for await (const piece of file) {
    if (start === undefined) {
      yield piece;
      continue;
    }
    start = Buffer.concat([start, piece]);
    const end: number = start.length < 144 ? Number.POSITIVE_INFINITY : 144 + start.readUInt32LE(140);
    if (start.length < end) continue;
    const rest: Buffer = start.subarray(end);
    start = undefined;
    if (rest.length > 0) yield rest;
  }
}
