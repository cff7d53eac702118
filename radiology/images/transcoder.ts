import { encodingOf, readFile, Tag, TransferSyntaxUid, writeMeta } from "#formats/dicom";
import { codecFamily } from "#imaging/codecs";
import { type CurrentInstance, currentOf, type HeldInstance, wholeBytes } from "#radiology/archive";
import { type ByteSource, createByteSource } from "./byte-source.ts";
import { deflated, inflated } from "./deflated.ts";
import type { PixelWork } from "./pixel-work.ts";
import { readThrough, recoded } from "./recoded.ts";

/** How we name ourselves in what we write (PS3.10 §7.1). */
export interface Implementation {
  readonly classUid: string;
  readonly version: string;
}

/** What of an instance says which transfer syntaxes it can be given in. */
export type Transcodable = Pick<HeldInstance, "transferSyntaxUid" | "pixelOffset">;

/**
 * Whole instances in other transfer syntaxes than they are stored in, without loss: what is stored with loss is decoded and not
 * compressed again. Made as it is read, a few frames at a time; what is read on the way is proven as for `wholeBytes`. Values stay as
 * they are but for what coding changes (PS3.5 §8.2): Photometric Interpretation, Planar Configuration, the offset tables, and Lossy
 * Image Compression where a lossy codestream came without it.
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

const plainSyntaxes: readonly string[] = [
  TransferSyntaxUid.explicitLittleEndian,
  TransferSyntaxUid.implicitLittleEndian,
  TransferSyntaxUid.explicitBigEndian,
  TransferSyntaxUid.deflatedExplicitLittleEndian,
];

const losslessSyntaxes: readonly string[] = [
  TransferSyntaxUid.rleLossless,
  TransferSyntaxUid.jpegLosslessSv1,
  TransferSyntaxUid.jpegLossless,
  TransferSyntaxUid.jpegLsLossless,
  TransferSyntaxUid.jpeg2000Lossless,
  TransferSyntaxUid.htj2kLossless,
  TransferSyntaxUid.htj2kLosslessRpcl,
];

/** Little endian headers over big endian pixels, a maker's own. */
const bigEndianPixels = "1.2.840.113619.5.2";

const discardAtOnce = 256 * 1024;

export function createTranscoder({ pixels, implementation }: TranscoderParts): Transcoder {
  async function* fileOf(held: HeldInstance, to: string): AsyncGenerator<Uint8Array> {
    const instance = await currentOf(held);
    yield* made(instance, to, pixels, (start) => metaOf(start, instance, to, implementation));
  }
  async function* dataSetOf(held: HeldInstance, to: string): AsyncGenerator<Uint8Array> {
    yield* made(await currentOf(held), to, pixels, () => undefined);
  }
  return {
    offered: offeredFor,
    file: (held, to) => (to === held.transferSyntaxUid ? wholeBytes(held) : fileOf(held, to)),
    dataSet: dataSetOf,
  };
}

function offeredFor({ transferSyntaxUid: stored, pixelOffset }: Transcodable): readonly string[] {
  const { codec, encapsulated, deflated, loss } = encodingOf(stored);
  if (codec === "reference" || stored === bigEndianPixels) return [stored];
  const hasPixels = pixelOffset !== undefined;
  if (hasPixels && encapsulated && codecFamily(stored) === undefined) return [stored];
  // Encapsulated syntaxes are for pixels alone. Of what is deflated as a whole it shows only when it is read whether it has any.
  const compressed = hasPixels && !deflated && loss === "lossless" ? losslessSyntaxes : [];
  return [stored, ...[...plainSyntaxes, ...compressed].filter((uid) => uid !== stored)];
}

/** `first` makes what goes before the data set out of what stood there. */
async function* made(
  instance: CurrentInstance,
  to: string,
  pixels: PixelWork,
  first: (start: Buffer) => Uint8Array | undefined,
): AsyncGenerator<Uint8Array> {
  const source = createByteSource(instance.whole());
  try {
    const head = first(await source.take(instance.dataSetOffset));
    yield* behind(head, dataSetPieces(instance, to, source, pixels));
    while ((await source.next(discardAtOnce)) !== undefined); // to its end, where it is proven
  } finally {
    await source.close();
  }
}

async function* dataSetPieces(
  instance: CurrentInstance,
  to: string,
  source: ByteSource,
  pixels: PixelWork,
): AsyncGenerator<Uint8Array> {
  const { transferSyntaxUid: stored } = instance;
  const explicit = TransferSyntaxUid.explicitLittleEndian;
  if (to === stored) {
    yield* rest(source);
  } else if (to === explicit && encodingOf(stored).deflated) {
    yield* inflated(source); // Explicit VR Little Endian under its compression (PS3.5 §A.5)
  } else {
    const read = await readThrough(instance, source);
    if (encodingOf(to).deflated) yield* deflated(recoded(read, explicit, pixels));
    else yield* recoded(read, to, pixels);
  }
}

async function* rest(source: ByteSource): AsyncGenerator<Uint8Array> {
  for (let piece = await source.next(discardAtOnce); piece !== undefined; piece = await source.next(discardAtOnce)) {
    yield piece;
  }
}

/** A head goes out with the first of what follows: what fails at once has then said nothing yet. */
async function* behind(head: Uint8Array | undefined, pieces: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    const first = await pieces.next();
    if (head !== undefined) yield head;
    if (!first.done) yield first.value;
    yield* pieces;
  } finally {
    await pieces.return(undefined);
  }
}

/** File meta information for what is written here and now: by us (PS3.10 §7.1), from where the file said it came. */
function metaOf(start: Buffer, instance: CurrentInstance, to: string, implementation: Implementation): Uint8Array {
  const { meta } = readFile(start, { partial: true });
  return writeMeta({
    mediaStorageSopClassUid: instance.sopClassUid,
    mediaStorageSopInstanceUid: instance.sopUid,
    transferSyntaxUid: to,
    implementationClassUid: implementation.classUid,
    implementationVersionName: implementation.version,
    sourceAe: meta.text(Tag.SourceApplicationEntityTitle) || undefined,
  });
}
